import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bzip2Crc } from '../../shared/formats/bzip2-format.ts';
import { BlockTransform } from '../../shared/formats/block-transform.ts';
import { Bzip2Reader } from '../../shared/formats/bzip2-reader.ts';
import { Bzip2Writer } from '../../shared/formats/bzip2-writer.ts';
import { SuffixSorter } from '../../shared/formats/suffix-sort.ts';

/** Bytes of runs: short ones, and long ones around the limits of the run-length coding. */
const runs = (most: number) =>
  fc
    .array(
      fc.tuple(
        fc.constantFrom(0, 1, 97, 98, 255),
        fc.oneof(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 250, max: 520 })),
      ),
      { maxLength: most },
    )
    .map((list) =>
      Uint8Array.from(list.flatMap(([byte, size]) => Array.from({ length: size }, () => byte))),
    );

function compress(bytes: Uint8Array, pieceBytes: number, transform?: BlockTransform): Uint8Array {
  const writer = new Bzip2Writer(transform);
  for (let at = 0; at < bytes.length; at += pieceBytes)
    writer.push(bytes.subarray(at, at + pieceBytes));
  return writer.finish();
}

function expand(packed: Uint8Array, sizeBytes: number, pieceBytes = sizeBytes + 1): Uint8Array {
  const reader = new Bzip2Reader(packed);
  const bytes = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; at += pieceBytes)
    expect(reader.read(bytes.subarray(at, at + pieceBytes))).toBe(
      Math.min(pieceBytes, sizeBytes - at),
    );
  reader.finish();
  return bytes;
}

test('suffixes are sorted as by comparison, and one sorter serves texts of any size in any order', () => {
  const sorter = new SuffixSorter();
  fc.assert(
    fc.property(fc.array(fc.nat(3), { maxLength: 60 }), (symbols) => {
      const suffix = (at: number): string => symbols.slice(at).join('');
      const expected = symbols.map((_, at) => at).sort((a, b) => (suffix(a) < suffix(b) ? -1 : 1));
      expect([...sorter.sort(Int32Array.from(symbols), 4)]).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test('what is written is read again, whatever the runs and the pieces', () => {
  const transform = new BlockTransform();
  fc.assert(
    fc.property(
      fc.oneof(runs(40), fc.uint8Array({ maxLength: 3000 })),
      fc.integer({ min: 1, max: 700 }),
      (bytes, pieceBytes) => {
        const packed = compress(bytes, pieceBytes, transform);
        expect(Buffer.compare(expand(packed, bytes.length, pieceBytes), bytes)).toBe(0);
      },
    ),
    { numRuns: 150 },
  );
});

test('several blocks follow each other, with a run across the border', () => {
  const bytes = new Uint8Array(2_000_000);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Math.imul(at, 0x9e3779b1) >>> 24;
  bytes.fill(7, 899_000, 901_000);
  const packed = compress(bytes, 65_536);
  expect(Buffer.compare(expand(packed, bytes.length, 10_007), bytes)).toBe(0);
});

test('a damaged stream is an error that says why, never wrong bytes', () => {
  const bytes = Uint8Array.from({ length: 5000 }, (_, at) => (at * at) >> 5);
  const packed = compress(bytes, 5000);
  fc.assert(
    fc.property(
      fc.nat(packed.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      (at, flip, isCut) => {
        const damaged = isCut ? packed.slice(0, at) : packed.slice();
        if (!isCut) damaged[at] = (damaged[at] ?? 0) ^ flip;
        let read: Uint8Array | null = null;
        try {
          read = expand(damaged, bytes.length);
        } catch (error) {
          expect((error as Error).message).toMatch(/bzip2/);
        }
        // The padding bits of the last byte mean nothing.
        if (read) expect(Buffer.compare(read, bytes)).toBe(0);
      },
    ),
    { numRuns: 600 },
  );
});

test('a stream that is cut anywhere is told as ending early', () => {
  const packed = compress(
    Uint8Array.from({ length: 3000 }, (_, at) => (at * at) >> 5),
    3000,
  );
  for (let size = 4; size < packed.length; size++)
    expect(() => expand(packed.subarray(0, size), 3000), `${size} bytes`).toThrow('ends early');
});

test('a CRC is the same bit by bit, through zeros of any length at any place', () => {
  const bitByBit = (bytes: Uint8Array): number => {
    let crc = -1;
    for (const byte of bytes) {
      crc ^= byte << 24;
      for (let bit = 0; bit < 8; bit++) crc = crc < 0 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
    }
    return crc;
  };
  const sparse = fc
    .array(fc.tuple(fc.integer({ min: 1, max: 255 }), fc.integer({ min: 0, max: 300 })))
    .map((list) =>
      Uint8Array.from(list.flatMap(([byte, zeros]) => [byte, ...new Uint8Array(zeros)])),
    );
  fc.assert(
    fc.property(sparse, fc.nat(3), (bytes, start) => {
      const piece = bytes.subarray(start);
      expect(bzip2Crc(-1, bytes, Math.min(start, bytes.length), bytes.length)).toBe(
        bitByBit(piece),
      );
    }),
  );
});
