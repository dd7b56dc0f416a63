import { chooseStretches } from './alignments.ts';
import { SameBytes } from './same-bytes.ts';
import type { SeedIndex } from './seed-index.ts';

/** A piece of the target that resembles a piece of the source. */
export interface Cover {
  readonly targetStart: number;
  readonly sourceStart: number;
  readonly sizeBytes: number;
}
/** A piece does not grow over bytes of which so many more differ than agree: inserting them takes less. */
const mostLoss = 32;

type Place = Pick<Cover, 'targetStart' | 'sourceStart'>;

/** How pieces are looked for. */
export interface MatchOptions {
  /** Gets target bytes done. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** How far before its own place, at most, a target byte may be found in the source (negative). */
  readonly leastShift?: number | undefined;
  /** What a byte that is in no piece takes in the patch, in bits. */
  readonly newBits?: number | undefined;
}

/**
 * Finds which pieces of the target resemble which pieces of the source, and hands them out in target order
 * without overlap, the first one at the beginning of both (perhaps empty).
 * Where a piece goes on and where another begins is decided by what the patch takes; as in bsdiff a piece then grows
 * while more than half of its bytes agree. The effort is bounded, so padding and repeats cost no time.
 */
export function findCovers(
  index: SeedIndex,
  target: Uint8Array,
  onCover: (cover: Cover) => void,
  options: MatchOptions = {},
): void {
  const { source } = index;
  const same = new SameBytes(source, target);
  let open: Place = { targetStart: 0, sourceStart: 0 };
  for (const { start, shift } of chooseStretches(index, target, options)) {
    const next = { targetStart: start, sourceStart: start + shift };
    const { sizeBytes, backBytes } = divide(source, target, same, open, next);
    onCover({ ...open, sizeBytes });
    open = { targetStart: start - backBytes, sourceStart: next.sourceStart - backBytes };
  }
  if (target.length > 0)
    onCover({ ...open, sizeBytes: growForward(source, target, same, open, target.length) });
}

/** How far a piece goes to the right, before a place in the target: to the best balance of agreeing over differing bytes. */
function growForward(
  source: Uint8Array,
  target: Uint8Array,
  same: SameBytes,
  { targetStart, sourceStart }: Place,
  targetEnd: number,
): number {
  const limit = Math.min(source.length - sourceStart, targetEnd - targetStart);
  let score = 0;
  let bestScore = 0;
  let best = 0;
  for (let size = 0; size < limit; ) {
    if (source[sourceStart + size] !== target[targetStart + size]) {
      score--;
      size++;
      if (score < bestScore - mostLoss) break;
      continue;
    }
    const run = Math.min(limit - size, same.count(sourceStart + size, targetStart + size));
    score += run;
    size += run;
    if (score <= bestScore) continue;
    bestScore = score;
    best = size;
  }
  return best;
}

function growBackward(
  source: Uint8Array,
  target: Uint8Array,
  { targetStart, sourceStart }: Place,
  targetLimit: number,
): number {
  const limit = Math.min(sourceStart, targetStart - targetLimit);
  let score = 0;
  let bestScore = 0;
  let best = 0;
  for (let size = 1; size <= limit; size++) {
    score += source[sourceStart - size] === target[targetStart - size] ? 1 : -1;
    if (score > bestScore) {
      bestScore = score;
      best = size;
    } else if (score < bestScore - mostLoss) break;
  }
  return best;
}

/** Lets two neighbours grow towards each other; where they meet, the bytes go to the one that they agree with more. */
function divide(
  source: Uint8Array,
  target: Uint8Array,
  same: SameBytes,
  open: Place,
  next: Place,
): { sizeBytes: number; backBytes: number } {
  const sizeBytes = growForward(source, target, same, open, next.targetStart);
  const backBytes = growBackward(source, target, next, open.targetStart);
  const overlapBytes = open.targetStart + sizeBytes - (next.targetStart - backBytes);
  if (overlapBytes <= 0) return { sizeBytes, backBytes };
  const from = next.targetStart - backBytes;
  const openShift = open.sourceStart - open.targetStart;
  const nextShift = next.sourceStart - next.targetStart;
  let score = 0;
  let bestScore = 0;
  let kept = 0;
  for (let at = from; at < from + overlapBytes; at++) {
    if (source[at + openShift] === target[at]) score++;
    if (source[at + nextShift] === target[at]) score--;
    if (score > bestScore) {
      bestScore = score;
      kept = at + 1 - from;
    }
  }
  return { sizeBytes: sizeBytes - overlapBytes + kept, backBytes: backBytes - kept };
}
