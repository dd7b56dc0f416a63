const pairCount = 1 << 16;

/** What a search tree holds and how long it looks, in bytes and in places. */
export interface MatchTreeLimits {
  readonly mostDistance: number;
  /** Longer matches are found as if they were of this length. */
  readonly mostLength: number;
  readonly mostSteps: number;
}

/**
 * Finds for each length the nearest earlier place that goes on with the same bytes. The places that begin with the same
 * two bytes form a binary tree, sorted by what follows and with the newest at its root, so that also between long runs
 * of one byte few of them are visited. Memory is 8 bytes per byte of distance.
 */
export class MatchTree {
  readonly #bytes: Uint8Array;
  readonly #limits: MatchTreeLimits;
  readonly #roots = new Int32Array(pairCount).fill(-1);
  /** Of each place within reach the trees of what sorts before and behind it. */
  readonly #children: Int32Array;
  readonly #mask: number;
  /** What the last search found: ascending lengths, each with its least distance. */
  readonly lengths: Int32Array;
  readonly distances: Int32Array;

  constructor(bytes: Uint8Array, limits: MatchTreeLimits) {
    const reach = Math.max(2, Math.min(limits.mostDistance + 1, bytes.length));
    const slots = 2 ** Math.ceil(Math.log2(reach));
    this.#bytes = bytes;
    this.#limits = limits;
    this.#mask = slots - 1;
    this.#children = new Int32Array(2 * slots);
    this.lengths = new Int32Array(limits.mostLength + 1);
    this.distances = new Int32Array(limits.mostLength + 1);
  }

  /** Searches a place, which becomes known, and returns how many matches of two and more bytes were found. */
  search(at: number): number {
    const bytes = this.#bytes;
    const children = this.#children;
    const { mostDistance, mostLength, mostSteps } = this.#limits;
    const limit = Math.min(mostLength, bytes.length - at);
    if (limit < 2) return 0;
    const pair = bytes[at]! | (bytes[at + 1]! << 8);
    let candidate = this.#roots[pair]!;
    this.#roots[pair] = at;
    let before = 2 * (at & this.#mask);
    let behind = before + 1;
    let knownBefore = 2;
    let knownBehind = 2;
    let longest = 1;
    let count = 0;
    for (let left = mostSteps; ; left--) {
      const distance = at - candidate;
      if (left === 0 || candidate < 0 || distance > mostDistance) {
        children[before] = -1;
        children[behind] = -1;
        return count;
      }
      const slot = 2 * (candidate & this.#mask);
      let length = Math.min(knownBefore, knownBehind);
      while (length < limit && bytes[candidate + length] === bytes[at + length]) length++;
      if (length > longest) {
        longest = length;
        this.lengths[count] = length;
        this.distances[count] = distance;
        count++;
      }
      if (length === limit) {
        // The new place takes over the trees of one that cannot be told from it.
        children[before] = children[slot]!;
        children[behind] = children[slot + 1]!;
        return count;
      }
      if (bytes[candidate + length]! < bytes[at + length]!) {
        children[before] = candidate;
        before = slot + 1;
        candidate = children[before]!;
        knownBefore = length;
      } else {
        children[behind] = candidate;
        behind = slot;
        candidate = children[behind]!;
        knownBehind = length;
      }
    }
  }
}
