import { SameBytes, viewOf } from './same-bytes.ts';

const seedBytes = 8;
const mostSlotBits = 24;
/** So many bits less than the seeds have: what a slot holds is a cache line or two. */
const slotFillBits = 4;
/** From this source size on only every fourth seed is indexed: a quarter of the memory, patches up to 4 % larger. */
const sparseFromBytes = 8 * 1024 * 1024;
const sparseStride = 4;
const mostMarkBits = 8;
/** A filter of so many bits more than the seeds have turns most seeds away that the source does not hold. */
const filterFillBits = 2;
/** Seeds are first divided by so many bits of their hash, so that each part is sorted within the nearer caches. */
const partBits = 8;
const partShift = 32 - partBits;
/** Of padding only the first seeds are indexed: the others tell nothing more. */
const mostRepeats = 16;
const mostCandidates = 48;
/** Padding fills its slot with entries that others must pass. */
const mostEntries = 1024;
/** A match as long as this is taken without looking at more candidates. */
const niceBytes = 1024;
/** Comparisons per target byte that a search may use on average; content that needs more gets one candidate each. */
const effortPerByte = 64;
const freeEffort = 1 << 24;

/**
 * Where the 8-byte seeds of a source stand, sorted by their hash so that all of one hash lie side by side in memory.
 * Memory: about 5 bytes per seed, 9 while it is made, and one seed for every fourth byte of a large source.
 */
export class SeedIndex {
  readonly source: Uint8Array;
  readonly stride: number;
  /** How far a hash is shifted to its slot. */
  readonly slotShift: number;
  /** Per slot where its entries begin; those of the last one end at the end. */
  readonly starts: Int32Array;
  /** Number of a seed, ascending within a slot, and below it some more bits of its hash. */
  readonly entries: Int32Array;
  readonly markBits: number;
  /** A bit for the first bits of each hash, and how far a hash is shifted to them. */
  readonly filter: Int32Array;
  readonly filterShift: number;

  constructor(source: Uint8Array) {
    const stride = source.length < sparseFromBytes ? 1 : sparseStride;
    const count = Math.max(0, Math.floor((source.length - seedBytes) / stride) + 1);
    const countBits = 32 - Math.clz32(count);
    const slotBits = Math.min(mostSlotBits, Math.max(partBits, countBits - slotFillBits));
    this.source = source;
    this.stride = stride;
    this.slotShift = 32 - slotBits;
    this.markBits = Math.min(mostMarkBits, 31 - countBits);
    this.starts = new Int32Array((1 << slotBits) + 1);
    this.filterShift = 32 - Math.max(partBits, countBits + filterFillBits);
    this.filter = new Int32Array(1 << (27 - this.filterShift));
    const parts = partStarts(viewOf(source), stride, count);
    const indexed = parts[parts.length - 1]!;
    this.entries = new Int32Array(indexed);
    const hashes = new Int32Array(indexed);
    divideSeeds(viewOf(source), stride, count, parts, this.markBits, hashes, this.entries);
    sortParts(parts, hashes, this);
  }
}

/** Where the entries of each part of all hashes begin, and at last how many there are. */
function partStarts(view: DataView, stride: number, count: number): Int32Array {
  const parts = new Int32Array((1 << partBits) + 1);
  let before = 0;
  let repeats = 0;
  for (let index = 0; index < count; index++) {
    const hash = hashSeed(view, index * stride);
    repeats = hash === before ? repeats + 1 : 0;
    before = hash;
    if (repeats < mostRepeats) parts[(hash >>> partShift) + 1]!++;
  }
  for (let part = 1; part < parts.length; part++) parts[part]! += parts[part - 1]!;
  return parts;
}

/** Puts each seed into its part, and its hash at the same place. */
function divideSeeds(
  view: DataView,
  stride: number,
  count: number,
  parts: Int32Array,
  markBits: number,
  hashes: Int32Array,
  entries: Int32Array,
): void {
  const cursors = parts.slice();
  const markMask = (1 << markBits) - 1;
  let before = 0;
  let repeats = 0;
  for (let index = 0; index < count; index++) {
    const hash = hashSeed(view, index * stride);
    repeats = hash === before ? repeats + 1 : 0;
    before = hash;
    if (repeats >= mostRepeats) continue;
    const at = cursors[hash >>> partShift]!++;
    hashes[at] = hash;
    entries[at] = (index << markBits) | (hash & markMask);
  }
}

