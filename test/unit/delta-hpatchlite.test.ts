import { describe, expect, test } from 'vitest';
import { resemblingCopies } from '../../shared/delta/hpatchlite-copies.ts';
import { findOperations } from '../../shared/delta/operations.ts';
import { inspectPatch } from '../../shared/delta/patch-inspector.ts';
import { mapPatch } from '../../shared/delta/patch-map.ts';
import { applyPatch } from '../../shared/delta/patch-reader.ts';
import { allowedChoices, choicesFor, choiceText } from '../../shared/domain/delta-cost.ts';
import type { PatchChoice } from '../../shared/domain/delta.ts';
import { firmwareLike, makePatch, problemOf } from '../support/patches.ts';

const plain = { format: 'hpatchlite', compression: 'none' } as const;
const packed = { format: 'hpatchlite', compression: 'tinyuz' } as const;
const source = firmwareLike(6000, 0);
const target = Uint8Array.from([
  ...firmwareLike(3000, 2),
  ...Buffer.from('version 1.1.0'),
  ...firmwareLike(6200, 1).subarray(3100),
]);
const names = (choices: readonly PatchChoice[]): string[] => choices.map(choiceText);

/** A patch without compression: the header, and a body byte by byte. */
const patchOf = (targetSizeBytes: number, body: readonly number[]): Uint8Array =>
  Uint8Array.from([0x68, 0x49, 0, 0x41, targetSizeBytes, ...body]);

describe('a patch of HPatchLite, byte by byte', () => {
  test('is what its source says', () => {
    // One copy of 8 bytes from place 2 without differences, behind two new bytes; then a new one.
    const exact = patchOf(11, [2, 8, 0x82, 2, 0xaa, 0xbb, 0, 0x80, 1, 0xcc]);
    const expected = Uint8Array.from([0xaa, 0xbb, ...source.subarray(2, 10), 0xcc]);
    expect(applyPatch(source, exact)).toEqual(expected);
  });

  test('copies backwards with differences, over places that take several bytes', () => {
    // 300 is 2 and 44 in groups of seven bits; 40 and 256 do not fit five bits.
    const body = [2, 1, 0x22, 44, 0, 5, 2, 0xc0 | 0x20 | 2, 45, 0];
    expect(applyPatch(source, patchOf(3, body))).toEqual(
      Uint8Array.of((source[300]! + 5) & 0xff, source[0]!, source[1]!),
    );
  });

  const refused: readonly (readonly [string, Uint8Array, string, RegExp])[] = [
    ['that ends in its header', Uint8Array.of(0x68, 0x49, 0), 'patch-corrupt', /ends early/],
    ['of another version', Uint8Array.of(0x68, 0x49, 0, 0xc0, 0), 'patch-corrupt', /version 3/],
    ['for an update in place', Uint8Array.of(0x68, 0x49, 0, 0x80), 'patch-unsupported', /in place/],
    ['compressed with zstd', Uint8Array.of(0x68, 0x49, 5, 0x40), 'patch-unsupported', /zstd/],
    ['compressed with 200', Uint8Array.of(0x68, 0x49, 200, 0x40), 'patch-unsupported', /200/],
    [
      'for an absurd target',
      Uint8Array.of(0x68, 0x49, 0, 0x44, 255, 255, 255, 255, 0),
      'patch-corrupt',
      /absurd/,
    ],
    ['with sizes of 7 bytes', Uint8Array.of(0x68, 0x49, 0, 0x47), 'patch-corrupt', /of 7 bytes/],
    [
      'not compressed, but with a size before compression',
      Uint8Array.of(0x68, 0x49, 0, 0x49, 1, 1, 0),
      'patch-corrupt',
      /not compressed/,
    ],
    ['with an absurd number', patchOf(9, Array(9).fill(0xff)), 'patch-corrupt', /absurdly large/],
    ['that copies too much', patchOf(9, [1, 10, 0x80, 0]), 'patch-corrupt', /do not fit/],
    ['that copies nothing', patchOf(9, [2, 0, 0x80, 0, 0, 0x80, 0]), 'patch-corrupt', /nothing/],
    ['that makes too little', patchOf(9, [1, 3, 0x80, 0]), 'patch-corrupt', /makes 3 of 9/],
    ['that goes on', patchOf(1, [1, 1, 0x80, 0, 0]), 'patch-corrupt', /longer than needed/],
    ['from before the source', patchOf(1, [1, 1, 0xc1, 0]), 'patch-corrupt', /before the source/],
    ['from behind the source', patchOf(1, [1, 1, 0xa0, 0xff, 0x7f, 0]), 'patch-source', /offset/],
    [
      'with another size before compression',
      changed(makePatch(source, target, packed), 6),
      'patch-corrupt',
      /the body is not of/,
    ],
  ];
  test.each(refused)('one %s is refused', (_name, patch, code, why) => {
    const failure = problemOf(() => applyPatch(source, patch));
    expect(failure).toMatchObject({ code });
    expect(failure?.detail).toMatch(why);
  });
});

