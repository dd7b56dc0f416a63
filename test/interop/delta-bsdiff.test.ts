import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyDeltaTask, makeDeltaTask } from '../../electron/worker/tasks/delta.ts';
import type { ProblemError } from '../../shared/domain/problem.ts';

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

async function expectSame(one: string, other: string): Promise<void> {
  expect((await readFile(at(one))).equals(await readFile(at(other)))).toBe(true);
}

/** Machine code and a changed copy: pieces cut out and put in, and a byte changed in every 997. */
async function makePair(name: string, sizeBytes: number): Promise<void> {
  const source = (await readFile(process.execPath)).subarray(0, sizeBytes);
  const target = Buffer.concat([
    source.subarray(0, 300_000),
    Buffer.from('version 1.1.0'),
    source.subarray(300_100),
  ]);
  for (let i = 0; i < target.length; i += 997) target[i] = (target[i] ?? 0) + 1;
  await writeFile(at(`${name}-source`), source);
  await writeFile(at(`${name}-target`), target);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-delta-'));
  await makePair('small', 1_000_000);
  // Beyond 16 MiB the patch has streams of several blocks and the index is a sparse one.
  await makePair('large', 18_000_000);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(['small', 'large'])("Debian's bspatch applies our patch of the %s pair", async (name) => {
  const proof = await makeDeltaTask(
    {
      sourcePath: at(`${name}-source`),
      targetPath: at(`${name}-target`),
      outPath: at(`${name}-ours`),
      choices: [{ format: 'bsdiff', compression: null }],
      limits: {},
    },
    context,
  );
  expect(proof.patchSizeBytes).toBeLessThan(proof.targetSizeBytes / 100);
  peer('bspatch', at(`${name}-source`), at('rebuilt'), at(`${name}-ours`));
  await expectSame('rebuilt', `${name}-target`);
});

test("we apply what Debian's bsdiff makes, and ours is hardly larger", async () => {
  peer('bsdiff', at('small-source'), at('small-target'), at('theirs'));
  await applyDeltaTask(
    { sourcePath: at('small-source'), patchPath: at('theirs'), outPath: at('rebuilt') },
    context,
  );
  await expectSame('rebuilt', 'small-target');
  const [ours, theirs] = [await readFile(at('small-ours')), await readFile(at('theirs'))];
  expect(ours.length).toBeLessThan(theirs.length * 1.02);
});

test('files beyond the limit are refused before they are read', async () => {
  await writeFile(at('endless'), '');
  await truncate(at('endless'), 513 * 1024 * 1024);
  const input = { sourcePath: at('endless'), targetPath: at('small-target') };
  const failure = (await makeDeltaTask(
    {
      ...input,
      outPath: at('never'),
      choices: [{ format: 'bsdiff', compression: null }],
      limits: {},
    },
    context,
  ).catch((error: unknown) => error)) as ProblemError;
  expect(failure.problem).toMatchObject({ code: 'delta-too-large', kind: 'usage' });
  expect(failure.problem.detail).toContain('endless has 537919488 bytes');
});

test('a cut or foreign patch is refused, and what was there stays', async () => {
  const whole = await readFile(at('small-ours'));
  await writeFile(at('cut'), whole.subarray(0, whole.length >> 1));
  await writeFile(at('kept'), 'old content');
  const before = await readdir(folder);
  for (const [patch, expected] of [
    ['cut', { code: 'patch-corrupt', title: 'The patch is damaged', kind: 'io' }],
    [
      'small-source',
      { code: 'patch-format', title: 'This is not a patch that Slipway can read', kind: 'usage' },
    ],
  ] as const) {
    const failure = (await applyDeltaTask(
      { sourcePath: at('small-source'), patchPath: at(patch), outPath: at('kept') },
      context,
    ).catch((error: unknown) => error)) as ProblemError;
    expect(failure.problem).toMatchObject(expected);
    expect(failure.problem.detail).toMatch(/offset|first bytes/);
    expect(failure.problem.hint).not.toBe('');
    expect(await readFile(at('kept'), 'utf8')).toBe('old content');
  }
  expect(await readdir(folder)).toEqual(before);
});

test('a wrong source is told by the expected SHA-256, and nothing is written', async () => {
  const source = await readFile(at('small-source'));
  source[1000]! ^= 1;
  await writeFile(at('wrong-source'), source);
  const input = { sourcePath: at('wrong-source'), patchPath: at('small-ours') };
  const expectedSha256 = createHash('sha256')
    .update(await readFile(at('small-target')))
    .digest('hex');
  const before = await readdir(folder);
  const failure = (await applyDeltaTask(
    { ...input, outPath: at('unwritten'), expectedSha256 },
    context,
  ).catch((error: unknown) => error)) as ProblemError;
  expect(failure.problem.code).toBe('patch-source');
  expect(await readdir(folder)).toEqual(before);
  await applyDeltaTask(
    { ...input, sourcePath: at('small-source'), outPath: at('rebuilt'), expectedSha256 },
    context,
  );
  await expectSame('rebuilt', 'small-target');
});
