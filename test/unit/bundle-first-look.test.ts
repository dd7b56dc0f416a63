import { randomUUID } from 'node:crypto';
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { StudioEvent } from '../../shared/contract/contract.ts';
import { headText } from '../../shared/formats/head-text.ts';
import { sniff, sniffHeadBytes } from '../../shared/formats/sniff.ts';
import { tarHeader, zip } from '../support/archives.ts';
import { imgtoolImage } from '../support/mcuboot-images.ts';
import { makePatch } from '../support/patches.ts';

let folder: string;
let studio: Studio;
const events: StudioEvent[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-look-'));
  studio = await createStudio({ workspacePath: null });
  studio.subscribe((event) => events.push(event));
});
afterAll(async () => {
  await studio.close();
  rmSync(folder, { recursive: true, force: true });
});

function put(name: string, bytes: Uint8Array | string): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function beginning(path: string): Buffer {
  const head = Buffer.alloc(sniffHeadBytes);
  const file = openSync(path, 'r');
  const length = readSync(file, head, 0, head.length, 0);
  closeSync(file);
  return head.subarray(0, length);
}

/** A gzip header with an extra field and a name, as `gzip` and `pigz -K` write them (RFC 1952). */
function gzipWithName(name: string): Buffer {
  const fixed = Buffer.from([0x1f, 0x8b, 8, 4 | 8, 0, 0, 0, 0, 0, 3, 2, 0, 0xaa, 0xbb]);
  return Buffer.concat([fixed, Buffer.from(`${name}\0`), gzipSync('x').subarray(10)]);
}

function espImage(withDescriptor: boolean): Buffer {
  const bytes = Buffer.alloc(300);
  bytes.set([0xe9, 3, 2, 0x20, 0, 0, 8, 0x40]);
  bytes.writeUInt16LE(9, 12);
  if (!withDescriptor) return bytes;
  bytes.writeUInt32LE(0xabcd_5432, 32);
  bytes.write('2.4.1', 48);
  bytes.write('meter', 80);
  return bytes;
}

function uf2Block(flags: number): Buffer {
  const block = Buffer.alloc(512);
  block.writeUInt32LE(0x0a32_4655, 0);
  block.writeUInt32LE(0x9e5d_5157, 4);
  block.writeUInt32LE(flags, 8);
  block.writeUInt32LE(0x1000_0000, 12);
  block.writeUInt32LE(77, 24);
  block.writeUInt32LE(0xe48b_ff56, 28);
  return block;
}

function uimage(name: string): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32BE(0x2705_1956, 0);
  header.write(name, 32);
  return header;
}

const tree = Buffer.from([0xd0, 0x0d, 0xfe, 0xed, 0, 0, 4, 0]);
const image = 'resources/sample/firmware/sensor-1.1.0.bin';

test.each<[string, Uint8Array, string | null]>([
  ['elf', Buffer.from(`\x7fELF\x01\x01${'\0'.repeat(12)}\x28\0`, 'latin1'), '32 bit, Arm'],
  ['elf', Buffer.from(`\x7fELF\x02\x02${'\0'.repeat(12)}\x00\x08`, 'latin1'), '64 bit, MIPS'],
  ['mcuboot', imgtoolImage('ecdsa'), 'version 1.2.3+4, 96 bytes of image'],
  ['esp-image', espImage(true), 'ESP32-S3, project "meter", version "2.4.1"'],
  ['esp-image', espImage(false), 'ESP32-S3, 3 segments'],
  ['uimage', uimage('Linux 6.1'), 'name "Linux 6.1"'],
  ['fit', tree, '1024 bytes of device tree'],
  ['uf2', uf2Block(0x2000), '77 blocks, family 0xE48BFF56, from 0x10000000'],
  ['uf2', uf2Block(0), '77 blocks, no family, from 0x10000000'],
  ['zip', zip('app/fw.bin', Buffer.from('x')), 'first member "app/fw.bin"'],
  ['tar', tarHeader('rootfs/etc/passwd', '00000000000\0', '0'), 'first member "rootfs/etc/passwd"'],
  ['gzip', gzipWithName('fw.bin'), 'holds "fw.bin"'],
  ['gzip', gzipSync('no name'), null],
  [
    'bsdiff40',
    makePatch(Buffer.from('old'), Buffer.from('newer'), { format: 'bsdiff', compression: null }),
    'rebuilds 5 bytes',
  ],
  ['s-record', Buffer.from('S00600004844521B\n'), 'header "HDR"'],
  ['s-record', Buffer.from('S1137AF00A0A0D0000000000000000000000000061\n'), null],
  ['cortex-m', readFileSync(image), 'stack pointer 0x20005000, reset handler 0x08000069'],
  ['text', Buffer.from('hello'), null],
  ['constructor', Buffer.from('hello'), null],
])('the beginning of %s tells what it is', (format, bytes, expected) => {
  if (format !== 'constructor') expect(sniff(bytes)).toBe(format);
  expect(headText(format, bytes.subarray(0, sniffHeadBytes))).toBe(expected);
});

