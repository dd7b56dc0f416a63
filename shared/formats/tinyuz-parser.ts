import { MatchTree } from './match-tree.ts';
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
const niceBytes = 512;
/** Of what a long match repeats only so many places at its end become known. */
const knownBytes = 2 * niceBytes;
/** Places that a search may visit; large streams get less, so that their time stays bounded. */
const mostSteps = 256;
const fewSteps = 48;
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
  const matches = new MatchTree(plain, {
    mostDistance: mostDictionaryBytes,
    mostLength: niceBytes,
    mostSteps: plain.length > largeBytes ? fewSteps : mostSteps,
  });
  const parser = new Block(plain, matches, mostDictionaryBytes, sink);
  for (let at = 0; at < plain.length; ) at = parser.parse(at);
}

/** One block and what is known of the one before it. */
class Block {
  readonly #plain: Uint8Array;
  readonly #matches: MatchTree;
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

  constructor(plain: Uint8Array, matches: MatchTree, mostDistance: number, sink: TinyuzSink) {
    this.#plain = plain;
    this.#matches = matches;
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
      const found = this.#matches.search(start + at);
      if (found > 0 && this.#matches.lengths[found - 1] === niceBytes) {
        const distance = this.#matches.distances[found - 1]!;
        this.#emit(start, at);
        return this.#takeLong(start + at, distance);
      }
      this.#goOnFrom(start, at, size, found);
    }
    this.#emit(start, size);
    return start + size;
  }

  /** Takes a match to where it really ends, at the last distance if that reaches as far. */
  #takeLong(at: number, nearest: number): number {
    const repeated = this.#isAfterLiteral ? this.#lengthAt(at, this.#lastDistance) : 0;
    const length = this.#lengthAt(at, nearest);
    const isRepeated = repeated >= length;
    const size = isRepeated ? repeated : length;
    const distance = isRepeated ? this.#lastDistance : nearest;
    const end = at + size;
    for (let place = Math.max(at + 1, end - knownBytes); place < end; place++)
      this.#matches.search(place);
    this.#sink.match(size, distance);
    this.#lastDistance = distance;
    this.#isAfterLiteral = false;
    return end;
  }

  #lengthAt(at: number, distance: number): number {
    const plain = this.#plain;
    if (distance > at || distance > this.#mostDistance) return 0;
    const limit = Math.min(mostMatchBytes, plain.length - at);
    let length = 0;
    while (length < limit && plain[at + length] === plain[at + length - distance]) length++;
    return length;
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
    const { lengths, distances } = this.#matches;
    let length = 2;
    for (let index = 0; index < found; index++) {
      const distance = distances[index]!;
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
