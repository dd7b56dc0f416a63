import { describe, expect, test } from 'vitest';
import { inspectPatch } from '../../shared/delta/patch-inspector.ts';
import { readPatchHead } from '../../shared/delta/patch-head.ts';
import { applyPatch } from '../../shared/delta/patch-reader.ts';
import {
  allowedChoices,
  choicesFor,
  choiceText,
  deviceCost,
} from '../../shared/domain/delta-cost.ts';
import type { PatchChoice } from '../../shared/domain/delta.ts';
import { firmwareLike, makePatch, problemOf } from '../support/patches.ts';

const plain = { format: 'hdiffpatch', compression: 'none' } as const;
const packed = { format: 'hdiffpatch', compression: 'lzma' } as const;
const source = firmwareLike(100, 0);
const target = Uint8Array.from([...source.subarray(0, 60), 7, 8, 9, ...source.subarray(20)]);
const names = (choices: readonly PatchChoice[]): string[] => choices.map(choiceText);

type Streams = readonly (readonly number[])[];

/** A patch without compression, with the streams of copies, runs, their bytes and what is new. */
function patchOf(targetSizeBytes: number, covers: number, streams: Streams): Uint8Array {
  const sizes = streams.flatMap((stream) => [stream.length, 0]);
  const numbers = [targetSizeBytes, source.length, covers, ...sizes];
  const written = numbers.flatMap((one) => (one < 128 ? [one] : [0x80 | (one >> 7), one & 0x7f]));
  return Uint8Array.from([...Buffer.from('HDIFF13&\0'), ...written, ...streams.flat()]);
}

const oneCopy = [10, 2, 4];
/** Two stored differences, then zeros. */
const someRuns = [0xc1, 0x04];

describe('an HDIFF13 patch, byte by byte', () => {
  test('copies, corrects and inserts as its source says', () => {
    // The differences of what is new are passed over: 2 new bytes, 4 copied from place 10, a new one.
    const patch = patchOf(7, 1, [oneCopy, [0xc2, 0x03], [9, 9, 1], [0xaa, 0xbb, 0xcc]]);
    expect(applyPatch(source, patch)).toEqual(
      Uint8Array.of(0xaa, 0xbb, source[10]! + 1, ...source.subarray(11, 14), 0xcc),
    );
  });

  test('knows runs of zeros, of 255s and of any byte, and copies that go back', () => {
    const numbers = [50, 0, 3, 0x80 | 52, 0, 3];
    const runs = [0x00, 0x41, 0x82];
    const added = [0, 255, 255, 5, 5, 5];
    const from = [50, 51, 52, 1, 2, 3].map((at) => source[at]!);
    expect(applyPatch(source, patchOf(6, 2, [numbers, runs, [5], []]))).toEqual(
      Uint8Array.from(from.map((byte, at) => (byte + added[at]!) & 0xff)),
    );
  });

  const good: Streams = [oneCopy, someRuns, [0, 0], [1, 2, 3]];
  const withStream = (place: number, bytes: readonly number[]): Streams => good.with(place, bytes);
  const refused: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['whose copies end early', patchOf(7, 2, good), 'patch-corrupt', /cover stream ends too early/],
    ['with more copies', patchOf(7, 0, good), 'patch-corrupt', /new data stream ends too early/],
    ['that goes on', patchOf(7, 1, withStream(3, [1, 2, 3, 4])), 'patch-corrupt', /longer/],
    ['that copies too much', patchOf(5, 1, good), 'patch-corrupt', /do not fit the target/],
    [
      'with too long a run',
      patchOf(7, 1, withStream(1, [0x1f])),
      'patch-corrupt',
      /run of 32 bytes is too long/,
    ],
    [
      'whose runs end early',
      patchOf(7, 1, withStream(1, [0xc1, 0x01])),
      'patch-corrupt',
      /run-length control stream ends too early/,
    ],
    [
      'from before the source',
      patchOf(7, 1, withStream(0, [0x81, 2, 4])),
      'patch-corrupt',
      /before the source/,
    ],
    [
      'from behind the source',
      patchOf(7, 1, withStream(0, [0x40, 99, 2, 4])),
      'patch-source',
      /offset/,
    ],
    [
      'with an absurd number',
      patchOf(7, 1, withStream(0, [0x7f, ...Array<number>(9).fill(0xff)])),
      'patch-corrupt',
      /absurdly large/,
    ],
    [
      'that does nothing again and again',
      patchOf(7, 70, withStream(0, Array<number>(210).fill(0))),
      'patch-corrupt',
      /does nothing/,
    ],
    ['that ends in its header', patchOf(7, 1, good).subarray(0, 14), 'patch-corrupt', /ends early/],
    ['cut', patchOf(7, 1, good).subarray(0, -1), 'patch-corrupt', /ends early/],
    [
      'for an absurd target',
      Uint8Array.from([
        ...Buffer.from('HDIFF13&\0'),
        0xff,
        0xff,
        0xff,
        0xff,
        0x7f,
        ...Array(10).fill(0),
      ]),
      'patch-corrupt',
      /absurd/,
    ],
    ['of folders', Uint8Array.from(Buffer.from('HDIFF19&\0')), 'patch-unsupported', /HDIFF19/],
    [
      'compressed with zstd',
      Uint8Array.from([...Buffer.from('HDIFF13&zstd\0'), 1, 1, ...Array(9).fill(0)]),
      'patch-unsupported',
      /zstd/,
    ],
  ];
  test.each(refused)('one %s is refused', (_name, patch, code, why) => {
    const failure = problemOf(() => applyPatch(source, patch));
    expect(failure).toMatchObject({ code });
    expect(failure?.detail).toMatch(why);
  });

  test('one from a source of another size is told before a byte is made', () => {
    const patch = patchOf(7, 1, [oneCopy, [0xc2, 0x03], [9, 9, 1], [1, 2, 3]]);
    expect(problemOf(() => applyPatch(source.subarray(1), patch))).toMatchObject({
      code: 'patch-source',
      detail: 'It was made from 100 bytes; this source has 99.',
    });
  });
});

