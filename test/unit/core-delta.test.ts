import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { measureMatrix } from '../../electron/core/delta/delta-matrix.ts';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { readPatchHead } from '../../shared/delta/patch-head.ts';
import { applyPatch } from '../../shared/delta/patch-reader.ts';
import { sha256 } from '../../electron/files/sha256.ts';
import type { PatchChoice } from '../../shared/domain/delta.ts';
import { computeGates } from '../../shared/domain/gates.ts';
import type { Progress } from '../../shared/domain/job.ts';
import { zip } from '../support/archives.ts';
import { everyChoice, firmwareLike, makePatch } from '../support/patches.ts';

let folder: string;
let studio: Studio;

const yaml = (delta: string): string => `version: 1
name: Deltas
products:
  - id: P
    name: Product
    components:
      - { id: APP, name: Application, type: mcu${delta} }
`;
const small =
  ', delta: { formats: [detools], compressions: [crle, heatshrink], ramBytes: 3000, linkBytesPerSecond: 500 }';

const imageOf = (version: number): Uint8Array => firmwareLike(30_000 + 100 * version, version);

async function open(delta: string): Promise<void> {
  await writeFile(join(folder, 'slipway.yaml'), yaml(delta));
  studio = await createStudio({ workspacePath: folder });
}

