import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { InspectReport } from '../../shared/domain/finding.ts';
import { entryPath } from '../../electron/worker/run-task.ts';
import { runMeasured } from '../bench/measure.ts';
import { tarHeader, tarSize } from '../support/archives.ts';
import { InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const megabyte = 1024 * 1024;
/** Of processor time, which other work on the machine does not change; most take well under one. */
const mostCpuMs = 10_000;
const mostRssBytes = 256 * megabyte;

/** Bytes of equal parts, each changed by its index. */
function repeated(
  count: number,
  part: Uint8Array,
  change?: (bytes: Buffer, index: number) => void,
) {
  const all = Buffer.alloc(count * part.length, part);
  if (change !== undefined)
    for (let index = 0; index < count; index += 1)
      change(all.subarray(index * part.length, (index + 1) * part.length), index);
  return all;
}

/** A device tree around a block of structure. */
function tree(structure: Uint8Array): Buffer {
  const head = Buffer.alloc(56);
  const end = Buffer.from([0, 0, 0, 9]);
  const total = head.length + structure.length + end.length;
  const words = [0xd00dfeed, total, 56, total, 40, 17, 16, 0, 0, structure.length + end.length];
  for (const [index, word] of words.entries()) head.writeUInt32BE(word >>> 0, index * 4);
  return Buffer.concat([head, structure, end]);
}
const beginNode = Buffer.from([0, 0, 0, 1, 0, 0, 0, 0]);
const endNode = Buffer.from([0, 0, 0, 2]);

/** A 32-bit ELF file with so many headers of either kind, all of them overlapping. */
function elf(sections: number, programs: number): Buffer {
  const header = Buffer.alloc(52);
  header.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  header.writeUInt16LE(2, 16);
  header.writeUInt16LE(40, 18);
  header.writeUInt32LE(52, 28);
  header.writeUInt32LE(52 + programs * 32, 32);
  for (const [index, value] of [52, 32, programs, 40, sections, sections - 1].entries())
    header.writeUInt16LE(value, 40 + 2 * index);
  const program = Buffer.alloc(32);
  for (const [index, value] of [1, 0, 0x0800_0000, 0x0800_0000, 64, 64].entries())
    program.writeUInt32LE(value, index * 4);
  const section = Buffer.alloc(40);
  section.writeUInt32LE(1, 4);
  section.writeUInt32LE(megabyte, 20);
  return Buffer.concat([
    header,
    repeated(programs, program, (bytes, index) =>
      bytes.writeUInt32LE(0x0800_0000 + (index % 97) * 8, 12),
    ),
    repeated(sections, section),
  ]);
}

function uf2(count: number, change: (bytes: Buffer, index: number) => void): Buffer {
  const block = Buffer.alloc(512);
  const words = [0x0a324655, 0x9e5d5157, 0x2000, 0x1000_0000, 256, 0, count, 0xe48b_ff56];
  for (const [index, word] of words.entries()) block.writeUInt32LE(word, index * 4);
  block.writeUInt32LE(0x0ab16f30, 508);
  return repeated(count, block, change);
}

function sRecord(address: number, data: number): string {
  const bytes = Buffer.from([6, 0, 0, 0, 0, data, 0]);
  bytes.writeUInt32BE(address, 1);
  bytes[6] = ~bytes.subarray(0, 6).reduce((sum, byte) => sum + byte, 0);
  return `S3${bytes.toString('hex').toUpperCase()}\n`;
}

/** Single bytes at both ends of the address space in turns, each at a place of its own. */
function scattered(records: number): Buffer {
  const lines = Array.from({ length: records }, (_, index) =>
    sRecord(index % 2 === 0 ? index * 4 : 0xffff_fff0 - index * 4, index & 0xff),
  );
  return Buffer.from(`${lines.join('')}S70500000000FA\n`);
}

function intelHex(dataBytes: number): Buffer {
  const lines: string[] = [];
  for (let at = 0; at < dataBytes; at += 32) {
    if (at % 65_536 === 0) lines.push(hexLine(0, 4, Buffer.from([at >>> 24, (at >>> 16) & 0xff])));
    lines.push(hexLine(at & 0xffff, 0, Buffer.alloc(32, at >>> 5)));
  }
  return Buffer.from(`${lines.join('')}:00000001FF\n`);
}

function hexLine(address: number, type: number, data: Buffer): string {
  const bytes = Buffer.concat([
    Buffer.from([data.length, address >>> 8, address & 0xff, type]),
    data,
  ]);
  const sum = -bytes.reduce((total, byte) => total + byte, 0) & 0xff;
  return `:${bytes.toString('hex')}${sum.toString(16).padStart(2, '0')}\n`.toUpperCase();
}

const centralEntry = Buffer.alloc(47);
centralEntry.writeUInt32LE(0x02014b50, 0);
centralEntry.writeUInt16LE(1, 28);
centralEntry[46] = 0x61;

function zipDirectory(entries: number): Buffer {
  const directory = repeated(entries, centralEntry);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(0xffff, 8);
  end.writeUInt16LE(0xffff, 10);
  end.writeUInt32LE(directory.length, 12);
  return Buffer.concat([directory, end]);
}

const paxLie = (size: string): Buffer => {
  const record = `${` size=${size}\n`.length + 2} size=${size}\n`;
  return Buffer.concat([
    tarHeader('pax', tarSize(record.length), 'x'),
    Buffer.concat([Buffer.from(record), Buffer.alloc(512 - record.length)]),
    tarHeader('a.bin', tarSize(10), '0'),
    Buffer.alloc(1536),
  ]);
};

describe('files made to stop the inspection', () => {
  it.each([
    [
      'a million device tree nodes',
      'nodes.dtb',
      () => tree(repeated(1_000_000, Buffer.concat([beginNode, endNode]))),
      'fit.',
    ],
    [
      'a million nodes in each other',
      'deep.dtb',
      () => tree(Buffer.concat([repeated(1_000_000, beginNode), repeated(1_000_000, endNode)])),
      'fit.',
    ],
    ['an ELF file with 65,535 sections', 'sections.elf', () => elf(65_535, 1), 'elf.'],
    [
      'an ELF file with 65,534 segments over each other',
      'segments.elf',
      () => elf(1, 65_534),
      'elf.',
    ],
    [
      'UF2 blocks that count to four billion',
      'count.uf2',
      () =>
        uf2(20_000, (bytes, index) => {
          bytes.writeUInt32LE(index, 20);
          bytes.writeUInt32LE(0xffff_ffff, 24);
        }),
      'uf2.incomplete',
    ],
    [
      'UF2 blocks each of another family',
      'families.uf2',
      () =>
        uf2(100_000, (bytes, index) => {
          bytes.writeUInt32LE(index, 28);
        }),
      'uf2.',
    ],
    [
      'UF2 blocks far from each other',
      'scattered.uf2',
      () =>
        uf2(100_000, (bytes, index) => {
          bytes.writeUInt32LE((index * 0x9e3779b1) >>> 0, 12);
          bytes.writeUInt32LE(index, 20);
        }),
      'uf2.',
    ],
    ['S-records with gaps of 4 GB', 'gaps.s19', () => scattered(200_000), 's-record.order'],
    ['16 MiB of Intel HEX data', 'large.hex', () => intelHex(16 * megabyte), 'file.hash'],
    [
      '1 MB of beginnings of private keys',
      'keys.bin',
      () => repeated(200_000, Buffer.from('302e020100', 'hex')),
      'file.hash',
    ],
    [
      '64 MB of beginnings of certificates',
      'certificates.bin',
      () => Buffer.alloc(64 * megabyte, Buffer.from('3082010030820080a003020102', 'hex')),
      'file.hash',
    ],
    ['a million entries in a zip directory', 'entries.zip', () => zipDirectory(1_000_000), 'zip.'],
    [
      'a million members of a tar',
      'members.tar.gz',
      () => gzipSync(repeated(1_000_000, tarHeader('a', tarSize(0), '0')), { level: 1 }),
      'archive.limit',
    ],
    ['a pax size of 8 EB', 'pax.tar', () => paxLie('9223372036854775807'), 'tar.'],
    [
      'one gigabyte of zeros as gzip',
      'zeros.bin.gz',
      () => gzipSync(Buffer.alloc(1024 * megabyte)),
      'gzip.bomb',
    ],
    [
      'gzip files in each other',
      'nested.gz',
      () => {
        let bytes = gzipSync(Buffer.alloc(10 * megabyte));
        for (let depth = 0; depth < 50; depth += 1) bytes = gzipSync(bytes);
        return bytes;
      },
      'archive.too-deep',
    ],
    [
      'two million lines without a record',
      'lines.s19',
      () => Buffer.from(`S00600004844521B\n${'S1\n'.repeat(2_000_000)}`),
      's-record.',
    ],
    [
      '16 MB of nested XML',
      'Maker.Pump.pdsc',
      () => Buffer.alloc(16 * megabyte - 1, '<a>'),
      'cmsis-pack.not-xml',
    ],
    ['a script of brackets', 'brackets.py', () => Buffer.alloc(250_000, '('), 'script.'],
    [
      'absurd sizes behind the magic of a patch',
      'patch.bin',
      () =>
        Buffer.concat([
          Buffer.from('BSDIFF40'),
          Buffer.alloc(24, 0xff),
          Buffer.alloc(megabyte, 'x'),
        ]),
      'patch.',
    ],
  ] as const)('%s are inspected in bounded time and memory', (_name, file, make, expected) => {
    const path = join(bench.folder, file);
    writeFileSync(path, make());
    // A file that is refused ends the command with 1.
    const script = `"$0" "$@"; test $? -le 1`;
    const args = [
      '-c',
      script,
      process.execPath,
      entryPath('cli'),
      'bundle',
      'inspect',
      path,
      '--json',
    ];
    const { stdout, cpuMs, peakRssBytes } = runMeasured('sh', args);
    const report = JSON.parse(stdout) as InspectReport;
    const rules = report.files[0]?.findings.map(({ rule }) => rule) ?? [];
    expect(rules.join(' ')).toContain(expected);
    expect(rules).toContain('file.hash');
    expect(cpuMs).toBeLessThan(mostCpuMs);
    expect(peakRssBytes).toBeLessThan(mostRssBytes);
  });
});
