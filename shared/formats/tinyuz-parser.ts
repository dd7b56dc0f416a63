import { longestMatch } from './lzma-format.ts';
import { MatchFinder } from './lzma-matches.ts';
import { leastLineBytes } from './tinyuz-format.ts';
import {
  distancePrice,
  lengthPrice,
  linePrice,
  literalPrice,
  longerLinePrice,
  shortestMatch,
} from './tinyuz-prices.ts';

/** Takes what a stream is made of, in order. */
export interface TinyuzSink {
  literal(at: number): void;
  match(length: number, distance: number): void;
}

/** Decoders with numbers of 16 bits need no longer matches than this. */
const mostMatchBytes = 65_535;
/** A match as long as this is taken at once. */
const niceBytes = 192;
/** What a search may look at; large streams get less, so that their time stays bounded. */
const mostCandidates = 128;
const fewCandidates = 16;
const largeBytes = 4 * 1024 * 1024;
/** So many bytes are weighed at a time. */
const blockBytes = 32 * 1024;

/** What stands before a place; after literals a match may take the distance of the last one. */
const afterMatch = 0;
const afterLiteral = 1;
const afterLine = 2;
const states = 3;
const unreachable = 0x7fff_ffff;

/**
 * Finds the cheapest way through the bytes, block by block: at each place the fewest bits after a match, a literal and
 * a literal line, each with the distance of the last match.
 */
export function parseTinyuz(
  plain: Uint8Array,
  mostDictionaryBytes: number,
  sink: TinyuzSink,
): void {
  const candidates = plain.length > largeBytes ? fewCandidates : mostCandidates;
  const finder = new MatchFinder(plain, mostDictionaryBytes, niceBytes, candidates);
  const parser = new Block(plain, finder, mostDictionaryBytes, sink);
  for (let at = 0; at < plain.length; ) at = parser.parse(at);
}

/** One block and what is known of the one before it. */
class Block {
  readonly #plain: Uint8Array;
  readonly #finder: MatchFinder;
  readonly #mostDistance: number;
  readonly #sink: TinyuzSink;
  readonly #prices = new Int32Array((blockBytes + 1) * states);
  /** Distance of the last match, and length of the literal line. */
  readonly #distances = new Int32Array((blockBytes + 1) * states);
  readonly #lines = new Int32Array(blockBytes + 1);
  /** The place and state that each was reached from. */
  readonly #origins = new Int32Array((blockBytes + 1) * states);
  #lastDistance = 1;
  #isAfterLiteral = false;

  constructor(plain: Uint8Array, finder: MatchFinder, mostDistance: number, sink: TinyuzSink) {
    this.#plain = plain;
    this.#finder = finder;
    this.#mostDistance = mostDistance;
    this.#sink = sink;
  }

  /** Parses what follows up to a long match or the end of the block; returns where the next one begins. */
  parse(start: number): number {
    const size = Math.min(blockBytes, this.#plain.length - start);
    this.#prices.fill(unreachable, 0, (size + 1) * states);
    const first = this.#isAfterLiteral ? afterLiteral : afterMatch;
    this.#prices[first] = 0;
    this.#distances[first] = this.#lastDistance;
    for (let at = 0; at < size; at++) {
      const found = this.#finder.search(start + at);
      const longest = found > 0 ? this.#finder.lengths[found - 1]! : 0;
      if (longest >= niceBytes) {
        const distance = this.#finder.distances[found - 1]! + 1;
        this.#emit(start, at);
        return this.#takeLong(start + at, longest, distance);
      }
      this.#goOnFrom(start, at, size, found);
    }
    this.#emit(start, size);
    return start + size;
  }

  #takeLong(at: number, length: number, distance: number): number {
    const plain = this.#plain;
    let size = length;
    // The finder stops at the longest match of LZMA.
    if (size === longestMatch)
      while (size < mostMatchBytes && plain[at + size] === plain[at + size - distance]) {
        if (at + size >= plain.length) break;
        size++;
      }
    for (let known = 1; known < size; known++) this.#finder.skip(at + known);
    this.#sink.match(size, distance);
    this.#lastDistance = distance;
    this.#isAfterLiteral = false;
    return at + size;
  }

