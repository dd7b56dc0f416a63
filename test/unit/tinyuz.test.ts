import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TinyuzReader, tinyuzDictionary } from '../../shared/formats/tinyuz-reader.ts';
import { compressTinyuz } from '../../shared/formats/tinyuz-writer.ts';
import { firmwareLike } from '../support/patches.ts';
import { seededRandom } from '../support/seeded-random.ts';

const mostBytes = 1 << 26;

/** Decompresses in pieces of some size, whole or growing. */
function decompress(
  packed: Uint8Array,
  sizeBytes: number,
  pieceBytes = 4096,
  isWhole = false,
): Uint8Array {
  const reader = new TinyuzReader(packed, mostBytes, isWhole);
  const out = new Uint8Array(sizeBytes);
  for (let at = 0; at < sizeBytes; ) {
    const filled = reader.read(out.subarray(at, Math.min(sizeBytes, at + pieceBytes)));
    if (filled === 0) throw new Error('it ends early');
    at += filled;
  }
  reader.finish();
  return out;
}

const isSame = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

/** Bytes with repeats near and far, and with runs. */
const anyBytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.tuple(fc.nat(255), fc.nat(3000)).map(([byte, size]) => new Uint8Array(size).fill(byte)),
      fc.tuple(fc.nat(4000), fc.nat(1)).map(([size, version]) => firmwareLike(size, version)),
    ),
    { maxLength: 6 },
  )
  .map((parts) => Uint8Array.from(parts.flatMap((part) => [...part])));

describe('tinyuz', () => {
  test('what was compressed comes back, read in pieces of any size', () => {
    fc.assert(
      fc.property(anyBytes, fc.integer({ min: 1, max: 5000 }), fc.boolean(), (plain, size, whole) =>
        isSame(decompress(compressTinyuz(plain, 3000), plain.length, size, whole), plain),
      ),
      { numRuns: 60 },
    );
  });

  test('the dictionary is what the matches need, and never more than allowed', () => {
    const block = firmwareLike(5000, 0);
    const plain = Uint8Array.from([...block, ...firmwareLike(20_000, 3).reverse(), ...block]);
    const wide = compressTinyuz(plain, 1 << 20);
    expect(tinyuzDictionary(wide)).toBe(25_000);
    for (const most of [1, 2, 127, 128, 640, 4096, 24_999]) {
      const packed = compressTinyuz(plain, most);
      expect(tinyuzDictionary(packed)).toBeLessThanOrEqual(most);
      expect(packed.length).toBeGreaterThan(wide.length);
      expect(isSame(decompress(packed, plain.length), plain)).toBe(true);
    }
  });

  test('what cannot be compressed grows by a few bytes only, and a run of a megabyte takes few', () => {
    const random = seededRandom(1);
    const noise = Uint8Array.from({ length: 20_000 }, () => 256 * random());
    expect(compressTinyuz(noise, 1 << 16).length).toBeLessThan(noise.length + 64);
    expect(compressTinyuz(new Uint8Array(1 << 20), 1 << 16).length).toBeLessThan(128);
  });

  test('an empty stream, and one of a single byte', () => {
    for (const plain of [new Uint8Array(0), Uint8Array.of(7)])
      expect(isSame(decompress(compressTinyuz(plain, 64), plain.length), plain)).toBe(true);
  });
});

describe('a damaged tinyuz stream', () => {
  const plain = firmwareLike(3000, 0);
  const packed = compressTinyuz(plain, 2048);

  test('that ends early is told at every length', () => {
    for (let size = 0; size < packed.length; size++)
      expect(() => decompress(packed.subarray(0, size), plain.length)).toThrow(/ends early/);
  });

  test('that goes on behind its end, or makes more than is wanted, is told', () => {
    expect(() => decompress(Uint8Array.from([...packed, 0]), plain.length)).toThrow(/longer/);
    expect(() => decompress(packed, plain.length - 1)).toThrow(/longer/);
  });

  const broken: readonly (readonly [string, readonly number[], RegExp])[] = [
    ['without a dictionary', [0, 0, 0, 0, 0], /without a dictionary/],
    ['with an absurd dictionary', [255, 255, 255, 255, 0], /dictionary of 4294967295 bytes/],
    // A match of two bytes, five back.
    ['with a match before its beginning', [16, 0, 0, 0, 0b000, 5], /before what it can reach/],
    // The length 0 at the distance 0.
    ['with an unknown control', [16, 0, 0, 0, 0b000, 0], /unknown control 0/],
    [
      'with an endless length',
      [16, 0, 0, 0, 0b1111_1110, ...new Uint8Array(64).fill(255)],
      /absurdly large/,
    ],
  ];
  test.each(broken)('%s', (_name, bytes, expected) => {
    expect(() => decompress(Uint8Array.from(bytes), 100)).toThrow(expected);
  });

  test('made of a million ends of clips is read to its end', () => {
    // Each is the control 2 at the distance 0: a bit that says match, 2 in four bits, and the byte of the distance.
    const clips = new Uint8Array(2_000_000);
    for (let at = 0; at < clips.length; at += 2) clips[at] = 0b0100;
    const stream = Uint8Array.from([16, 0, 0, 0, ...clips]);
    expect(() => decompress(stream, 100)).toThrow(/ends early/);
  });

  test('of any other bytes ends with an error or with bytes, and takes no more than its dictionary', () => {
    fc.assert(
      fc.property(fc.nat(packed.length - 1), fc.nat(255), (at, byte) => {
        const changed = packed.slice();
        changed[at] = byte;
        try {
          decompress(changed, plain.length);
        } catch (error) {
          if (!(error instanceof Error) || !/tinyuz|it ends early/.test(error.message)) throw error;
        }
      }),
      { numRuns: 300 },
    );
  });
});