function changed(patch: Uint8Array, at: number): Uint8Array {
  const other = patch.slice();
  other[at]! ^= 1;
  return other;
}

test('without compression only what is equal is copied', () => {
  const patch = makePatch(source, target, plain);
  const { operations, parts } = inspectPatch(patch);
  expect(operations.changedBytes).toBe(0);
  expect(parts[1]?.contents.find(({ name }) => name === 'differences')?.sizeBytes).toBe(0);
  expect(patch.length).toBeLessThan(target.length / 4);
});

test('with tinyuz differences are kept, and explained with what they take', () => {
  const { operations, parts } = inspectPatch(makePatch(source, target, packed));
  expect(operations.changedBytes).toBeGreaterThan(0);
  expect(parts.map(({ name }) => name)).toEqual(['header', 'body']);
});

test('the map of both tells every byte of the target once', () => {
  for (const choice of [plain, packed]) {
    const { listed, targetSizeBytes } = mapPatch(makePatch(source, target, choice));
    let at = 0;
    for (const { kind, targetStart, sourceStart, sizeBytes, changedBytes } of listed) {
      expect(targetStart).toBe(at);
      at += sizeBytes;
      if (kind !== 'copy' || changedBytes > 0 || sourceStart === null) continue;
      expect(target.subarray(targetStart, at)).toEqual(
        source.subarray(sourceStart, sourceStart + sizeBytes),
      );
    }
    expect(at).toBe(targetSizeBytes);
  }
});

test('a source that shares nothing still has a patch, which takes little more than its target', () => {
  const noise = target.map((byte, at) => (byte * 7 + at * 31) & 0xff);
  expect(findOperations(new Uint8Array(0), noise).every(({ copyBytes }) => copyBytes === 0)).toBe(
    true,
  );
  for (const choice of [plain, packed]) {
    const patch = makePatch(new Uint8Array(0), noise, choice);
    expect(applyPatch(new Uint8Array(0), patch)).toEqual(noise);
    expect(patch.length).toBeLessThan(noise.length + 40);
  }
});

describe('what a device gets', () => {
  test('it is made only where it is named', () => {
    expect(names(allowedChoices({})).join()).not.toContain('hpatchlite');
    const limits = { formats: ['hpatchlite', 'vcdiff'] } as const;
    expect(names(choicesFor({}, { formats: [...limits.formats] }).choices)).toEqual([
      'hpatchlite tinyuz',
      'vcdiff',
    ]);
    expect(names(choicesFor({ format: 'hpatchlite' }, {}).choices)).toEqual(['hpatchlite tinyuz']);
    expect(names(choicesFor({ compression: 'tinyuz' }, {}).choices)).toEqual(['hpatchlite tinyuz']);
    expect(names(choicesFor({ compression: 'tinyuz' }, { formats: ['vcdiff'] }).choices)).toEqual(
      [],
    );
  });

  test('its decoder may be without tinyuz, or have no RAM for it', () => {
    const formats: PatchChoice['format'][] = ['hpatchlite'];
    expect(names(allowedChoices({ formats, compressions: ['none', 'crle'] }))).toEqual([
      'hpatchlite none',
    ]);
    expect(names(allowedChoices({ formats, ramBytes: 560 }))).toEqual(['hpatchlite none']);
  });

  test('a compression of the other format is refused', () => {
    for (const [format, compression] of [
      ['detools', 'tinyuz'],
      ['hpatchlite', 'lzma'],
    ] as const)
      expect(problemOf(() => choicesFor({ format, compression }, {}))).toMatchObject({
        code: 'delta-compression',
      });
  });
});

test('copies reach into a gap as far as it resembles their source, from both sides', () => {
  const from = firmwareLike(300, 0);
  const to = Uint8Array.from([...from.subarray(0, 100), ...from.subarray(150)]);
  for (const at of [60, 65, 70, 120, 125, 130]) to[at]! ^= 0x55;
  const operations = [
    { targetStart: 0, sourceStart: 0, copyBytes: 50, insertBytes: 150 - 50 },
    { targetStart: 150, sourceStart: 200, copyBytes: 100, insertBytes: 0 },
  ];
  expect(resemblingCopies(from, to, operations)).toEqual([
    { targetStart: 0, sourceStart: 0, sizeBytes: 100, isExact: false },
    { targetStart: 100, sourceStart: 150, sizeBytes: 150, isExact: false },
  ]);
});
