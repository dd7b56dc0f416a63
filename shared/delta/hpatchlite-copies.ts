import { placeBits } from './hpatchlite-format.ts';
import type { Operation } from './operations.ts';

/**
 * A copy from the source, without differences when it is exact. What lies between two copies is new, and stored as it
 * is.
 */
export interface Copy {
  readonly targetStart: number;
  readonly sourceStart: number;
  readonly sizeBytes: number;
  readonly isExact: boolean;
}

/** A copy of fewer equal bytes saves less than its numbers take, also when they are compressed. */
const leastEqualBytes = 8;

/** The copies of the operations, split wherever so many bytes or more are equal: those need no differences. */
export function splitCopies(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
  leastExactBytes: number,
): readonly Copy[] {
  const copies: Copy[] = [];
  for (const operation of operations) {
    const { targetStart, sourceStart, copyBytes } = operation;
    const piece = (from: number, to: number, isExact: boolean): void => {
      if (to === from) return;
      const start = { targetStart: targetStart + from, sourceStart: sourceStart + from };
      copies.push({ ...start, sizeBytes: to - from, isExact });
    };
    const runs = [...equalRuns(source, target, operation)];
    if (runs.reduce((sum, [from, to]) => sum + to - from, 0) < leastEqualBytes) continue;
    let changedFrom = 0;
    for (const [from, to] of runs) {
      if (to - from < leastExactBytes && to - from < copyBytes) continue;
      piece(changedFrom, from, false);
      piece(from, to, true);
      changedFrom = to;
    }
    piece(changedFrom, copyBytes, false);
  }
  return copies;
}

/** Only copies of equal bytes, and of them those that save more than they cost: without compression nothing else pays. */
export function exactCopies(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
): readonly Copy[] {
  const copies: Copy[] = [];
  let sourceEnd = 0;
  let targetEnd = 0;
  for (const operation of operations)
    for (const [from, to] of equalRuns(source, target, operation)) {
      const targetStart = operation.targetStart + from;
      const sourceStart = operation.sourceStart + from;
      const sizeBytes = to - from;
      const wayBytes = Math.abs(sourceStart - sourceEnd);
      const costBytes =
        numberBytes(sizeBytes) +
        numberBytes(wayBytes, placeBits) +
        numberBytes(targetStart - targetEnd);
      if (sizeBytes <= costBytes) continue;
      copies.push({ targetStart, sourceStart, sizeBytes, isExact: true });
      sourceEnd = sourceStart + sizeBytes;
      targetEnd = targetStart + sizeBytes;
    }
  return copies;
}

/** Bytes of a number whose first byte has room for so many of its bits, and each other one for 7. */
function numberBytes(value: number, firstBits = 7): number {
  let count = 1;
  for (let most = 2 ** firstBits; value >= most; most *= 128) count++;
  return count;
}

/** Where in an operation's copy bytes are equal, each from and to. */
function* equalRuns(
  source: Uint8Array,
  target: Uint8Array,
  { targetStart, sourceStart, copyBytes }: Operation,
): Generator<readonly [number, number]> {
  let from = -1;
  for (let at = 0; at <= copyBytes; at++) {
    const isEqual = at < copyBytes && source[sourceStart + at] === target[targetStart + at];
    if (isEqual && from < 0) from = at;
    if (isEqual || from < 0) continue;
    yield [from, at];
    from = -1;
  }
}
