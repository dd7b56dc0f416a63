import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { prepareTask, runTask } from '../../electron/worker/run-task.ts';
import type { ProblemError } from '../../shared/domain/problem.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const context = { signal: new AbortController().signal, onProgress: () => undefined };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-tasks-'));
  await writeFile(at('one.bin'), randomBytes(8_000_000));
  // No patch begins with this byte, so that it is never taken for one.
  await writeFile(at('two.bin'), Buffer.concat([Uint8Array.of(0xff), randomBytes(7_999_999)]));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const inspect = (name: string) =>
  runTask('bundle.inspect', { files: [{ path: at(name), name }], fileTypes: ['.bin'] }, context);

test('tasks run one after the other and side by side, and a failed one does not harm the next', async () => {
  expect((await inspect('one.bin')).files[0]?.sizeBytes).toBe(8_000_000);
  const failure = (await runTask(
    'delta.apply',
    { sourcePath: at('one.bin'), patchPath: at('two.bin'), outPath: at('never') },
    context,
  ).catch((error: unknown) => error)) as ProblemError;
  expect(failure.problem.code).toBe('patch-format');
  const both = await Promise.all([inspect('one.bin'), inspect('two.bin')]);
  expect(both.map((report) => report.files[0]?.name)).toEqual(['one.bin', 'two.bin']);
});

test('a worker that was made ready for one task runs any', async () => {
  prepareTask('delta.make');
  prepareTask('delta.make');
  const both = await Promise.all([inspect('one.bin'), inspect('two.bin')]);
  expect(both.map((report) => report.files[0]?.sizeBytes)).toEqual([8_000_000, 8_000_000]);
});

test('a cancelled task ends at once and leaves no file, and the next one runs', async () => {
  const stop = new AbortController();
  const cancelled = runTask(
    'delta.make',
    {
      sourcePath: at('one.bin'),
      targetPath: at('two.bin'),
      outPath: at('never'),
      choices: [{ format: 'bsdiff', compression: null }],
      limits: {},
    },
    { signal: stop.signal, onProgress: () => stop.abort() },
  );
  const startedMs = performance.now();
  await expect(cancelled).rejects.toMatchObject({ name: 'AbortError' });
  expect(performance.now() - startedMs).toBeLessThan(20_000);
  expect((await inspect('one.bin')).files[0]?.sizeBytes).toBe(8_000_000);
  await expect(rm(at('never'))).rejects.toMatchObject({ code: 'ENOENT' });
});
