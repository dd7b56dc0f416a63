import { spawnSync } from 'node:child_process';
import { link, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entryPath } from '../../electron/worker/run-task.ts';
import type { DeltaMatrix } from '../../shared/domain/delta-matrix.ts';
import type { DeltaProof } from '../../shared/domain/product.ts';
import { slipway } from '../support/command.ts';
import { firmwareLike } from '../support/patches.ts';

const yaml = `version: 1
name: Deltas
person: Ann Lee
products:
  - id: P
    name: Product
    components:
      - id: APP
        name: Application
        type: mcu
        delta:
          formats: [detools, detools-inplace]
          compressions: [crle]
          ramBytes: 8192
          memoryBytes: 65536
          segmentBytes: 4096
          linkBytesPerSecond: 500
`;

let folder: string;
const at = (name: string): string => join(folder, name);
const run = (...args: string[]) => slipway(['--workspace', folder, 'delta', ...args]);
/** What a person reads. */
const text = (...args: string[]): string =>
  spawnSync(process.execPath, [entryPath('cli'), '--workspace', folder, 'delta', ...args], {
    encoding: 'utf8',
  }).stdout;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-delta-'));
  await writeFile(at('slipway.yaml'), yaml);
  for (const version of [0, 1]) {
    await writeFile(at(`${version}.bin`), firmwareLike(30_000, version));
    const args = ['--product', 'P', '--component', 'APP', '--version', `1.${version}.0`];
    const bundled = await slipway([
      '--workspace',
      folder,
      'bundle',
      'create',
      at(`${version}.bin`),
      ...args,
    ]);
    expect(bundled.exitCode, bundled.stderr).toBe(0);
  }
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const options: readonly (readonly [format: string, more: readonly string[], told: RegExp])[] = [
  ['bsdiff40', ['--format', 'bsdiff'], /control: .*\n.*diff: .*\n.*extra: /],
  ['bsdiff43', ['--format', 'bsdiff43'], /patch: .* of numbers, .* of differences, .* of inser/],
  ['vcdiff', ['--format', 'vcdiff'], /data: .*\n.*instructions: .*\n.*addresses: .*\n.*windowB/],
  ['detools', ['--compression', 'crle', '--format', 'detools'], /body: .* of differences/],
  [
    'detools-inplace',
    ['--format', 'detools-inplace', '--memory-bytes', '65536', '--segment-bytes', '4096'],
    /8 segments are moved first\n.*header: .*\n.*body: /,
  ],
];
test.each(options)('makes, explains and applies %s', async (format, more, told) => {
  const patch = at(`${format}.patch`);
  const made = await run('make', at('0.bin'), at('1.bin'), '-o', patch, ...more);
  expect(made.exitCode, made.stderr).toBe(0);
  const proof = JSON.parse(made.stdout) as DeltaProof;
  expect(proof).toMatchObject({ format, proven: true });
  expect(text('inspect', patch)).toMatch(told);
  const applied = await run('apply', at('0.bin'), patch, '-o', at('out'));
  expect(JSON.parse(applied.stdout)).toMatchObject({ sha256: proof.targetSha256 });
  expect(Buffer.compare(await readFile(at('out')), await readFile(at('1.bin')))).toBe(0);
});

test('make tells the hashes, what the proof took and what a device needs', () => {
  const place = ['--memory-bytes', '65536', '--segment-bytes', '4096'];
  const told = text(
    'make',
    at('0.bin'),
    at('1.bin'),
    '-o',
    at('p'),
    '--format',
    'detools-inplace',
    ...place,
  );
  expect(told).toMatch(/source SHA-256 .*\n.*target SHA-256 .*\n.*patch SHA-256/);
  expect(told).toContain('of RAM, with 48 losses of power');
  expect(told).toMatch(/a device needs .* of RAM, 64\.0 KiB of flash, 16 erases/);
});

test('the matrix tells what each format costs, and that it is proven', async () => {
  const measured = await run('matrix', 'P@1.1.0', '--component', 'APP');
  expect(measured.exitCode, measured.stderr).toBe(0);
  const { rows } = JSON.parse(measured.stdout) as DeltaMatrix;
  expect(rows.map(({ sourceVersion }) => sourceVersion)).toEqual(['1.0.0']);
  expect(rows[0]?.patches.map(({ format, proven }) => [format, proven])).toEqual([
    ['detools', true],
    ['detools-inplace', true],
  ]);
  expect(text('matrix', 'P@1.1.0', '--component', 'APP')).toMatch(
    /detools crle: .* of the compressed full image, proven; .* of RAM, .* of flash, .* s over the air, 8 erases/,
  );
});

test('no image and no patch is replaced by what is made from it, whatever it is called', async () => {
  await link(at('1.bin'), at('same.bin'));
  const made = await run('make', at('0.bin'), at('1.bin'), '-o', at('same.bin'));
  expect(made).toMatchObject({ exitCode: 2, problem: { code: 'delta-out' } });
  expect(Buffer.from(firmwareLike(30_000, 1)).equals(await readFile(at('1.bin')))).toBe(true);
  await run('make', at('0.bin'), at('1.bin'), '-o', at('kept.patch'));
  const applied = await run('apply', at('0.bin'), at('kept.patch'), '-o', at('kept.patch'));
  expect(applied).toMatchObject({ exitCode: 2, problem: { code: 'delta-out' } });
  expect((await readFile(at('kept.patch'))).subarray(0, 8).toString()).toBe('BSDIFF40');
});

test('a device that cannot apply it closes the gate, and nothing is written', async () => {
  const made = await run(
    'make',
    at('0.bin'),
    at('1.bin'),
    '-o',
    at('never'),
    '--format',
    'bsdiff',
    '--flash-bytes',
    '10000',
  );
  expect(made).toMatchObject({ exitCode: 1, problem: { code: 'delta-does-not-fit' } });
  expect(made.problem?.detail).toContain('KiB of flash, the device has 9.8 KiB');
  await expect(readFile(at('never'))).rejects.toMatchObject({ code: 'ENOENT' });
});
