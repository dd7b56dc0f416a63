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
/** What an equal byte gains at the end of a copy, and another one costs: both are smaller as differences. */
const equalGain = 3;
const otherCost = 2;
/** Larger gaps are really new: their ends are left as they are, and take no memory. */
const mostGapBytes = 256 * 1024;

/** The copies of operations for a body that is compressed: they reach as far as they resemble the target. */
export function resemblingCopies(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
): readonly Copy[] {
  const copies: Copy[] = [];
  let end = 0;
  const add = (next: Copy): void => {
    const last = copies.pop();
    const [forwards, backwards] = shareGap(source, target, last, next, end);
    if (last) copies.push({ ...last, sizeBytes: last.sizeBytes + forwards });
    const { targetStart, sourceStart, sizeBytes } = next;
    if (sizeBytes > 0)
      copies.push({
        targetStart: targetStart - backwards,
        sourceStart: sourceStart - backwards,
        sizeBytes: sizeBytes + backwards,
        isExact: false,
      });
    end = targetStart + sizeBytes;
  };
  for (const operation of operations) {
    const { targetStart, sourceStart, copyBytes } = operation;
    let equalBytes = 0;
    for (const [from, to] of equalRuns(source, target, operation)) equalBytes += to - from;
    if (equalBytes >= leastEqualBytes)
      add({ targetStart, sourceStart, sizeBytes: copyBytes, isExact: false });
  }
  add({ targetStart: target.length, sourceStart: 0, sizeBytes: 0, isExact: false });
  return copies;
}

/**
 * How many bytes of the gap between two copies the first may take at its end and the second at its beginning, so that
 * the most are equal over those that are not.
 */
function shareGap(
  source: Uint8Array,
  target: Uint8Array,
  last: Copy | undefined,
  next: Copy,
  gapStart: number,
): readonly [number, number] {
  const gapBytes = next.targetStart - gapStart;
  if (gapBytes > mostGapBytes) return [0, 0];
  const isEqual = (copy: Copy, at: number): boolean =>
    source[copy.sourceStart + at - copy.targetStart] === target[at];
  const canGrow = (copy: Copy | undefined): copy is Copy =>
    copy !== undefined && copy.sizeBytes > 0;
  const forwardLimit = canGrow(last)
    ? Math.min(gapBytes, source.length - last.sourceStart - last.sizeBytes)
    : 0;
  const backwardLimit = canGrow(next) ? Math.min(gapBytes, next.sourceStart) : 0;
  // What the second gains from each place on, and where it best begins.
  const gains = new Int32Array(gapBytes + 1);
  const starts = new Int32Array(gapBytes + 1).fill(gapBytes);
  let gain = 0;
  for (let at = gapBytes - 1; at >= 0; at--) {
    if (at >= gapBytes - backwardLimit)
      gain += isEqual(next, gapStart + at) ? equalGain : -otherCost;
    const isBetter = at >= gapBytes - backwardLimit && gain > gains[at + 1]!;
    gains[at] = isBetter ? gain : gains[at + 1]!;
    starts[at] = isBetter ? at : starts[at + 1]!;
  }
  let best = gains[0]!;
  let forwards = 0;
  gain = 0;
  for (let taken = 1; last && taken <= forwardLimit; taken++) {
    gain += isEqual(last, gapStart + taken - 1) ? equalGain : -otherCost;
    if (gain + gains[taken]! <= best) continue;
    best = gain + gains[taken]!;
    forwards = taken;
  }
  return [forwards, gapBytes - starts[forwards]!];
}

/** Splits copies wherever so many bytes or more are equal: those need no differences. */
export function splitCopies(
  source: Uint8Array,
  target: Uint8Array,
  copies: readonly Copy[],
  leastExactBytes: number,
): readonly Copy[] {
  return copies.flatMap(({ targetStart, sourceStart, sizeBytes }) => {
    const pieces: Copy[] = [];
    const piece = (from: number, to: number, isExact: boolean): void => {
      if (to === from) return;
      const start = { targetStart: targetStart + from, sourceStart: sourceStart + from };
      pieces.push({ ...start, sizeBytes: to - from, isExact });
    };
    const whole = { targetStart, sourceStart, copyBytes: sizeBytes };
    let changedFrom = 0;
    for (const [from, to] of equalRuns(source, target, whole)) {
      if (to - from < leastExactBytes && to - from < sizeBytes) continue;
      piece(changedFrom, from, false);
      piece(from, to, true);
      changedFrom = to;
    }
    piece(changedFrom, sizeBytes, false);
    return pieces;
  });
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
  { targetStart, sourceStart, copyBytes }: Omit<Operation, 'insertBytes'>,
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
