const seedBytes = 8;
const mostBits = 21;
/** From this source size on only every fourth seed is indexed: a quarter of the memory, patches up to 4 % larger. */
const sparseFromBytes = 8 * 1024 * 1024;
const sparseStride = 4;
const mostCandidates = 48;
/** A match as long as this is taken without looking at more candidates. */
const niceBytes = 1024;
const longestMatch = 64 * 1024;
/** Comparisons per target byte that a search may use on average; content that needs more gets one candidate each. */
const effortPerByte = 64;
const freeEffort = 1 << 24;

/** Finds where bytes of the target stand in the source, by hash chains over 8-byte seeds. */
export class SeedIndex {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #stride: number;
  readonly #shift: number;
  readonly #heads: Int32Array;
  /** Per indexed seed the next one with the same hash; positions ascend. */
  readonly #next: Int32Array;
  #effort = 0;
  /** Where the last {@link search} found its match. */
  foundAt = 0;

  readonly #leastShift: number;

  /** `leastShift`: how far before its own place, at most, a target byte may be found in the source (negative). */
  constructor(source: Uint8Array, target: Uint8Array, leastShift = Number.NEGATIVE_INFINITY) {
    this.#leastShift = leastShift;
    const stride = source.length < sparseFromBytes ? 1 : sparseStride;
    const count = Math.max(0, Math.floor((source.length - seedBytes) / stride) + 1);
    const bits = Math.min(mostBits, Math.max(8, Math.ceil(Math.log2(count + 1)) - 1));
    this.#source = source;
    this.#target = target;
    this.#stride = stride;
    this.#shift = 32 - bits;
    this.#heads = new Int32Array(1 << bits).fill(-1);
    this.#next = new Int32Array(count);
    for (let index = count - 1; index >= 0; index--) {
      const slot = hashSeed(source, index * stride) >>> this.#shift;
      this.#next[index] = this.#heads[slot]!;
      this.#heads[slot] = index;
    }
  }

  /** Length of the longest match found at a target position, 0 without one of `atLeast` bytes. */
  search(at: number, atLeast: number, preferred: number): number {
    const source = this.#source;
    const target = this.#target;
    let best = Math.max(atLeast, seedBytes) - 1;
    let bestDistance = 0;
    if (at + best >= target.length) return 0;
    const isStarved = this.#effort > effortPerByte * at + freeEffort;
    const slot = hashSeed(target, at) >>> this.#shift;
    let candidate = this.#heads[slot]!;
    if (candidate >= 0 && candidate * this.#stride < at + this.#leastShift)
      candidate = this.#drop(slot, at + this.#leastShift);
    let found = 0;
    let left = isStarved ? 1 : mostCandidates;
    for (; candidate >= 0 && left > 0; left--) {
      const start = candidate * this.#stride;
      // Of equally long matches the one nearest to the present alignment is kept; others must be longer by a byte.
      const distance = Math.abs(start - preferred);
      const least = best + (distance < bestDistance ? 0 : 1);
      const last = start + least - 1;
      if (last < source.length && source[last] === target[at + least - 1]) {
        const size = matchBytes(source, start, target, at);
        this.#effort += size;
        if (size >= least) {
          bestDistance = distance;
          best = size;
          found = size;
          this.foundAt = start;
          if (size >= niceBytes) break;
        }
      }
      candidate = this.#next[candidate]!;
    }
    this.#effort += mostCandidates - left;
    return found;
  }

  /** Forgets what lies before a place: places only grow. */
  #drop(slot: number, least: number): number {
    let candidate = this.#heads[slot]!;
    while (candidate >= 0 && candidate * this.#stride < least) candidate = this.#next[candidate]!;
    this.#heads[slot] = candidate;
    return candidate;
  }
}

function hashSeed(bytes: Uint8Array, at: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
  const high =
    bytes[at + 4]! | (bytes[at + 5]! << 8) | (bytes[at + 6]! << 16) | (bytes[at + 7]! << 24);
  const mixed = Math.imul(low, 0x9e3779b1) ^ Math.imul(high, 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}

/** How many bytes agree from two places on, at most 64 KiB; none outside of the source. */
export function matchBytes(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
): number {
  if (sourceStart < 0) return 0;
  const limit = Math.min(source.length - sourceStart, target.length - targetStart, longestMatch);
  let size = 0;
  while (size < limit && source[sourceStart + size] === target[targetStart + size]) size++;
  return size;
}