  #goOnFrom(start: number, at: number, size: number, found: number): void {
    const prices = this.#prices;
    const here = at * states;
    let best = unreachable;
    let bestState = afterMatch;
    for (let state = 0; state < states; state++) {
      const price = prices[here + state]!;
      if (price === unreachable) continue;
      const distance = this.#distances[here + state]!;
      this.#relax(at + 1, afterLiteral, price + literalPrice, here + state, distance);
      const saysOther = state === afterMatch ? 0 : 1;
      if (price + saysOther < best) {
        best = price + saysOther;
        bestState = state;
      }
      if (state !== afterLine && at + leastLineBytes <= size)
        this.#beginLine(at, price + saysOther, here + state, distance);
      if (state === afterLine) this.#lengthenLine(at, price, distance);
      if (state !== afterMatch) this.#repeat(start, at, size, state);
    }
    this.#match(at, size, found, best, here + bestState);
  }

  #beginLine(at: number, price: number, from: number, distance: number): void {
    const to = at + leastLineBytes;
    if (this.#relax(to, afterLine, price + linePrice, from, distance))
      this.#lines[to] = leastLineBytes;
  }

  #lengthenLine(at: number, price: number, distance: number): void {
    const length = this.#lines[at]!;
    const longer = price + longerLinePrice(length);
    if (this.#relax(at + 1, afterLine, longer, at * states + afterLine, distance))
      this.#lines[at + 1] = length + 1;
  }

  /** Goes on at the distance of the last match. */
  #repeat(start: number, at: number, size: number, state: number): void {
    const plain = this.#plain;
    const from = at * states + state;
    const distance = this.#distances[from]!;
    const place = start + at;
    if (distance > place || distance > this.#mostDistance) return;
    const limit = Math.min(size - at, niceBytes);
    const price = this.#prices[from]! + 1;
    for (let i = 0; i < limit && plain[place + i] === plain[place + i - distance]; i++)
      if (i > 0) this.#relax(at + i + 1, afterMatch, price + lengthPrice(i + 1), from, distance);
  }

  #match(at: number, size: number, found: number, price: number, from: number): void {
    const { lengths, distances } = this.#finder;
    let length = 2;
    for (let index = 0; index < found; index++) {
      const distance = distances[index]! + 1;
      const longest = Math.min(lengths[index]!, size - at);
      const shortest = shortestMatch(distance);
      // A far match says a length of one less.
      const less = shortest - shortestMatch(1);
      const base = price + distancePrice(distance);
      for (length = Math.max(length, shortest); length <= longest; length++)
        this.#relax(at + length, afterMatch, base + lengthPrice(length - less), from, distance);
    }
  }

  #relax(to: number, state: number, price: number, from: number, distance: number): boolean {
    const index = to * states + state;
    if (price >= this.#prices[index]!) return false;
    this.#prices[index] = price;
    this.#origins[index] = from;
    this.#distances[index] = distance;
    return true;
  }

  /** Hands out the cheapest way to a place of the block. */
  #emit(start: number, end: number): void {
    const prices = this.#prices;
    let index = end * states;
    for (let state = 1; state < states; state++)
      if (prices[end * states + state]! < prices[index]!) index = end * states + state;
    this.#lastDistance = this.#distances[index]!;
    this.#isAfterLiteral = index % states !== afterMatch;
    const way: number[] = [];
    for (; index >= states; index = this.#origins[index]!) way.push(index);
    let at = 0;
    for (const step of way.reverse()) {
      const to = Math.floor(step / states);
      if (step % states === afterMatch) this.#sink.match(to - at, this.#distances[step]!);
      else for (; at < to; at++) this.#sink.literal(start + at);
      at = to;
    }
  }
}
