import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import { addressOverlap, storedSegments } from '../../shared/domain/address-overlap.ts';
import { sRecords } from '../support/s-records.ts';

const folder = mkdtempSync(join(tmpdir(), 'slipway-overlap-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function overlapsOf(files: Readonly<Record<string, string>>): Promise<string[]> {
  const context = { signal: new AbortController().signal, onProgress: () => undefined };
  const named = Object.entries(files).map(([name, text]) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return { path, name };
  });
  const report = await inspectFiles({ files: named, fileTypes: ['.s19'] }, context);
  return report.files.flatMap(({ name, findings }) =>
    findings
      .filter(({ rule }) => rule === 'package.address-overlap')
      .map(({ detail }) => `${name}: ${detail}`),
  );
}

const image = (fill: string, sizeBytes: number): Buffer => Buffer.alloc(sizeBytes, fill);

test('two files that would be written to the same addresses are told at the later one', async () => {
  const files = {
    'boot.s19': sRecords([0x0800_0000, image('boot', 0x200)]),
    'app.s19': sRecords([0x0800_0100, image('app', 0x200)]),
    'data.s19': sRecords([0x0800_0400, image('data', 0x40)]),
  };
  expect(await overlapsOf(files)).toEqual([
    'app.s19: 256 bytes are in "boot.s19" too, the first at 0x08000100',
  ]);
});

test('files that touch, and the same content twice, are no overlap', async () => {
  const first = sRecords([0x0800_0000, image('boot', 0x100)]);
  const next = sRecords([0x0800_0100, image('app', 0x100)]);
  expect(await overlapsOf({ 'a.s19': first, 'b.s19': next })).toEqual([]);
  expect(await overlapsOf({ 'a.s19': first, 'copy.s19': first })).toEqual([]);
});

test('shared runs are added up, and addresses that a cache maps are no places', () => {
  const one = [
    { start: 0, sizeBytes: 10 },
    { start: 20, sizeBytes: 10 },
  ];
  expect(addressOverlap(one, [{ start: 5, sizeBytes: 20 }])).toEqual({
    first: { start: 5, sizeBytes: 5 },
    sizeBytes: 10,
  });
  expect(addressOverlap(one, [{ start: 10, sizeBytes: 10 }])).toBeNull();
  expect(storedSegments({ format: 'esp-image', segments: one })).toEqual([]);
  expect(storedSegments({ format: 'elf', segments: one })).toEqual(one);
});
