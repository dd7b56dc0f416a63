import type { MatchOptions } from './matcher.ts';
import { matchBytes, SeedIndex } from './seed-index.ts';

/** What a patch takes after compression, in bits: for a byte that stays, that is corrected, or that is new. */
const sameBits = 0.1;
const changedBits = 10;
const usualNewBits = 6;
/** For an operation, and for each bit of how far its alignment is from the one before. */
const operationBits = 40;
const distanceBits = 2;
/** The best alignment is followed without a look at others while this many bytes agree. */
const followBytes = 32;
/** So many places of a run of agreeing bytes are searched for a better alignment. */
const searchedBytes = 12;
/** A shorter run never pays for an operation; a piece grows over it all the same. */
const leastEntryBytes = 5;
const mostAlignments = 8;
const reportEveryBytes = 1 << 18;
const unreached = Number.POSITIVE_INFINITY;

/** A stretch of the target on one alignment (source place minus target place); the ones before it hang on it. */
export interface Stretch {
  readonly start: number;
  readonly shift: number;
  readonly before: Stretch | null;
}

/** An alignment that is followed at present. */
interface Alignment {
  readonly shift: number;
  /** Cheapest way that ends on it, in bits. */
  cost: number;
  stretch: Stretch;
  /** Where its last run of agreeing bytes began and ends. */
  runStart: number;
  runEnd: number;
}

/** The cheapest sequence of alignments through the target; the first one, which has no shift, is left out. */
export function chooseStretches(
  source: Uint8Array,
  target: Uint8Array,
  options: MatchOptions,
): readonly Stretch[] {
  const search = new AlignmentSearch(source, target, options);
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
  readonly #index: SeedIndex;
  readonly #newBits: number;
  readonly #active: Alignment[];
  #current: Alignment;
  /** The cheapest way that ends with bytes that are new, and the stretch before them. */
  #newCost = 0;
  #newStretch: Stretch = { start: 0, shift: 0, before: null };

  constructor(
    source: Uint8Array,
    target: Uint8Array,
    { leastShift, newBits = usualNewBits }: MatchOptions,
  ) {
    this.#source = source;
    this.#target = target;
    this.#index = new SeedIndex(source, target, leastShift);
    this.#newBits = newBits;
    this.#current = { shift: 0, cost: 0, stretch: this.#newStretch, runStart: 0, runEnd: 0 };
    this.#active = [this.#current];
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
    const run = current.runEnd - at;
    if (run >= followBytes && current.cost <= this.#newCost) {
      // No other way is cheaper behind so long a run.
      for (const alignment of this.#active) if (alignment !== current) alignment.cost = unreached;
      current.cost += run * sameBits;
      this.#newCost = current.cost;
      this.#newStretch = current.stretch;
      return at + run;
    }
    if (run <= 0 || at - current.runStart < searchedBytes) this.#look(at, longest + 1);
    this.#newCost += this.#newBits;
    for (const alignment of this.#active) {
      alignment.cost += at < alignment.runEnd ? sameBits : changedBits;
      if (alignment.cost >= this.#newCost) continue;
      this.#newCost = alignment.cost;
      this.#newStretch = alignment.stretch;
    }
    return at + 1;
  }

  /** Finds the runs that begin, and the cheapest alignment; returns how long the longest run goes on. */
  #followRuns(at: number): number {
    const source = this.#source;
    const byte = this.#target[at];
    let longest = 0;
    for (const alignment of this.#active) {
      if (alignment.runEnd <= at) {
        const from = at + alignment.shift;
        if (from < 0 || source[from] !== byte) continue;
        const size = matchBytes(source, from, this.#target, at);
        alignment.runStart = at;
        alignment.runEnd = at + size;
        if (size >= leastEntryBytes) this.#enter(alignment, at);
      } else if (alignment.cost === unreached) this.#enter(alignment, at);
      if (alignment.runEnd - at > longest) longest = alignment.runEnd - at;
    }
    for (const alignment of this.#active)
      if (alignment.cost < this.#current.cost) this.#current = alignment;
    return longest;
  }

  /** Looks for an alignment with more agreeing bytes than those at hand. */
  #look(at: number, atLeast: number): void {
    const size = this.#index.search(at, atLeast, at + this.#current.shift);
    if (size === 0) return;
    const shift = this.#index.foundAt - at;
    let alignment = this.#active.find((known) => known.shift === shift);
    if (!alignment) {
      const stretch = this.#newStretch;
      alignment = { shift, cost: unreached, stretch, runStart: at, runEnd: at };
      if (this.#active.length < mostAlignments) this.#active.push(alignment);
      else this.#active[this.#idlest()] = alignment;
    }
    alignment.runStart = at;
    alignment.runEnd = at + size;
    this.#enter(alignment, at);
  }

  /** Begins a stretch when that is cheaper than how the alignment was reached before. */
  #enter(alignment: Alignment, at: number): void {
    const { shift } = alignment;
    const distance = Math.abs(shift - this.#newStretch.shift);
    const cost = this.#newCost + operationBits + distanceBits * (32 - Math.clz32(distance));
    if (cost >= alignment.cost) return;
    alignment.cost = cost;
    alignment.stretch = { start: at, shift, before: this.#newStretch };
  }

  /** Index of the alignment that agreed longest ago, to be given up for another. */
  #idlest(): number {
    let found = -1;
    for (const [index, alignment] of this.#active.entries()) {
      if (alignment === this.#current) continue;
      if (found < 0 || alignment.runEnd < this.#active[found]!.runEnd) found = index;
    }
    return found;
  }
}