/** A patch of LZMA streams, and where its first one that is packed begins. */
function packedPatch(): { readonly patch: Uint8Array; readonly at: number } {
  const old = firmwareLike(20_000, 0);
  const patch = makePatch(old, firmwareLike(20_000, 3), packed);
  const { parts } = inspectPatch(patch);
  let at = 0;
  for (const { sizeBytes, plainSizeBytes } of parts) {
    if (plainSizeBytes !== null) break;
    at += sizeBytes;
  }
  return { patch, at };
}

test.each([
  ['another number of bytes for its properties', 0, 6, /6 bytes of LZMA properties/],
  ['properties that do not exist', 1, 255, /properties 255 do not exist/],
  ['an absurd dictionary', 5, 0xff, /dictionary of \d+ bytes is too large/],
] as const)('a stream of LZMA with %s is refused', (_name, offset, byte, why) => {
  const { patch, at } = packedPatch();
  patch[at + offset] = byte;
  const failure = problemOf(() => applyPatch(firmwareLike(20_000, 0), patch));
  expect(failure).toMatchObject({ code: 'patch-corrupt' });
  expect(failure?.detail).toMatch(why);
});

test('each stream is packed only where that is smaller, and explained by itself', () => {
  const old = firmwareLike(20_000, 0);
  const { parts, operations, compression } = inspectPatch(
    makePatch(old, firmwareLike(20_000, 3), packed),
  );
  expect(compression).toBe('lzma');
  expect(parts.map(({ name }) => name)).toEqual([
    'header',
    'copies',
    'runs of differences',
    'differences',
    'insertions',
  ]);
  const packedParts = parts.filter(({ plainSizeBytes }) => plainSizeBytes !== null);
  expect(packedParts.length).toBeGreaterThan(0);
  for (const { sizeBytes, plainSizeBytes } of packedParts)
    expect(sizeBytes).toBeLessThan(plainSizeBytes ?? 0);
  // One copy of a few bytes would only grow.
  expect(parts[1]).toMatchObject({ plainSizeBytes: null });
  expect(operations.copies).toBeGreaterThan(0);
});

test('what is equal takes a few bytes, however long the runs are', () => {
  const image = firmwareLike(200_000, 1);
  expect(makePatch(image, image, packed).length).toBeLessThan(50);
  expect(makePatch(image, image, plain).length).toBeLessThan(50);
});

test('a source that shares nothing still has a patch, which takes little more than its target', () => {
  const noise = target.map((byte, at) => (byte * 7 + at * 31) & 0xff);
  for (const choice of [plain, packed]) {
    const patch = makePatch(new Uint8Array(0), noise, choice);
    expect(applyPatch(new Uint8Array(0), patch)).toEqual(noise);
    expect(patch.length).toBeLessThan(noise.length + 40);
  }
});

describe('what a device gets', () => {
  test('it is made only where it is named', () => {
    expect(names(allowedChoices({})).join()).not.toContain('hdiffpatch');
    expect(names(choicesFor({ format: 'hdiffpatch' }, {}).choices)).toEqual(['hdiffpatch lzma']);
    expect(names(choicesFor({ format: 'hdiffpatch' }, {}).spare)).toEqual(['hdiffpatch none']);
    expect(names(choicesFor({}, { formats: ['hdiffpatch', 'vcdiff'] }).choices)).toEqual([
      'hdiffpatch lzma',
      'vcdiff',
    ]);
    expect(
      problemOf(() => choicesFor({ format: 'hdiffpatch', compression: 'crle' }, {})),
    ).toMatchObject({ code: 'delta-compression' });
  });

  test('its decoder may be without LZMA, or have no RAM for it or for its caches', () => {
    const formats: PatchChoice['format'][] = ['hdiffpatch'];
    const only = ['hdiffpatch none'];
    expect(names(allowedChoices({ formats, compressions: ['none', 'crle'] }))).toEqual(only);
    expect(names(allowedChoices({ formats, ramBytes: 100_000 }))).toEqual(only);
    expect(names(allowedChoices({ formats, ramBytes: 6000 }))).toEqual([]);
    expect(names(allowedChoices({ formats, ramBytes: 300_000 }))).toHaveLength(2);
  });

  test('the patch is stored first, since its streams are read side by side', () => {
    const patch = makePatch(source, target, packed);
    const { flashBytes } = deviceCost(readPatchHead(patch), source.length, {});
    expect(flashBytes).toBe(source.length + target.length + patch.length);
  });

  test('every stream of LZMA has its decoder', () => {
    const head = readPatchHead(packedPatch().patch);
    const { lzmaStreams = 0, lzmaDictionaryBytes } = head.decoder;
    expect(lzmaStreams).toBeGreaterThan(0);
    expect(lzmaDictionaryBytes).toBeGreaterThanOrEqual(lzmaStreams * 4096);
    expect(deviceCost(head, 1, {}).ramBytes).toBeGreaterThan(lzmaStreams * 36_864);
  });
});
