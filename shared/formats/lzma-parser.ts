import {
  afterLiteral,
  isLongRep0At,
  isMatchAt,
  isRep0At,
  isRep1At,
  isRep2At,
  isRepAt,
  longestMatch,
  type LzmaProperties,
  matchLengthAt,
  repLengthAt,
  shortestMatch,
} from './lzma-format.ts';
import { MatchFinder } from './lzma-matches.ts';
import { DistancePrices, LengthPrices } from './lzma-prices.ts';
import { literalSymbol, repCount, SymbolEncoder } from './lzma-symbols.ts';

/** A match as long as this ends the search for a better way. */
const niceBytes = 128;
const mostCandidates = 64;
const horizon = 2048;
const refreshEvery = 256;
const nodeCount = horizon + longestMatch + 2;
const unreached = 0xffff_ffff;

/** Symbols of a text in order; distances are stored plus {@link repCount}. */
export interface SymbolList {
  readonly values: Float64Array;
  readonly lengths: Uint16Array;
  readonly count: number;
}

/** Chooses symbols for a text by their price and encodes them on the way. */
export function chooseSymbols(
  bytes: Uint8Array,
  dictionaryBytes: number,
  properties: LzmaProperties,
  hasEndMark: boolean,
): { readonly symbols: SymbolList; readonly body: Uint8Array } {
  const parser = new Parser(bytes, dictionaryBytes, properties);
  return parser.run(hasEndMark);
}

/** Looks for the cheapest way through the text, a stretch at a time (shortest path over positions). */
class Parser {
  readonly #bytes: Uint8Array;
  readonly #finder: MatchFinder;
  readonly #encoder: SymbolEncoder;
  readonly #matchLengths = new LengthPrices(matchLengthAt);
  readonly #repLengths = new LengthPrices(repLengthAt);
  readonly #distances = new DistancePrices();
  #sinceRefresh = refreshEvery;
  #values = new Float64Array(1 << 14);
  #lengths = new Uint16Array(1 << 14);
  #count = 0;
  // What is known of each position of the stretch: the cheapest way to it.
  readonly #price = new Uint32Array(nodeCount);
  readonly #state = new Uint8Array(nodeCount);
  readonly #reps = new Uint32Array(nodeCount * repCount);
  /** Where the way comes from: a symbol of some length, and perhaps a literal and a repetition after it. */
  readonly #from = new Uint16Array(nodeCount);
  readonly #symbol = new Float64Array(nodeCount);
  readonly #length = new Uint16Array(nodeCount);
  readonly #steps: number[] = [];

  constructor(bytes: Uint8Array, dictionaryBytes: number, properties: LzmaProperties) {
    this.#bytes = bytes;
    this.#finder = new MatchFinder(bytes, dictionaryBytes, niceBytes, mostCandidates);
    this.#encoder = new SymbolEncoder(bytes, properties);
  }

  run(hasEndMark: boolean): { symbols: SymbolList; body: Uint8Array } {
    for (let at = 0; at < this.#bytes.length; ) at = this.#stretch(at);
    const symbols = { values: this.#values, lengths: this.#lengths, count: this.#count };
    return { symbols, body: this.#encoder.finish(this.#bytes.length, hasEndMark) };
  }

  /** Chooses and encodes the symbols of a stretch; returns where it ends. */
  #stretch(start: number): number {
    this.#refresh();
    const end = Math.min(start + horizon, this.#bytes.length);
    this.#price.fill(unreached);
    this.#price[0] = 0;
    this.#state[0] = this.#encoder.state;
    this.#reps.set(this.#encoder.reps);
    let reached = 0;
    let node = 0;
    for (; start + node < end; node++) {
      // All ways meet here: what comes next does not depend on what was before.
      if (node > 0 && node === reached) break;
      const found = this.#finder.search(start + node);
      const long = this.#longMatch(start, node, found);
      if (long > 0) {
        for (let i = 1; i < long; i++) this.#finder.skip(start + node + i);
        node += long;
        break;
      }
      reached = Math.max(reached, this.#relax(start, node, found));
    }
    this.#encodeTo(start, node);
    return start + node;
  }

  #refresh(): void {
    if (this.#sinceRefresh < refreshEvery) return;
    this.#sinceRefresh = 0;
    const { coder, positionMask } = this.#encoder;
    this.#matchLengths.refresh(coder, positionMask);
    this.#repLengths.refresh(coder, positionMask);
    this.#distances.refresh(coder);
  }

  /** Takes a match that is long enough at once: the way ends behind it. */
  #longMatch(start: number, node: number, found: number): number {
    let repeated = 0;
    let place = 0;
    for (let rep = 0; rep < repCount; rep++) {
      const length = this.#matchLength(start + node, this.#reps[node * repCount + rep]!);
      if (length > repeated) {
        repeated = length;
        place = rep;
      }
    }
    const length = found > 0 ? this.#finder.lengths[found - 1]! : 0;
    if (Math.max(length, repeated) < niceBytes) return 0;
    const isRepeated = repeated + 1 >= length;
    const size = isRepeated ? repeated : length;
    const symbol = isRepeated ? place : this.#finder.distances[found - 1]! + repCount;
    this.#set(node + size, 0, node, symbol, size);
    return size;
  }

  #matchLength(at: number, distance: number): number {
    const bytes = this.#bytes;
    const from = at - distance - 1;
    if (from < 0) return 0;
    const limit = Math.min(longestMatch, bytes.length - at);
    let length = 0;
    while (length < limit && bytes[from + length] === bytes[at + length]) length++;
    return length;
  }

  /** Looks at every symbol that can follow a position; returns how far one reaches. */
  #relax(start: number, node: number, found: number): number {
    const { coder, positionMask } = this.#encoder;
    const at = start + node;
    const state = this.#state[node]!;
    const positionState = at & positionMask;
    const base = this.#price[node]!;
    const matchIndex = isMatchAt + state * 16 + positionState;
    const matchPrice = base + coder.price(matchIndex, 1);
    const rep0 = this.#reps[node * repCount]!;

    const literalPrice = base + coder.price(matchIndex, 0) + this.#literalPrice(at, state, rep0);
    this.#offer(node + 1, literalPrice, node, literalSymbol, 1);
    let farthest = node + 1;

    const repPrice = matchPrice + coder.price(isRepAt + state, 1);
    for (let rep = 0; rep < repCount; rep++) {
      const length = this.#matchLength(at, this.#reps[node * repCount + rep]!);
      if (length === 0) continue;
      let price = repPrice;
      if (rep === 0) {
        price += coder.price(isRep0At + state, 0);
        const longIndex = isLongRep0At + state * 16 + positionState;
        this.#offer(node + 1, price + coder.price(longIndex, 0), node, 0, 1);
        price += coder.price(longIndex, 1);
      } else {
        price += coder.price(isRep0At + state, 1) + coder.price(isRep1At + state, rep > 1 ? 1 : 0);
        if (rep > 1) price += coder.price(isRep2At + state, rep - 2);
      }
      for (let size = length; size >= shortestMatch; size--)
        this.#offer(node + size, price + this.#repLengths.of(size, positionState), node, rep, size);
      farthest = Math.max(farthest, node + length);
    }

    if (found > 0) {
      const price = matchPrice + coder.price(isRepAt + state, 0);
      let size = shortestMatch;
      for (let index = 0; index < found; index++) {
        const distance = this.#finder.distances[index]!;
        const longest = this.#finder.lengths[index]!;
        for (; size <= longest; size++)
          this.#offer(
            node + size,
            price + this.#matchLengths.of(size, positionState) + this.#distances.of(distance, size),
            node,
            distance + repCount,
            size,
          );
        farthest = Math.max(farthest, node + longest);
      }
    }
    return farthest;
  }

