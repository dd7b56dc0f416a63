import { describe, expect, test } from 'vitest';
import { findOperations } from '../../shared/delta/operations.ts';
import { applyPatch } from '../../shared/delta/patch-reader.ts';
import { writeBsdiff40 } from '../../shared/delta/bsdiff-writer.ts';
import { firmwareLike } from '../support/patches.ts';
import { seededRandom } from '../support/seeded-random.ts';

/** Bytes that nothing else resembles. */
function unlike(salt: number, sizeBytes: number): Uint8Array {
  const random = seededRandom(salt);
  return Uint8Array.from({ length: sizeBytes }, () => 256 * random());
}

const concat = (...parts: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts));

describe('the operations of an update', () => {
  const newBytes = 3000;
  const kept = unlike(1, 20_000);
  const resembling = kept.map((byte, at) => (at % 50 === 0 ? byte ^ 0x55 : byte));
  const after = unlike(2, 20_000);

  test.each([
    ['before it', 'backward'],
    ['behind it', 'forward'],
  ] as const)('insert what is new although a piece resembles more %s', (_where, side) => {
    const [gap, between, fresh] = [unlike(3, newBytes), unlike(4, 5000), unlike(5, newBytes)];
    const [source, target] =
      side === 'backward'
        ? [concat(kept, between, resembling, gap, after), concat(kept, fresh, after)]
        : [concat(after, gap, resembling, between, kept), concat(after, fresh, kept)];
    const operations = findOperations(source, target);
    const inserted = operations.reduce((sum, { insertBytes }) => sum + insertBytes, 0);
    expect(Math.abs(inserted - newBytes)).toBeLessThan(40);
    const patch = writeBsdiff40(source, target, operations);
    expect(Buffer.compare(applyPatch(source, patch), target)).toBe(0);
  });

  test('each copy something, behind the first', () => {
    const size = 200_000;
    const [source, changed] = [firmwareLike(size, 0), firmwareLike(size, 3)];
    const parts: Uint8Array[] = [];
    for (let at = 0, part = 0; at < size; part++) {
      const from = (at + (part % 3) * 1500) % (size - 500);
      const sizeBytes = 40 + ((part * 977) % 400);
      parts.push(changed.subarray(from, from + sizeBytes));
      at += sizeBytes;
    }
    const target = concat(...parts);
    const operations = findOperations(source, target);
    expect(operations.length).toBeGreaterThan(500);
    expect(operations.slice(1).filter(({ copyBytes }) => copyBytes === 0)).toEqual([]);
    const patch = writeBsdiff40(source, target, operations);
    expect(Buffer.compare(applyPatch(source, patch), target)).toBe(0);
  });
});
