import type { MatchOptions } from './matcher.ts';
import { SameBytes } from './same-bytes.ts';
import { type SeedIndex, SeedSearch } from './seed-index.ts';

/** What a patch takes after compression, in bits: for a byte that stays, that is corrected, or that is new. */
const sameBits = 0.1;
const changedBits = 10;
const usualNewBits = 6;
/** For an operation, and for each bit of how far its alignment is from the one before. */
const operationBits = 40;
const distanceBits = 2;
/** The best alignment is followed without a look at others while this many bytes agree. */
const followBytes = 32;
/** A better alignment is searched where the best one differs, and so many bytes before: a seed then reaches beyond. */
const searchedBytes = 8;
/** A shorter run never pays for an operation; a piece grows over it all the same. */
const leastEntryBytes = 5;
const mostAlignments = 8;
/** So many differing bytes between two runs that are followed cost less than any operation. */
const mostGapBytes = 4;
/** After so many (a power of two) searches in vain the next ones are farther apart, at most by so many bytes. */
const lookStepShift = 9;
const mostLookStep = 15;
const reportEveryBytes = 1 << 18;
const unreached = Number.POSITIVE_INFINITY;

/** A stretch of the target on one alignment (source place minus target place); the ones before it hang on it. */
export interface Stretch {
  readonly start: number;
  readonly shift: number;
  readonly before: Stretch | null;
}

/** The cheapest sequence of alignments through the target; the first one, which has no shift, is left out. */
export function chooseStretches(
  index: SeedIndex,
  target: Uint8Array,
  options: MatchOptions,
): readonly Stretch[] {
  const search = new AlignmentSearch(index, target, options);
  let nextReport = reportEveryBytes;
  for (let at = 0; at < target.length; ) {
    if (at >= nextReport) {
      options.onProgress?.(at);
      nextReport = at + reportEveryBytes;
    }
    at = search.step(at);
  }
  options.onProgress?.(target.length);
  return search.stretches();
}

/** Looks for the shortest path over positions, where each position is reached on one of a few alignments or by new bytes. */
class AlignmentSearch {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #search: SeedSearch;
  readonly #same: SameBytes;
  readonly #newBits: number;
  // The alignments that are followed at present, the first `#count` of each list.
  readonly #shifts = new Int32Array(mostAlignments);
  /** Cheapest way that ends on the alignment, in bits. */
  readonly #costs = new Float64Array(mostAlignments);
  /** Where its last run of agreeing bytes ends. */
  readonly #runEnds = new Int32Array(mostAlignments);
  readonly #stretches: Stretch[];
  #count = 1;
  /** Index of the cheapest alignment. */
  #current = 0;
  /** The cheapest way that ends with bytes that are new, and the stretch before them. */
  #newCost = 0;
  #newStretch: Stretch = { start: 0, shift: 0, before: null };
  /** Searches since the last one that found something, and the place of the next one. */
  #fruitless = 0;
  #nextLook = 0;

  constructor(
    index: SeedIndex,
    target: Uint8Array,
    { leastShift, newBits = usualNewBits }: MatchOptions,
  ) {
    this.#source = index.source;
    this.#target = target;
    this.#search = new SeedSearch(index, target, leastShift);
    this.#same = new SameBytes(index.source, target);
    this.#newBits = newBits;
    this.#stretches = [this.#newStretch];
  }

