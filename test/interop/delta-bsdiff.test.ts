import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bzip2 } from '../../electron/core/delta/bzip2.ts';
import { applyDeltaTask, makeDeltaTask } from '../../electron/worker/tasks/delta.ts';
import { ProblemError } from '../../shared/domain/problem.ts';
import { applyBsdiff40, encodeBsdiff40 } from '../../shared/formats/bsdiff40.ts';
import { findCovers } from '../../shared/formats/delta-matcher.ts';

let folder: string;
const at = (name: string): string => join(folder, name);
const context = { signal: new AbortController().signal, onProgress: () => undefined };

/** Runs a Debian peer; a missing one fails with the command that installs it. */
function peer(command: string, ...args: string[]): void {
  try {
    execFileSync(command, args);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error(`${command} is missing: apt-get install bsdiff`, { cause: error });
    throw error;
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-delta-'));
  const source = Buffer.from(await readFile(process.execPath)).subarray(0, 1_000_000);
  const target = Buffer.concat([
    source.subarray(0, 300_000),
    Buffer.from('version 1.1.0'),
    source.subarray(300_100),
  ]);
  for (let i = 0; i < target.length; i += 997) target[i] = (target[i] ?? 0) + 1;
  await writeFile(at('source'), source);
  await writeFile(at('target'), target);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test("Debian's bspatch applies our patch", async () => {
  const proof = await makeDeltaTask(
    { sourcePath: at('source'), targetPath: at('target'), outPath: at('ours'), format: 'auto' },
    context,
  );
  expect(proof.patchSizeBytes).toBeLessThan(60_000);
  peer('bspatch', at('source'), at('rebuilt'), at('ours'));
  expect((await readFile(at('rebuilt'))).equals(await readFile(at('target')))).toBe(true);
});

test("we apply what Debian's bsdiff makes", async () => {
  peer('bsdiff', at('source'), at('target'), at('theirs'));
  await applyDeltaTask(
    { sourcePath: at('source'), patchPath: at('theirs'), outPath: at('rebuilt-2') },
    context,
  );
  expect((await readFile(at('rebuilt-2'))).equals(await readFile(at('target')))).toBe(true);
});

test('a cut or foreign patch is refused and nothing is written', async () => {
  const whole = await readFile(at('ours'));
  await writeFile(at('cut'), whole.subarray(0, whole.length >> 1));
  for (const [patch, code] of [
    ['cut', 'patch-corrupt'],
    ['source', 'patch-format'],
  ] as const) {
    const failure = await applyDeltaTask(
      { sourcePath: at('source'), patchPath: at(patch), outPath: at('never') },
      context,
    ).catch((error: unknown) => error);
    expect((failure as ProblemError).problem.code).toBe(code);
    await expect(readFile(at('never'))).rejects.toThrow();
  }
});

test('any pair makes a round trip', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.tuple(fc.nat(500), fc.uint8Array({ maxLength: 30 })), { maxLength: 5 }),
      async (base, edits) => {
        const source = Uint8Array.from([...base, ...base.toReversed(), ...base]);
        let bytes = [...source];
        for (const [place, insert] of edits)
          bytes = [...bytes.slice(0, place), ...insert, ...bytes.slice(place + (insert[0] ?? 0))];
        const target = Uint8Array.from(bytes);
        const patch = await encodeBsdiff40(source, target, findCovers(source, target), bzip2);
        expect(await applyBsdiff40(source, patch, bzip2)).toEqual(target);
      },
    ),
    { numRuns: 60 },
  );
});

test('a damaged patch never crashes and never hangs', async () => {
  const source = (await readFile(at('source'))).subarray(0, 3000);
  const target = (await readFile(at('target'))).subarray(0, 3000);
  const patch = await encodeBsdiff40(source, target, findCovers(source, target), bzip2);
  await fc.assert(
    fc.asyncProperty(
      fc.nat(patch.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (offset, flip) => {
        const damaged = Uint8Array.from(patch);
        damaged[offset] = (damaged[offset] ?? 0) ^ flip;
        try {
          await applyBsdiff40(source, damaged, bzip2);
        } catch (error) {
          expect(error).toBeInstanceOf(ProblemError);
        }
      },
    ),
    { numRuns: 60 },
  );
});