/** Sorts the entries of each part by slots and marks them in the filter: only the memory of one part is written at a time. */
function sortParts(
  parts: Int32Array,
  hashes: Int32Array,
  { entries, starts, slotShift, filter, filterShift }: SeedIndex,
): void {
  const slotsPerPart = (starts.length - 1) >> partBits;
  for (let part = 0; part + 1 < parts.length; part++) {
    const [from, to] = [parts[part]!, parts[part + 1]!];
    for (let at = from; at < to; at++) {
      const hash = hashes[at]!;
      starts[hash >>> slotShift]!++;
      const bit = hash >>> filterShift;
      filter[bit >>> 5]! |= 1 << (bit & 31);
    }
    const firstSlot = part * slotsPerPart;
    let sum = from;
    for (let slot = firstSlot; slot < firstSlot + slotsPerPart; slot++)
      starts[slot] = sum += starts[slot]!;
    const unsorted = entries.slice(from, to);
    for (let at = to - 1; at >= from; at--)
      entries[--starts[hashes[at]! >>> slotShift]!] = unsorted[at - from]!;
  }
  starts[starts.length - 1] = entries.length;
}

/** Finds where bytes of a target stand in an indexed source. */
export class SeedSearch {
  readonly #index: SeedIndex;
  readonly #target: Uint8Array;
  readonly #view: DataView;
  readonly #same: SameBytes;
  readonly #leastShift: number;
  #effort = 0;
  /** Where the last {@link search} found its match. */
  foundAt = 0;

  /** `leastShift`: how far before its own place, at most, a target byte may be found in the source (negative). */
  constructor(index: SeedIndex, target: Uint8Array, leastShift = Number.NEGATIVE_INFINITY) {
    this.#index = index;
    this.#target = target;
    this.#view = viewOf(target);
    this.#same = new SameBytes(index.source, target);
    this.#leastShift = leastShift;
  }

  /** Length of the longest match found at a target position, 0 without one of `atLeast` bytes. */
  search(at: number, atLeast: number, preferred: number): number {
    const target = this.#target;
    let best = Math.max(atLeast, seedBytes) - 1;
    if (at + best >= target.length) return 0;
    const { source, stride, slotShift, starts, entries, markBits } = this.#index;
    const hash = hashSeed(this.#view, at);
    const bit = hash >>> this.#index.filterShift;
    if ((this.#index.filter[bit >>> 5]! & (1 << (bit & 31))) === 0) return 0;
    const slot = hash >>> slotShift;
    let end = starts[slot + 1]!;
    let entry = starts[slot]!;
    if (entry === end) return 0;
    const markMask = (1 << markBits) - 1;
    const mark = hash & markMask;
    const firstPlace = at + this.#leastShift;
    if (firstPlace > 0) entry = firstEntryFrom(entries, entry, end, firstPlace / stride, markBits);
    end = Math.min(end, entry + mostEntries);
    let bestDistance = 0;
    let found = 0;
    let left = this.#effort > effortPerByte * at + freeEffort ? 1 : mostCandidates;
    for (; entry < end && left > 0; entry++) {
      const value = entries[entry]!;
      if ((value & markMask) !== mark) continue;
      left--;
      this.#effort++;
      const start = (value >>> markBits) * stride;
      // Of equally long matches the one nearest to the present alignment is kept; others must be longer by a byte.
      const distance = Math.abs(start - preferred);
      const least = best + (distance < bestDistance ? 0 : 1);
      const last = start + least - 1;
      if (last >= source.length || source[last] !== target[at + least - 1]) continue;
      const size = this.#same.count(start, at);
      this.#effort += size;
      if (size < least) continue;
      bestDistance = distance;
      best = size;
      found = size;
      this.foundAt = start;
      if (size >= niceBytes) break;
    }
    return found;
  }
}

/** The first of some entries whose seed has at least a number. */
function firstEntryFrom(
  entries: Int32Array,
  from: number,
  to: number,
  least: number,
  markBits: number,
): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]! >>> markBits < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

function hashSeed(view: DataView, at: number): number {
  const mixed =
    Math.imul(view.getInt32(at, true), 0x9e3779b1) ^
    Math.imul(view.getInt32(at + 4, true), 0x85ebca6b);
  return Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d);
}
