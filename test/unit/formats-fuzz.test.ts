import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import { IntelHexReader } from '../../shared/formats/intel-hex.ts';
import type { Report } from '../../shared/formats/report.ts';
import { SRecordReader } from '../../shared/formats/s-record.ts';
import { sniff } from '../../shared/formats/sniff.ts';
import { bundleRules } from '../../shared/messages/bundle-rules.ts';
import { tarHeader, zip } from '../support/archives.ts';

const ascii = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));
/** Most memory that a file of a few kilobytes may cost, whatever it announces. */
const mostBytes = 64 * 1024 * 1024;

function sRecord(type: number, address: number, data: readonly number[]): string {
  const width = [2, 2, 3, 4, 0, 2, 3, 4, 3, 2][type] ?? 2;
  const bytes = [data.length + width + 1];
  for (let at = width - 1; at >= 0; at--) bytes.push((address >>> (8 * at)) & 0xff);
  bytes.push(...data);
  bytes.push(~bytes.reduce((sum, byte) => sum + byte, 0) & 0xff);
  return `S${type}${Buffer.from(bytes).toString('hex').toUpperCase()}\n`;
}

function hexRecord(type: number, address: number, data: readonly number[]): string {
  const bytes = [data.length, (address >>> 8) & 0xff, address & 0xff, type, ...data];
  bytes.push(-bytes.reduce((sum, byte) => sum + byte, 0) & 0xff);
  return `:${Buffer.from(bytes).toString('hex').toUpperCase()}\n`;
}

interface Reader {
  push(chunk: Uint8Array): void;
  finish(): unknown;
}

/** What a reader says about bytes that come in pieces of the given sizes (the last one repeats). */
function told(
  make: (report: Report) => Reader,
  bytes: Uint8Array,
  sizes: readonly number[],
): string[] {
  const findings: string[] = [];
  const reader = make((rule, detail, evidence) => {
    expect(bundleRules).toHaveProperty([rule]);
    findings.push(`${rule} ${detail} ${evidence?.offset ?? ''}`);
  });
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[Math.min(piece, sizes.length - 1)] ?? bytes.length;
    // A Buffer that is overwritten afterwards, as the window of a file is: what must be kept has to be copied.
    const window = Buffer.from(bytes.subarray(at, at + size));
    reader.push(window);
    window.fill(0xaa);
    at += size;
  }
  reader.finish();
  return findings;
}

/** Bytes of seeds, cut, edited and with fields set to the extremes that parsers trip over. */
const mutations = (seeds: readonly Uint8Array[]) =>
  fc
    .tuple(
      fc.constantFrom(...seeds),
      fc.array(fc.tuple(fc.nat(), fc.constantFrom(0x00, 0x7f, 0x80, 0xff, 0x30, 0x39, 0x0a)), {
        maxLength: 6,
      }),
      fc.option(fc.tuple(fc.nat(), fc.constantFrom(0, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff))),
      fc.option(fc.nat(), { freq: 3 }),
    )
    .map(([seed, edits, field, cut]) => {
      const bytes = Buffer.from(seed);
      for (const [at, value] of edits) bytes[at % bytes.length] = value;
      if (field) bytes.writeUInt32LE(field[1], field[0] % (bytes.length - 4));
      return cut === null ? bytes : bytes.subarray(0, cut % (bytes.length + 1));
    });

const records = ascii(
  sRecord(0, 0, [0x68, 0x69]) +
    sRecord(1, 0x100, [1, 2, 3, 4]) +
    sRecord(2, 0xff_fff0, [5, 6, 7]) +
    sRecord(3, 0xffff_fff8, [8, 9]) +
    sRecord(5, 3, []) +
    sRecord(7, 0, []),
);
const hexRecords = ascii(
  hexRecord(4, 0, [0x08, 0x00]) +
    hexRecord(0, 0, [1, 2, 3, 4]) +
    hexRecord(4, 0, [0xff, 0xff]) +
    hexRecord(0, 0xfff0, [5, 6, 7]) +
    hexRecord(2, 0, [0xff, 0xff]) +
    hexRecord(5, 0, [8, 0, 0, 1]) +
    hexRecord(1, 0, []),
);
const tar = Buffer.concat([
  tarHeader('a.bin', '00000000010\0', '0'),
  Buffer.alloc(512, 'data'),
  tarHeader('pax', '00000000014\0', 'x'),
  Buffer.concat([Buffer.from('12 path=x/y\n'), Buffer.alloc(500)]),
  tarHeader('b.bin', '77777777777\0', '0'),
  Buffer.alloc(2048),
]);

describe('readers of records', () => {
  test.each([
    ['S-record', (report: Report): Reader => new SRecordReader(report), [records]],
    ['Intel HEX', (report: Report): Reader => new IntelHexReader(report), [hexRecords]],
  ] as const)('%s: any bytes, in any pieces, give the same findings', (_name, make, seeds) => {
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 4, arbitrary: mutations(seeds) },
          { weight: 1, arbitrary: fc.uint8Array({ maxLength: 3000 }) },
        ),
        fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 5 }),
        (bytes, sizes) => {
          expect(told(make, bytes, sizes)).toEqual(told(make, bytes, [bytes.length || 1]));
        },
      ),
      { numRuns: 400 },
    );
  });

  test('records at both ends of the address space cost the bytes they hold, not the gap', () => {
    const before = process.memoryUsage().arrayBuffers;
    for (const reader of [
      new SRecordReader(() => undefined),
      new IntelHexReader(() => undefined),
    ]) {
      reader.push(reader instanceof SRecordReader ? records : hexRecords);
      const { segments } = reader.finish();
      const held = segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
      expect(held).toBeLessThan(100);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(mostBytes);
  });

  test('sniffing any bytes gives a name', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 600 }), mutations([records, hexRecords, tar])),
        fc.option(fc.uint8Array({ maxLength: 512 }), { nil: undefined }),
        (head, tail) => {
          expect(sniff(head, tail)).toMatch(/^[a-z0-9-]+$/);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe('archives that lie', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slipway-fuzz-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const context = { signal: new AbortController().signal, onProgress: () => undefined };

  const content = Buffer.from('firmware '.repeat(300));
  test.each([
    ['fuzz.zip', [zip('a.bin', content)]],
    ['fuzz.gz', [gzipSync(content), Buffer.concat([gzipSync(content), gzipSync(content)])]],
    ['fuzz.tar', [tar]],
    ['fuzz.tar.gz', [gzipSync(tar)]],
    ['fuzz.s19', [records]],
    ['fuzz.hex', [hexRecords]],
  ] as const)('%s: never a crash, a hang or more than a little memory', async (name, seeds) => {
    const path = join(folder, name);
    const before = process.memoryUsage().arrayBuffers;
    await fc.assert(
      fc.asyncProperty(mutations(seeds), async (bytes) => {
        await writeFile(path, bytes);
        const report = await inspectFiles(
          { files: [{ path, name }], fileTypes: [`.${name.split('.').at(-1)}`] },
          context,
        );
        expect(report.files[0]?.findings.map(({ rule }) => rule)).toContain('file.hash');
        expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(mostBytes);
      }),
      { numRuns: 120 },
    );
  });

  test('the seeds themselves are sound', async () => {
    for (const [name, bytes] of [
      ['sound.zip', zip('a.bin', content)],
      ['sound.gz', gzipSync(content)],
    ] as const) {
      const path = join(folder, name);
      await writeFile(path, bytes);
      const files = [{ path, name }];
      expect((await inspectFiles({ files, fileTypes: ['.zip', '.gz'] }, context)).verdict).toBe(
        'pass',
      );
    }
  });
});
