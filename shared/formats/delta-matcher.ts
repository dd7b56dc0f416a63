/** One step of a delta: `diffBytes` from the source with differences, then `insertBytes` new ones, then a source seek. */
export interface Cover {
  readonly targetStart: number;
  readonly sourceStart: number;
  readonly sizeBytes: number;
}

const seedBytes = 8;
const maxChain = 24;
const minGain = 8;

/**
 * Finds which parts of the target resemble which parts of the source.
 * A hash chain over the source finds exact seeds; the current alignment is followed first, so padding and
 * repeats cost nothing; each match grows both ways while more than half of the bytes agree, as bsdiff does.
 * Covers are in target order and do not overlap. `onProgress` gets target bytes done.
 */
export function findCovers(
  source: Uint8Array,
  target: Uint8Array,
  onProgress: (done: number) => void = () => undefined,
): Cover[] {
  const index = new SeedIndex(source);
  const covers: Cover[] = [];
  let position = 0;
  let coveredEnd = 0;
  let offset = 0;
  let nextReport = 1 << 18;
  while (position + seedBytes <= target.length) {
    if (position >= nextReport) {
      onProgress(position);
      nextReport = position + (1 << 18);
    }
    const aligned = matchBytes(source, position + offset, target, position);
    const best =
      aligned >= 32
        ? { start: position + offset, size: aligned }
        : index.longest(target, position, position + offset, aligned);
    if (best.size < seedBytes) {
      position++;
      continue;
    }
    const start = best.start - growBackward(source, best.start, target, position, coveredEnd);
    const targetStart = position - (best.start - start);
    const size =
      position - targetStart + growForward(source, best.start, target, position, best.size);
    const previous = covers.at(-1);
    if (
      previous &&
      previous.targetStart + previous.sizeBytes === targetStart &&
      previous.sourceStart + previous.sizeBytes === start
    ) {
      covers[covers.length - 1] = { ...previous, sizeBytes: previous.sizeBytes + size };
    } else {
      covers.push({ targetStart, sourceStart: start, sizeBytes: size });
    }
    position = coveredEnd = targetStart + size;
    offset = start - targetStart;
  }
  onProgress(target.length);
  return covers;
}

function matchBytes(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
): number {
  if (sourceStart < 0) return 0;
  const limit = Math.min(source.length - sourceStart, target.length - targetStart);
  let size = 0;
  while (size < limit && source[sourceStart + size] === target[targetStart + size]) size++;
  return size;
}

const maxRun = 64;

/** How far a match goes on to the right: to the best balance of agreeing over differing bytes. */
function growForward(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
  exact: number,
): number {
  const limit = Math.min(source.length - sourceStart, target.length - targetStart);
  let score = 0;
  let bestScore = 0;
  let best = exact;
  for (let size = exact; size < limit; size++) {
    score += source[sourceStart + size] === target[targetStart + size] ? 1 : -1;
    if (score > bestScore) {
      bestScore = score;
      best = size + 1;
    } else if (score < bestScore - maxRun) break;
  }
  return best;
}

function growBackward(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
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
    } else if (score < bestScore - maxRun) break;
  }
  return best;
}

/** Positions of every eighth-byte-hashed seed of the source, newest first. */
class SeedIndex {
  readonly #source: Uint8Array;
  readonly #heads: Int32Array;
  readonly #next: Int32Array;
  readonly #shift: number;

  constructor(source: Uint8Array) {
    const bits = Math.min(22, Math.max(10, Math.ceil(Math.log2(source.length + 1))));
    this.#source = source;
    this.#shift = 32 - bits;
    this.#heads = new Int32Array(1 << bits).fill(-1);
    this.#next = new Int32Array(source.length);
    for (let at = source.length - seedBytes; at >= 0; at--) {
      const slot = this.#slot(source, at);
      this.#next[at] = this.#heads[slot] ?? -1;
      this.#heads[slot] = at;
    }
  }

  /** The longest exact match at a target position; the present alignment is kept unless another one gains clearly. */
  longest(
    target: Uint8Array,
    at: number,
    alignedStart: number,
    alignedSize: number,
  ): { start: number; size: number } {
    let start = alignedStart;
    let size = alignedSize;
    let candidate = this.#heads[this.#slot(target, at)] ?? -1;
    for (let tried = 0; candidate >= 0 && tried < maxChain; tried++) {
      if (this.#source[candidate + size] === target[at + size]) {
        const found = matchBytes(this.#source, candidate, target, at);
        if (found > size && found >= alignedSize + minGain) {
          start = candidate;
          size = found;
        }
      }
      candidate = this.#next[candidate] ?? -1;
    }
    return { start, size };
  }

  #slot(bytes: Uint8Array, at: number): number {
    const low =
      (bytes[at] ?? 0) |
      ((bytes[at + 1] ?? 0) << 8) |
      ((bytes[at + 2] ?? 0) << 16) |
      ((bytes[at + 3] ?? 0) << 24);
    const high =
      (bytes[at + 4] ?? 0) |
      ((bytes[at + 5] ?? 0) << 8) |
      ((bytes[at + 6] ?? 0) << 16) |
      ((bytes[at + 7] ?? 0) << 24);
    return (Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b)) >>> this.#shift;
  }
}