async function bundle(version: number): Promise<string> {
  const file = join(folder, `app-${version}.bin`);
  await writeFile(file, imageOf(version));
  const pkg = await studio.ask('bundle.create', {
    productId: 'P',
    version: `1.${version}.0`,
    componentId: 'APP',
    files: [file],
  });
  return pkg.id;
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-core-delta-'));
});
afterEach(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

test('a delta package is the smallest patch that the described device can apply', async () => {
  await open(small);
  const [source, target] = [await bundle(0), await bundle(1)];
  const pkg = await studio.ask('delta.create', {
    sourcePackageId: source,
    targetPackageId: target,
  });
  expect(pkg.deltaProof).toMatchObject({
    format: 'detools',
    compression: 'heatshrink',
    proven: true,
  });
  expect(pkg.deltaProof?.cost?.ramBytes).toBeLessThanOrEqual(3000);
  expect(pkg.deltaProof?.cost?.airSeconds).toBe((pkg.deltaProof?.patchSizeBytes ?? 0) / 500);
  const sha256 = pkg.files[0]?.sha256 ?? '';
  const patch = await readFile(
    join(folder, '.slipway/objects', sha256.slice(0, 2), sha256.slice(2)),
  );
  expect(readPatchHead(patch).decoder.heatshrinkWindowBits).toBeLessThanOrEqual(10);
  expect(applyPatch(imageOf(0), patch)).toEqual(imageOf(1));
});

test('of a device that nothing is said about, the decoder of BSDIFF40 is assumed; other formats can be asked for', async () => {
  await open('');
  const [zero, one, two] = [await bundle(0), await bundle(1), await bundle(2)];
  const pkg = await studio.ask('delta.create', { sourcePackageId: zero, targetPackageId: two });
  expect(pkg.deltaProof?.format).toBe('bsdiff40');
  const other = await studio.ask('delta.create', {
    sourcePackageId: one,
    targetPackageId: two,
    format: 'vcdiff',
  });
  expect(other.files[0]?.format).toBe('vcdiff');
});

test('of a tiny patch every format is made, since its head decides', async () => {
  await open(', delta: { ramBytes: 100000000 }');
  const file = join(folder, 'same.bin');
  await writeFile(file, imageOf(0));
  const out = join(folder, 'tiny.patch');
  const pair = { source: file, target: file, out };
  const proof = await studio.ask('delta.make', { ...pair, productId: 'P', format: 'auto' });
  const sizes = everyChoice
    .filter(({ format }) => !['detools-inplace', 'hpatchlite', 'hdiffpatch'].includes(format))
    .map((choice) => makePatch(imageOf(0), imageOf(0), choice).length);
  expect(proof.patchSizeBytes).toBe(Math.min(...sizes));
});

test('a patch that the device cannot apply is not recorded, and the reasons are named', async () => {
  await open(', delta: { formats: [bsdiff], ramBytes: 100000 }');
  const [source, target] = [await bundle(0), await bundle(1)];
  const failure = studio.ask('delta.create', { sourcePackageId: source, targetPackageId: target });
  await expect(failure).rejects.toMatchObject({
    problem: { code: 'delta-does-not-fit', kind: 'gate' },
  });
  await expect(failure).rejects.toThrow(
    /bsdiff: the decoder needs [\d.]+ MiB of RAM, the device has 97\.7 KiB/,
  );
  expect(await studio.ask('packages.list', {})).toHaveLength(2);
});

test('the full image is advised by a finding when the delta saves too little', async () => {
  await open(', delta: { formats: [detools], compressions: [none] }');
  const [source, target] = [await bundle(0), await bundle(1)];
  const pkg = await studio.ask('delta.create', {
    sourcePackageId: source,
    targetPackageId: target,
  });
  expect(pkg.report.verdict).toBe('warn');
  const findings = pkg.report.files[0]?.findings ?? [];
  expect(findings.map(({ rule }) => rule)).toContain('delta.proven');
  expect(findings.find(({ rule }) => rule === 'delta.saving')?.detail).toContain(
    'not smaller than the compressed full image',
  );
});

test('a vendor’s delta is recorded with both versions, and that it was not checked is said', async () => {
  await open('');
  await bundle(1);
  const release = (await studio.ask('releases.list', {}))[0]!;
  const file = join(folder, 'Update_R01-R02.pack');
  await writeFile(file, firmwareLike(5000, 9));
  const accept = { releaseId: release.id, componentId: 'APP', files: [file] };
  const pkg = await studio.ask('delta.accept', { ...accept, sourceVersion: '1.0.0' });
  expect(pkg).toMatchObject({
    packageType: 'delta',
    sourceVersion: '1.0.0',
    targetVersion: '1.1.0',
    deltaProof: null,
  });
  expect(pkg.files[0]).toMatchObject({ role: 'delta', name: 'Update_R01-R02.pack' });
  expect(pkg.report.verdict).toBe('could-not-check');
  expect(pkg.report.files[0]?.findings.map(({ rule }) => rule)).toContain('delta.foreign');
  const gates = computeGates({
    product: (await studio.ask('products.list', {}))[0]!,
    packages: [pkg],
    releasePackages: await studio.ask('packages.list', { releaseId: release.id }),
    benchRuns: [],
    at: '2026-01-03T00:00:00.000Z',
    waivers: [],
    scope: { full: 0, delta: 1, skipped: [] },
    unknownIds: [],
  });
  expect(gates.find(({ id }) => id === 'deltas')?.why).toContain('Could not be checked');
  await expect(
    studio.ask('delta.accept', { ...accept, sourceVersion: '1.1.0' }),
  ).rejects.toMatchObject({
    problem: { code: 'delta-pair', kind: 'usage' },
  });
});

const vendorFiles: readonly (readonly [
  name: string,
  files: Readonly<Record<string, Uint8Array>>,
])[] = [
  ['.pack', { 'EC600N_R01-R02.pack': firmwareLike(5000, 9) }],
  ['DFOTA .bin', { 'dfota.bin': firmwareLike(5000, 9) }],
  ['DFOTA .zip', { 'dfota.zip': zip('delta.bin', firmwareLike(900, 9)) }],
  ['.mini_1 and .mini_2', { 'up.mini_1': firmwareLike(900, 9), 'up.mini_2': firmwareLike(901, 9) }],
];
test.each(vendorFiles)('a vendor’s %s is taken with source and target', async (_name, files) => {
  await open('');
  await bundle(0);
  await bundle(1);
  const release = (await studio.ask('releases.list', {})).find((one) => one.version === '1.1.0')!;
  const paths = await Promise.all(
    Object.entries(files).map(async ([name, bytes]) => {
      await writeFile(join(folder, name), bytes);
      return join(folder, name);
    }),
  );
  const accept = { releaseId: release.id, componentId: 'APP', sourceVersion: '1.0.0' };
  const pkg = await studio.ask('delta.accept', { ...accept, files: paths });
  expect(pkg).toMatchObject({ sourceVersion: '1.0.0', targetVersion: '1.1.0', deltaProof: null });
  expect(pkg.files.map(({ role }) => role)).toEqual(paths.map(() => 'delta'));
  const foreign = pkg.report.files[0]?.findings.find(({ rule }) => rule === 'delta.foreign');
  expect(foreign?.verdict).toBe('could-not-check');
  if (paths.length === 1)
    for (const version of [0, 1])
      expect(foreign?.evidence.expected).toContain(sha256(imageOf(version)));
});

describe('a vendor’s delta of a public format', () => {
  const choices: readonly PatchChoice[] = [
    { format: 'bsdiff', compression: null },
    { format: 'vcdiff', compression: null },
    { format: 'detools', compression: 'heatshrink' },
    { format: 'hdiffpatch', compression: 'lzma' },
  ];

  async function accept(patch: Uint8Array, described = '', withSource = true) {
    await open(described);
    if (withSource) await bundle(0);
    await bundle(1);
    const releases = await studio.ask('releases.list', {});
    const releaseId = releases.find(({ version }) => version === '1.1.0')?.id ?? '';
    await writeFile(join(folder, 'up.pack'), patch);
    const files = [join(folder, 'up.pack')];
    return studio.ask('delta.accept', {
      releaseId,
      componentId: 'APP',
      sourceVersion: '1.0.0',
      files,
    });
  }

  test.each(choices)('is proven: $format', async (choice) => {
    const pkg = await accept(makePatch(imageOf(0), imageOf(1), choice));
    expect(pkg.deltaProof).toMatchObject({
      compression: choice.compression,
      sourceSha256: sha256(imageOf(0)),
      targetSha256: sha256(imageOf(1)),
      patchSha256: pkg.files[0]?.sha256,
    });
    const rules = pkg.report.files[0]?.findings.map(({ rule }) => rule) ?? [];
    expect(rules).toContain('delta.proven');
    for (const doubt of ['delta.foreign', 'patch.not-applied', 'file.opaque'])
      expect(rules).not.toContain(doubt);
  });

  test.each([choices[0]!, choices[3]!])(
    'between other images is blocked: $format',
    async (choice) => {
      const patch = makePatch(imageOf(0), imageOf(2), choice);
      const failure = accept(patch);
      await expect(failure).rejects.toMatchObject({
        problem: { code: 'bundle-blocked', kind: 'gate' },
      });
      await expect(failure).rejects.toThrow('delta.not-proven');
      expect(await studio.ask('packages.list', {})).toHaveLength(2);
    },
  );

  test('that the device cannot apply is blocked, with the reason', async () => {
    const patch = makePatch(imageOf(0), imageOf(1), choices[2]!);
    const failure = accept(patch, ', delta: { compressions: [crle], ramBytes: 100 }');
    await expect(failure).rejects.toThrow('its decoder has crle, not heatshrink');
    await expect(failure).rejects.toThrow('of RAM, the device has 100 B');
  });

  test('without its source among the releases it is not checked, and why is said', async () => {
    const pkg = await accept(makePatch(imageOf(0), imageOf(1), choices[0]!), '', false);
    const finding = pkg.report.files[0]?.findings.find(({ rule }) => rule === 'delta.foreign');
    expect(finding?.detail).toContain('APP 1.0.0 has no full package');
  });
});

test('the matrix measures what is in the field, and goes on where it was cancelled', async () => {
  await open(small);
  for (const version of [0, 1, 2, 3]) await bundle(version);
  const release = (await studio.ask('releases.list', {})).find(
    ({ version }) => version === '1.3.0',
  )!;
  await studio.close();
  const workspace = await Workspace.open(folder);
  try {
    const input = { releaseId: release.id, componentId: 'APP' };
    const field = new Map([
      ['1.0.0', 5],
      ['1.2.0', 7],
      ['1.3.0', 3],
      ['0.9.0', 2],
    ]);
    const stop = new AbortController();
    const seen: Progress[] = [];
    const until = (text: string) => (progress: Progress) => {
      seen.push(progress);
      if (progress.step.startsWith(text)) stop.abort();
    };
    await expect(
      measureMatrix(workspace, input, field, {
        signal: stop.signal,
        onProgress: until('From 1.2.0'),
      }),
    ).rejects.toMatchObject({ name: 'AbortError' });
    // The compressed size, and at least both patches from 1.0.0.
    const cache = workspace.internal('cache', 'delta');
    expect((await readdir(cache)).length).toBeGreaterThanOrEqual(3);

    seen.length = 0;
    const onProgress = (progress: Progress): void => void seen.push(progress);
    const context = { signal: new AbortController().signal, onProgress };
    const matrix = await measureMatrix(workspace, input, field, context);
    expect(seen.some(({ step }) => step.startsWith('From 1.0.0'))).toBe(false);
    expect(matrix.rows.map((row) => [row.sourceVersion, row.devices])).toEqual([
      ['1.0.0', 5],
      ['1.2.0', 7],
    ]);
    expect(matrix.unreleased).toEqual([{ version: '0.9.0', devices: 2 }]);
    for (const row of matrix.rows) {
      expect(row.patches.map(({ format, compression }) => `${format} ${compression}`)).toEqual([
        'detools crle',
        'detools heatshrink',
      ]);
      expect(row.patches.every((patch) => patch.proven && patch.objections.length === 0)).toBe(
        true,
      );
      const sizes = row.patches.map(({ patchSizeBytes }) => patchSizeBytes);
      expect(row.patches[row.best ?? -1]?.patchSizeBytes).toBe(Math.min(...sizes));
      expect(row.patches[0]?.ratio).toBeCloseTo(sizes[0]! / matrix.compressedFullBytes);
      expect(row.advice.publish).toBe('delta');
    }

    const kept = await readdir(cache);
    expect(kept).toHaveLength(5);
    await writeFile(join(cache, kept[0] ?? ''), '{"half');
    expect(await measureMatrix(workspace, input, field, context)).toEqual(matrix);

    // What a kill behind the first patch of a source leaves: the other one alone is made.
    const second = matrix.rows[1]!;
    for (const name of kept) {
      const text = await readFile(join(cache, name), 'utf8');
      if (text.includes(second.patches[1]!.patchSha256)) await rm(join(cache, name));
      if (text.includes(second.patches[0]!.patchSha256))
        await writeFile(
          join(cache, name),
          text.replace(/"patchSizeBytes":\d+/, '"patchSizeBytes":9'),
        );
    }
    const again = await measureMatrix(workspace, input, field, context);
    expect(again.rows[1]?.patches.map(({ patchSizeBytes }) => patchSizeBytes)).toEqual([
      9,
      second.patches[1]!.patchSizeBytes,
    ]);
  } finally {
    await workspace.close();
  }
});