  #literalPrice(at: number, state: number, rep0: number): number {
    const { coder } = this.#encoder;
    const base = this.#encoder.literalBase(at);
    let symbol = this.#bytes[at]! | 0x100;
    if (state < 7) return coder.treePrice(base, 8, symbol & 0xff);
    let match = this.#bytes[at - rep0 - 1]!;
    let offset = 0x100;
    let sum = 0;
    while (symbol < 0x10000) {
      match <<= 1;
      sum += coder.price(base + offset + (match & offset) + (symbol >> 8), (symbol >> 7) & 1);
      symbol <<= 1;
      offset &= ~(match ^ symbol);
    }
    return sum;
  }

  #offer(to: number, price: number, from: number, symbol: number, length: number): void {
    if (price < this.#price[to]!) this.#set(to, price, from, symbol, length);
  }

  #set(to: number, price: number, from: number, symbol: number, length: number): void {
    this.#price[to] = price;
    this.#from[to] = from;
    this.#symbol[to] = symbol;
    this.#length[to] = length;
    const state = this.#state[from]!;
    const reps = this.#reps;
    const source = from * repCount;
    const target = to * repCount;
    if (symbol === literalSymbol) this.#state[to] = afterLiteral(state);
    else if (symbol >= repCount) this.#state[to] = state < 7 ? 7 : 10;
    else if (length === 1) this.#state[to] = state < 7 ? 9 : 11;
    else this.#state[to] = state < 7 ? 8 : 11;
    if (symbol <= 0) {
      for (let i = 0; i < repCount; i++) reps[target + i] = reps[source + i]!;
      return;
    }
    const moved = symbol >= repCount ? 3 : symbol;
    reps[target] = symbol >= repCount ? symbol - repCount : reps[source + symbol]!;
    for (let i = 1; i < repCount; i++)
      reps[target + i] = i <= moved ? reps[source + i - 1]! : reps[source + i]!;
  }

  #encodeTo(start: number, node: number): void {
    const steps = this.#steps;
    steps.length = 0;
    for (let at = node; at > 0; at = this.#from[at]!) steps.push(at);
    for (let index = steps.length - 1; index >= 0; index--) {
      const to = steps[index]!;
      const symbol = this.#symbol[to]!;
      const length = this.#length[to]!;
      this.#encoder.encode(start + this.#from[to]!, symbol, length);
      this.#record(symbol, length);
    }
    this.#sinceRefresh += steps.length;
  }

  #record(symbol: number, length: number): void {
    if (this.#count === this.#values.length) {
      const values = new Float64Array(this.#count * 2);
      values.set(this.#values);
      this.#values = values;
      const lengths = new Uint16Array(this.#count * 2);
      lengths.set(this.#lengths);
      this.#lengths = lengths;
    }
    this.#values[this.#count] = symbol;
    this.#lengths[this.#count] = length;
    this.#count++;
  }
}
