import { longestMatch } from './lzma-format.ts';

const pairHashBits = 16;
const tripleHashBits = 18;
const mostHashBits = 20;
const seedBytes = 4;

/** Finds earlier places that continue with the same bytes, by hashes of 2, 3 and 4 bytes; memory is 4 bytes per byte of dictionary. */
export class MatchFinder {
  readonly #bytes: Uint8Array;
  readonly #mask: number;
  readonly #farthest: number;
  readonly #chain: Int32Array;
  readonly #pairs = new Int32Array(1 << pairHashBits).fill(-1);
  readonly #triples = new Int32Array(1 << tripleHashBits).fill(-1);
  readonly #heads: Int32Array;
  readonly #shift: number;
  readonly #mostCandidates: number;
  readonly #niceBytes: number;
  /** What the last search found: ascending lengths, each with its least distance (0 for the byte before). */
  readonly lengths = new Uint16Array(longestMatch + 1);
  readonly distances = new Uint32Array(longestMatch + 1);

  constructor(
    bytes: Uint8Array,
    dictionaryBytes: number,
    niceBytes: number,
    mostCandidates: number,
  ) {
    const chainBits = Math.ceil(Math.log2(Math.max(2, Math.min(dictionaryBytes, bytes.length))));
    this.#bytes = bytes;
    this.#mask = (1 << chainBits) - 1;
    this.#farthest = Math.min(dictionaryBytes, 1 << chainBits);
    this.#chain = new Int32Array(1 << chainBits);
    const bits = Math.min(mostHashBits, Math.max(8, chainBits));
    this.#heads = new Int32Array(1 << bits).fill(-1);
    this.#shift = 32 - bits;
    this.#niceBytes = niceBytes;
    this.#mostCandidates = mostCandidates;
  }

  /** Makes a position known without searching it. */
  skip(at: number): void {
    const bytes = this.#bytes;
    if (at + seedBytes > bytes.length) return;
    const word = wordAt(bytes, at);
    this.#pairs[word & 0xffff] = at;
    this.#triples[tripleHash(word)] = at;
    const slot = Math.imul(word, 0x9e3779b1) >>> this.#shift;
    this.#chain[at & this.#mask] = this.#heads[slot]!;
    this.#heads[slot] = at;
  }

  /** Searches a position and makes it known; returns how many matches were found. */
  search(at: number): number {
    const bytes = this.#bytes;
    if (at + seedBytes > bytes.length) return 0;
    const limit = Math.min(longestMatch, bytes.length - at);
    const least = at - this.#farthest;
    const word = wordAt(bytes, at);
    const lengths = this.lengths;
    const distances = this.distances;
    let count = 0;
    let best = 1;
    const take = (candidate: number): void => {
      if (bytes[candidate + best] !== bytes[at + best]) return;
      let length = 0;
      while (length < limit && bytes[candidate + length] === bytes[at + length]) length++;
      if (length <= best) return;
      best = length;
      lengths[count] = length;
      distances[count] = at - candidate - 1;
      count++;
    };
    const pair = this.#pairs[word & 0xffff]!;
    if (pair >= 0 && pair >= least) take(pair);
    const triple = this.#triples[tripleHash(word)]!;
    if (triple >= 0 && triple >= least && triple !== pair && best < limit) take(triple);
    const slot = Math.imul(word, 0x9e3779b1) >>> this.#shift;
    let candidate = this.#heads[slot]!;
    for (let left = this.#mostCandidates; left > 0; left--) {
      if (candidate < 0 || candidate < least || best >= limit || best >= this.#niceBytes) break;
      take(candidate);
      candidate = this.#chain[candidate & this.#mask]!;
    }
    this.skip(at);
    return count;
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function tripleHash(word: number): number {
  return Math.imul(word << 8, 0x9e3779b1) >>> (32 - tripleHashBits);
}
