import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import { mostPageBytes } from '../../shared/domain/diff-limits.ts';
import type { Job } from '../../shared/domain/job.ts';
import { firmwareLike } from '../support/patches.ts';
import { sRecords } from '../support/s-records.ts';

let folder: string;
let studio: Studio;
const at = (name: string): string => join(folder, name);

const yaml = `version: 1
name: Diffs
products:
  - id: P
    name: Product
    components:
      - id: APP
        name: Application
        type: mcu
        memory:
          - { name: boot, start: 0x08000000, sizeBytes: 16384, role: bootloader }
          - { name: slot, start: 0x08004000, sizeBytes: 131072, role: slot }
        delta: { formats: [bsdiff], segmentBytes: 2048 }
`;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-core-diff-'));
  await writeFile(at('slipway.yaml'), yaml);
  studio = await createStudio({ workspacePath: folder });
});
afterEach(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

async function files(older: Uint8Array | string, newer: Uint8Array | string) {
  await writeFile(at('old.bin'), older);
  await writeFile(at('new.bin'), newer);
  return { old: { file: at('old.bin') }, new: { file: at('new.bin') } };
}

const problemOf = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'none',
    (error: { problem: { code: string } }) => error.problem.code,
  );

test('two packages are compared where the memory map puts them, by the sectors of the component', async () => {
  const ids: string[] = [];
  for (const version of [0, 1]) {
    await writeFile(at(`app-${version}.bin`), firmwareLike(30_000, version));
    const pkg = await studio.ask('bundle.create', {
      productId: 'P',
      version: `1.${version}.0`,
      componentId: 'APP',
      files: [at(`app-${version}.bin`)],
    });
    ids.push(pkg.id);
  }
  const [older = '', newer = ''] = ids;
  const { diffId, report } = await studio.ask('delta.diff', {
    old: { packageId: older },
    new: { packageId: newer },
  });
  expect(report.old).toMatchObject({ name: 'app-0.bin', placed: 'memory-map' });
  expect(report.areas[0]?.start).toBe(0x0800_4000);
  expect(report.sectors).toMatchObject({ sizeBytes: 2048, from: 'component', total: 15 });
  expect(report.sectors.regions.map(({ name, total }) => [name, total])).toEqual([
    ['boot', 0],
    ['slot', 15],
  ]);
  const [run] = report.runs.listed;
  const page = await studio.ask('delta.diff.bytes', {
    diffId,
    address: run?.start ?? 0,
    sizeBytes: 16,
  });
  const offset = (run?.start ?? 0) - 0x0800_4000;
  expect(page.old.bytes).toEqual(firmwareLike(30_000, 0).slice(offset, offset + 16));
  expect(page.new.bytes).toEqual(firmwareLike(30_000, 1).slice(offset, offset + 16));
  const delta = await studio.ask('delta.create', {
    sourcePackageId: older,
    targetPackageId: newer,
  });
  const map = await studio.ask('delta.operations', { packageId: delta.id });
  expect(map.targetSizeBytes).toBe(30_000);
  const { patchSizeBytes } = delta.deltaProof ?? {};
  expect(patchSizeBytes).toBeGreaterThan(0);
});

test('pages of text records are read without the file, holes and all', async () => {
  const text = (byte: number): string =>
    sRecords([0x100, Buffer.alloc(8, byte)], [0x200, Buffer.alloc(8, byte)]);
  const { diffId, report } = await studio.ask('delta.diff', await files(text(1), text(2)));
  expect(report).toMatchObject({ totals: { changedBytes: 16 }, old: { placed: 'file' } });
  const page = await studio.ask('delta.diff.bytes', { diffId, address: 0x0fc, sizeBytes: 0x110 });
  expect(page.old.holes).toEqual([
    { start: 0, sizeBytes: 4 },
    { start: 12, sizeBytes: 0xf8 },
    { start: 0x10c, sizeBytes: 4 },
  ]);
  expect([page.old.bytes[4], page.new.bytes[4], page.new.bytes[12]]).toEqual([1, 2, 0]);
});

test('a page is bounded, and an archive is compared by its offsets unless an address is given', async () => {
  const order = await files('PK\u0003\u0004 archive', 'PK\u0003\u0004 Archive');
  const { diffId, report } = await studio.ask('delta.diff', { ...order, productId: 'P' });
  expect([report.old.placed, report.areas[0]?.start]).toEqual(['offset', 0]);
  const tooMuch = { diffId, address: 0, sizeBytes: mostPageBytes + 1 };
  expect(await problemOf(studio.ask('delta.diff.bytes', tooMuch))).toBe('bad-request');
  const given = await studio.ask('delta.diff', { ...order, address: 0x9000, sectorBytes: 512 });
  expect(given.report).toMatchObject({
    old: { placed: 'given' },
    areas: [{ start: 0x9000 }],
    sectors: { sizeBytes: 512, from: 'given' },
  });
});

test('bytes of a file that was changed since are not shown as if they had been compared', async () => {
  const { diffId } = await studio.ask('delta.diff', await files('old image', 'new image'));
  const page = { diffId, address: 0, sizeBytes: 9 };
  expect((await studio.ask('delta.diff.bytes', page)).new.bytes.length).toBe(9);
  await writeFile(at('new.bin'), 'NEW IMAGE');
  await utimes(at('new.bin'), new Date(0), new Date(0));
  expect(await problemOf(studio.ask('delta.diff.bytes', page))).toBe('diff-file-changed');
});

test('the last four comparisons are kept, and a closed one is told', async () => {
  const order = await files('one', 'two');
  const ids: string[] = [];
  for (let count = 0; count < 5; count++) ids.push((await studio.ask('delta.diff', order)).diffId);
  const read = (diffId = ''): Promise<string> =>
    problemOf(studio.ask('delta.diff.bytes', { diffId, address: 0, sizeBytes: 1 }));
  expect(await read(ids[0])).toBe('diff-closed');
  expect(await read(ids[1])).toBe('none');
  await studio.ask('delta.diff.close', { diffId: ids[1] ?? '' });
  await studio.ask('delta.diff.close', { diffId: ids[1] ?? '' });
  expect(await read(ids[1])).toBe('diff-closed');
});

test('comparing tells how far it is, and can be cancelled', async () => {
  const order = await files(new Uint8Array(40_000_000), new Uint8Array(40_000_000).fill(1));
  const seen: Job[] = [];
  const stop = studio.subscribe((event) => {
    if (event.type !== 'job' || event.job.kind !== 'delta.diff') return;
    seen.push(event.job);
    if (event.job.step === 'Comparing' && event.job.state === 'running')
      void studio.ask('jobs.cancel', { jobId: event.job.id });
  });
  await expect(studio.ask('delta.diff', order)).rejects.toMatchObject({ name: 'AbortError' });
  stop();
  expect(seen.find(({ step }) => step === 'Comparing')).toMatchObject({
    unit: 'bytes',
    total: 40_000_000,
  });
  expect(seen.at(-1)?.state).toBe('cancelled');
});

test('more than a file may have is refused', async () => {
  const order = await files(new Uint8Array(100 * 1024 * 1024 + 1), 'x');
  expect(await problemOf(studio.ask('delta.diff', order))).toBe('diff-too-large');
});