test('a real executable is told by its beginning', () => {
  expect(headText('elf', beginning(process.execPath))).toMatch(/^64 bit, (x86-64|AArch64)$/);
});

test('no beginning makes the look fail or tell more than a line', () => {
  const formats = 'elf mcuboot esp-image uimage fit uf2 zip tar gzip bsdiff40 s-record cortex-m';
  fc.assert(
    fc.property(
      fc.constantFrom(...formats.split(' ')),
      fc.uint8Array({ maxLength: 700 }),
      (format, head) => (headText(format, head)?.length ?? 0) < 200,
    ),
    { numRuns: 2000 },
  );
});

test('a first look at every file comes before anything is read, each file as soon as it is read, then the report', async () => {
  const files = [
    put('wrong-name.s19', Buffer.concat([Buffer.from('PK\x03\x04'), Buffer.alloc(3_000_000)])),
    put('empty.bin', ''),
    put('noise.bin', Buffer.alloc(5_000_000, 'noise')),
  ];
  const jobId = randomUUID();
  events.length = 0;
  const report = await studio.ask('bundle.inspect', { files, jobId });
  const seen = events.flatMap((event) => (event.type === 'file-so-far' ? [event] : []));
  expect(seen.every((event) => event.jobId === jobId)).toBe(true);
  expect(seen.map(({ file }) => `${file.index}${file.sha256 === null ? '' : ' read'}`)).toEqual([
    '0',
    '1',
    '2',
    '0 read',
    '1 read',
    '2 read',
  ]);
  expect(seen[0]?.file).toMatchObject({
    name: 'wrong-name.s19',
    sizeBytes: 3_000_004,
    format: 'zip',
    findings: [{ rule: 'file.type-mismatch', verdict: 'block' }],
  });
  expect(seen[1]?.file.findings.map(({ rule }) => rule)).toEqual(['file.empty']);
  expect(events.map(({ seq }) => seq)).toEqual(
    events.map((_event, index) => (events[0]?.seq ?? 0) + index),
  );
  const firstProgress = events.findIndex((event) => event.type === 'job' && event.job.done > 0);
  const lastLook = events.findIndex((event) => event === seen[2]);
  expect(lastLook).toBeLessThan(firstProgress);
  // What was told of a file is still true at the end, and the whole report says at least as much.
  for (const { file } of seen) {
    const rules = report.files[file.index]?.findings.map(({ rule }) => rule);
    for (const { rule } of file.findings) expect(rules).toContain(rule);
    expect([null, report.files[file.index]?.sha256]).toContain(file.sha256);
  }
  expect(events.filter((event) => event.type === 'job').at(-1)).toMatchObject({
    job: { id: jobId, state: 'succeeded' },
  });
});

test('a job identifier is used once, and a file that is missing is a problem before any look', async () => {
  const jobId = randomUUID();
  const file = put('fine.bin', 'fine');
  await studio.ask('bundle.inspect', { files: [file], jobId });
  expect(await studio.call('bundle.inspect', { files: [file], jobId })).toMatchObject({
    ok: false,
    error: { code: 'job-id-used' },
  });
  events.length = 0;
  const missing = [file, join(folder, 'missing.bin')];
  expect(await studio.call('bundle.inspect', { files: missing })).toMatchObject({ ok: false });
  expect(events.some((event) => event.type === 'file-so-far')).toBe(false);
});
