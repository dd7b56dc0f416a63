import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inspectPatch } from '../../shared/delta/patch-inspector.ts';
import { readPatchHead } from '../../shared/delta/patch-head.ts';
import { applyPatch, readPatch } from '../../shared/delta/patch-reader.ts';
import { choiceText } from '../../shared/domain/delta-cost.ts';
import { deviceCost } from '../../shared/domain/delta-cost.ts';
import { anyPair, everyChoice, firmwareLike, makePatch, problemOf } from '../support/patches.ts';

const memory = { memoryBytes: 8192, segmentBytes: 256 };
const old = firmwareLike(6000, 0);
const new_ = Uint8Array.from([
  ...firmwareLike(3000, 2),
  1,
  2,
  3,
  ...firmwareLike(6200, 1).slice(3100),
]);
const made = everyChoice.map((choice) => ({
  name: choiceText(choice),
  choice,
  patch: makePatch(old, new_, choice, memory),
}));

describe.each(made)('$name', ({ choice, patch }) => {
  test('makes a round trip of any pair', () => {
    fc.assert(
      fc.property(anyPair, ([source, target]) => {
        expect(applyPatch(source, makePatch(source, target, choice, memory))).toEqual(target);
      }),
      { numRuns: 60 },
    );
  });

  test('rebuilds the target and is explained to the last byte', () => {
    expect(applyPatch(old, patch)).toEqual(new_);
    const report = inspectPatch(patch);
    expect(report.compression).toBe(choice.compression);
    expect(report.patchSizeBytes).toBe(patch.length);
    expect(report.targetSizeBytes).toBe(new_.length);
    expect(report.parts.reduce((sum, part) => sum + part.sizeBytes, 0)).toBe(patch.length);
    for (const { contents, plainSizeBytes } of report.parts)
      if (contents.length > 0)
        expect(contents.reduce((sum, part) => sum + part.sizeBytes, 0)).toBe(plainSizeBytes);
    const { copiedBytes, insertedBytes, runBytes, changedBytes } = report.operations;
    expect(copiedBytes + insertedBytes + runBytes).toBe(new_.length);
    expect(changedBytes).toBeLessThanOrEqual(copiedBytes);
    if (choice.compression === 'none' && choice.format !== 'hdiffpatch')
      expect(report.parts.find((part) => part.name === 'body')).toMatchObject({
        plainSizeBytes: patch.length - (report.parts[0]?.sizeBytes ?? 0),
      });
    expect(deviceCost(readPatchHead(patch), old.length, {}).airBytes).toBe(patch.length);
  });

  test('the empty target has a patch as well', () => {
    const empty = makePatch(old, new Uint8Array(0), choice, memory);
    expect(applyPatch(old, empty)).toEqual(new Uint8Array(0));
    expect(inspectPatch(empty).targetSizeBytes).toBe(0);
  });

  test('cut off anywhere, it is refused', () => {
    for (let size = 0; size < patch.length; size += Math.max(1, patch.length >> 6)) {
      let rebuilt = 0;
      const failure = problemOf(() => {
        for (const piece of readPatch(old, patch.subarray(0, size))) rebuilt += piece.length;
      });
      // VCDIFF does not say how many windows follow: without the last one it is whole.
      if (failure === null) expect([choice.format, rebuilt]).toEqual(['vcdiff', 0]);
    }
  });
});

test.each([
  ['detools', [0x00, 0xbf, 0xff, 0xff, 0xff, 0xff, 0x7f], /target size .* is absurd/],
  ['detools with an endless size', [0x00, ...Array<number>(40).fill(0xff)], /absurdly long/],
  ['detools with a negative size', [0x00, 0x41], /negative/],
  ['detools in-place without segments', [0x10, 0x80, 0x40, 0, 0, 0, 0], /segments of 0 bytes/],
  [
    'VCDIFF with an absurd window',
    [0xd6, 0xc3, 0xc4, 0, 0, 0, 0x20, 0xbf, 0xff, 0xff, 0x7f],
    /absurd/,
  ],
  [
    'HPatchLite with an absurd dictionary',
    [0x68, 0x49, 1, 0x49, 9, 9, 255, 255, 255, 255, 0],
    /dictionary of 4294967295 bytes/,
  ],
  ['BSDIFF43', [...Buffer.from('ENDSLEY/BSDIFF43'), 0, 0, 0, 0, 0, 0, 0, 0x10], /absurd/],
] as const)('%s: lengths beyond reason are refused before memory is taken', (_name, bytes, why) => {
  const before = process.memoryUsage().arrayBuffers;
  expect(problemOf(() => applyPatch(old, Uint8Array.from(bytes)))?.detail).toMatch(why);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1 << 20);
});

test('a patch for a longer source is told from a damaged one', () => {
  const grown = Uint8Array.from([...old, ...firmwareLike(3000, 5)]);
  for (const { choice } of made.filter(({ choice: { format } }) => format !== 'bsdiff')) {
    if (choice.format === 'bsdiff43' || choice.compression === 'none') continue;
    const patch = makePatch(grown, grown, choice, { memoryBytes: 16384, segmentBytes: 256 });
    expect(problemOf(() => applyPatch(old, patch))?.code).toBe('patch-source');
  }
});

test('what is made of it by other tools alone is named', () => {
  const unsupported = (bytes: readonly number[]) =>
    problemOf(() => applyPatch(old, Uint8Array.from(bytes)));
  expect(unsupported([0x03, 0x01])).toMatchObject({ code: 'patch-unsupported' });
  expect(unsupported([0x03, 0x01])?.detail).toContain('bz2');
  expect(unsupported([0x21, 0x01])?.detail).toContain('hdiffpatch');
  expect(unsupported([0xd6, 0xc3, 0xc4, 0, 1])?.detail).toContain('secondary compression');
  expect(unsupported([0xd6, 0xc3, 0xc4, 0, 2])?.detail).toContain('code table');
  expect(unsupported([0x7f, 0x45, 0x4c, 0x46])?.code).toBe('patch-format');
});