  stretches(): readonly Stretch[] {
    const stretches: Stretch[] = [];
    for (let stretch = this.#newStretch; stretch.before; stretch = stretch.before)
      stretches.push(stretch);
    return stretches.reverse();
  }

  /** Goes on by a byte, or by all that agree; returns the next position. */
  step(at: number): number {
    const longest = this.#followRuns(at);
    const current = this.#current;
    const run = this.#runEnds[current]! - at;
    if (run >= followBytes && this.#costs[current]! <= this.#newCost) return this.#follow(at, run);
    if (run < searchedBytes && at >= this.#nextLook) this.#look(at, longest + 1);
    let newCost = this.#newCost + this.#newBits;
    let cheapest = -1;
    const costs = this.#costs;
    for (let index = 0; index < this.#count; index++) {
      const cost = costs[index]! + (at < this.#runEnds[index]! ? sameBits : changedBits);
      costs[index] = cost;
      if (cost >= newCost) continue;
      newCost = cost;
      cheapest = index;
    }
    this.#newCost = newCost;
    if (cheapest >= 0) this.#newStretch = this.#stretches[cheapest]!;
    return at + 1;
  }

  /**
   * Follows the cheapest alignment as long as no other way can be cheaper: over long runs, and over gaps between them
   * whose bytes cost less to correct than an operation does.
   */
  #follow(from: number, firstRun: number): number {
    const current = this.#current;
    const shift = this.#shifts[current]!;
    let end = from + firstRun;
    let changed = 0;
    for (let at = end, gapChanged = 0; at < this.#target.length; ) {
      const run = this.#same.count(at + shift, at);
      if (run >= followBytes) {
        end = at + run;
        changed += gapChanged;
        gapChanged = 0;
      } else if (++gapChanged > mostGapBytes) break;
      at += run;
      if (run < followBytes) at++;
    }
    const cost = this.#costs[current]! + changed * changedBits + (end - from - changed) * sameBits;
    this.#costs.fill(unreached);
    this.#costs[current] = cost;
    this.#runEnds[current] = end;
    this.#newCost = cost;
    this.#newStretch = this.#stretches[current]!;
    return end;
  }

  /** Finds the runs that begin, and the cheapest alignment; returns how long the longest run goes on. */
  #followRuns(at: number): number {
    const source = this.#source;
    const byte = this.#target[at];
    const runEnds = this.#runEnds;
    const costs = this.#costs;
    let longest = 0;
    for (let index = 0; index < this.#count; index++) {
      if (runEnds[index]! <= at) {
        const from = at + this.#shifts[index]!;
        if (from < 0 || from >= source.length || source[from] !== byte) continue;
        const size = this.#same.count(from, at);
        runEnds[index] = at + size;
        if (size >= leastEntryBytes) this.#enter(index, at);
      } else if (costs[index] === unreached) this.#enter(index, at);
      const run = runEnds[index]! - at;
      if (run > longest) longest = run;
    }
    let current = this.#current;
    for (let index = 0; index < this.#count; index++)
      if (costs[index]! < costs[current]!) current = index;
    this.#current = current;
    return longest;
  }

  /** Looks for an alignment with more agreeing bytes than those at hand; the longer in vain, the less often. */
  #look(at: number, atLeast: number): void {
    const size = this.#search.search(at, atLeast, at + this.#shifts[this.#current]!);
    if (size === 0) {
      this.#fruitless++;
      // Odd steps meet every fourth byte of the source as well.
      this.#nextLook = at + Math.min(mostLookStep, 1 + 2 * (this.#fruitless >> lookStepShift));
      return;
    }
    this.#fruitless = 0;
    const shift = this.#search.foundAt - at;
    let index = this.#shifts.subarray(0, this.#count).indexOf(shift);
    if (index < 0) {
      index = this.#count < mostAlignments ? this.#count++ : this.#idlest();
      this.#shifts[index] = shift;
      this.#costs[index] = unreached;
    }
    this.#runEnds[index] = at + size;
    this.#enter(index, at);
  }

  /** Begins a stretch when that is cheaper than how the alignment was reached before. */
  #enter(index: number, at: number): void {
    const shift = this.#shifts[index]!;
    const distance = Math.abs(shift - this.#newStretch.shift);
    const cost = this.#newCost + operationBits + distanceBits * (32 - Math.clz32(distance));
    if (cost >= this.#costs[index]!) return;
    this.#costs[index] = cost;
    this.#stretches[index] = { start: at, shift, before: this.#newStretch };
  }

  /** Index of the alignment that agreed longest ago, to be given up for another. */
  #idlest(): number {
    let found = -1;
    for (let index = 0; index < this.#count; index++) {
      if (index === this.#current) continue;
      if (found < 0 || this.#runEnds[index]! < this.#runEnds[found]!) found = index;
    }
    return found;
  }
}
