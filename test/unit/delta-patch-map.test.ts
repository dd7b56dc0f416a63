import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mapPatch } from '../../shared/delta/patch-map.ts';
import { inspectPatch } from '../../shared/delta/patch-inspector.ts';
import { choiceText } from '../../shared/domain/delta-cost.ts';
import type { PatchOperation } from '../../shared/domain/patch-map.ts';
import { anyPair, everyChoice, firmwareLike, makePatch, problemOf } from '../support/patches.ts';

const memory = { memoryBytes: 8192, segmentBytes: 256 };
const choices = everyChoice.map((choice) => ({ name: choiceText(choice), choice }));
const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);

/** Checks that copies without a correction are where the operation says. */
function expectCopied(operation: PatchOperation, source: Uint8Array, target: Uint8Array): void {
  const { kind, from, sourceStart, targetStart, sizeBytes, changedBytes } = operation;
  if (kind !== 'copy' || from === 'memory' || sourceStart === null || changedBytes > 0) return;
  for (let at = 0; at < sizeBytes; at++)
    expect((from === 'source' ? source : target)[sourceStart + at] ?? 0).toBe(
      target[targetStart + at],
    );
}

describe.each(choices)('$name', ({ choice }) => {
  test('the operations fill the target from end to end and copy from where they say', () => {
    fc.assert(
      fc.property(anyPair, ([source, target]) => {
        const patch = makePatch(source, target, choice, memory);
        const map = mapPatch(patch);
        expect(map).toMatchObject({ targetSizeBytes: target.length, total: map.listed.length });
        let at = 0;
        for (const operation of map.listed) {
          expect(operation.targetStart).toBe(at);
          expectCopied(operation, source, target);
          at += operation.sizeBytes;
        }
        expect(at).toBe(target.length);
      }),
      { numRuns: 40 },
    );
  });

  test('agree with the explanation of the patch, and are listed up to a limit', () => {
    const patch = makePatch(firmwareLike(6000, 0), firmwareLike(6100, 3), choice, memory);
    const { listed, shares, total } = mapPatch(patch);
    const { operations } = inspectPatch(patch);
    const bytesOf = (kind: PatchOperation['kind']): number =>
      sum(listed.filter((each) => each.kind === kind).map(({ sizeBytes }) => sizeBytes));
    expect(bytesOf('copy')).toBe(operations.copiedBytes);
    expect(bytesOf('insert')).toBe(operations.insertedBytes);
    expect(bytesOf('run')).toBe(operations.runBytes);
    expect(sum(listed.map(({ changedBytes }) => changedBytes))).toBe(operations.changedBytes);
    expect(sum(shares.corrected)).toBeCloseTo(operations.changedBytes);
    expect(sum(shares.copied)).toBeCloseTo(operations.copiedBytes - operations.changedBytes);
    expect(sum(shares.inserted)).toBe(operations.insertedBytes + operations.runBytes);
    const few = mapPatch(patch, 2);
    expect(few).toMatchObject({ total, shares });
    expect(few.listed).toEqual(listed.slice(0, 2));
  });
});

test('a file that is no patch, and one that is cut, are told', () => {
  const patch = makePatch(firmwareLike(3000, 0), firmwareLike(3000, 1), everyChoice[0]!);
  expect(problemOf(() => mapPatch(Uint8Array.of(0xff, 2, 3)))?.code).toBe('patch-format');
  expect(problemOf(() => mapPatch(patch.subarray(0, patch.length - 9)))?.code).toBe(
    'patch-corrupt',
  );
});
