import { matchBytes, SeedIndex } from './seed-index.ts';

/** A piece of the target that resembles a piece of the source. */
export interface Cover {
  readonly targetStart: number;
  readonly sourceStart: number;
  readonly sizeBytes: number;
}
type Place = Pick<Cover, 'targetStart' | 'sourceStart'>;

/** The present alignment is followed without a search while this many bytes agree. */
const followBytes = 32;
/** How many more bytes than the present alignment another one must explain. */
const leastGain = 6;
/** When a better alignment is found, it may still begin so many bytes later and reach further. */
const lookAheadBytes = 3;
const reportEveryBytes = 1 << 18;

/**
 * Finds which pieces of the target resemble which pieces of the source, and hands them out in target order
 * without overlap, the first one at the beginning of both (perhaps empty).
 * As in bsdiff a piece grows while more than half of its bytes agree. Unlike there the present alignment is
 * followed first and the effort is bounded, so padding and repeats cost no time. `onProgress` gets target bytes done.
 * No piece lies more than `-leastShift` bytes before its place in the target.
 */
export function findCovers(
  source: Uint8Array,
  target: Uint8Array,
  onCover: (cover: Cover) => void,
  onProgress: (done: number) => void = () => undefined,
  leastShift = Number.NEGATIVE_INFINITY,
): void {
  const index = new SeedIndex(source, target, leastShift);
  let open: Place = { targetStart: 0, sourceStart: 0 };
  let scan = 0;
  /** How many bytes of target[scan, counted) agree on the present alignment. */
  let agreeing = 0;
  let counted = 0;
  let nextReport = reportEveryBytes;
  while (scan < target.length) {
    if (scan >= nextReport) {
      onProgress(scan);
      nextReport = scan + reportEveryBytes;
    }
    const shift = open.sourceStart - open.targetStart;
    const aligned = matchBytes(source, scan + shift, target, scan);
    let size = aligned;
    if (aligned < followBytes) {
      size = Math.max(aligned, index.search(scan, aligned + 1, scan + shift));
      for (; counted < scan + size; counted++)
        if (agree(source, counted + shift, target, counted)) agreeing++;
    }
    if (size > aligned && size <= agreeing + leastGain) size = 0;
    if (size > aligned) {
      let next = { targetStart: scan, sourceStart: index.foundAt };
      for (let ahead = 1; ahead <= lookAheadBytes; ahead++) {
        const other = index.search(scan + ahead, 9, scan + ahead + shift);
        if (scan + ahead + other <= next.targetStart + size) continue;
        next = { targetStart: scan + ahead, sourceStart: index.foundAt };
        size = other;
      }
      scan = next.targetStart;
      const { sizeBytes, backBytes } = divide(source, target, open, next);
      onCover({ ...open, sizeBytes });
      open = { targetStart: scan - backBytes, sourceStart: next.sourceStart - backBytes };
    } else if (size === 0) {
      if (counted > scan && agree(source, scan + shift, target, scan)) agreeing--;
      scan++;
      counted = Math.max(counted, scan);
      continue;
    }
    scan += size;
    counted = scan;
    agreeing = 0;
  }
  if (target.length > 0)
    onCover({ ...open, sizeBytes: growForward(source, target, open, target.length) });
  onProgress(target.length);
}

function agree(
  source: Uint8Array,
  sourceAt: number,
  target: Uint8Array,
  targetAt: number,
): boolean {
  return sourceAt >= 0 && sourceAt < source.length && source[sourceAt] === target[targetAt];
}

/** How far a piece goes to the right, before a place in the target: to the best balance of agreeing over differing bytes. */
function growForward(
  source: Uint8Array,
  target: Uint8Array,
  { targetStart, sourceStart }: Place,
  targetEnd: number,
): number {
  const limit = Math.min(source.length - sourceStart, targetEnd - targetStart);
  let score = 0;
  let bestScore = 0;
  let best = 0;
  for (let size = 0; size < limit; size++) {
    score += source[sourceStart + size] === target[targetStart + size] ? 1 : -1;
    if (score > bestScore) {
      bestScore = score;
      best = size + 1;
    }
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
    }
  }
  return best;
}

/** Lets two neighbours grow towards each other; where they meet, the bytes go to the one that they agree with more. */
function divide(
  source: Uint8Array,
  target: Uint8Array,
  open: Place,
  next: Place,
): { sizeBytes: number; backBytes: number } {
  const sizeBytes = growForward(source, target, open, next.targetStart);
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
