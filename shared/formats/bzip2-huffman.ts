import { groupSymbols } from './bzip2-format.ts';

/** The format allows 20 bits; 17 keep the writer compatible with every decoder, as in libbzip2. */
const longestCode = 17;
const rounds = 5;
/** Bits per symbol that only content without any pattern takes. */
const randomBits = 7.9;
/** Up to so many symbols all counts of tables are tried, and the best one is refined further. */
const triedSymbols = 200_000;
const triedRounds = 3;
const lastRounds = 8;
/** From so many symbols on one table more pays off (compress.c of libbzip2). */
const tableSteps = [200, 600, 1200, 2400] as const;

/** Huffman tables one after the other, each with a code length per symbol, and the table of each group of 50 symbols. */
export interface HuffmanTables {
  readonly count: number;
  /** Symbols of each table. */
  readonly alphabet: number;
  readonly lengths: Uint8Array;
  readonly selectors: Uint8Array;
}

/**
 * Two to six Huffman tables: for few symbols every count is tried, for many the one of libbzip2, and two when they are
 * as good as random.
 */
export function chooseTables(symbols: Uint16Array, alphabet: number): HuffmanTables {
  const isSmall = symbols.length <= triedSymbols;
  const usual = 2 + tableSteps.filter((step) => symbols.length >= step).length;
  if (isSmall) {
    const tried = [2, 3, 4, 5, 6].map((count) =>
      refineTables(symbols, firstTables(symbols, alphabet, count), triedRounds),
    );
    return refineTables(symbols, leastOf(symbols, tried), lastRounds);
  }
  const best = refineTables(symbols, firstTables(symbols, alphabet, usual), rounds);
  if (bitsOf(symbols, best) <= randomBits * symbols.length) return best;
  const pair = refineTables(symbols, firstTables(symbols, alphabet, 2), triedRounds);
  return leastOf(symbols, [best, pair]);
}

function leastOf(symbols: Uint16Array, tried: readonly HuffmanTables[]): HuffmanTables {
  const bits = tried.map((tables) => bitsOf(symbols, tables));
  return tried[bits.indexOf(Math.min(...bits))]!;
}

/** What a block takes with these tables: their lengths, the selectors and the symbols. */
function bitsOf(
  symbols: Uint16Array,
  { count, alphabet, lengths, selectors }: HuffmanTables,
): number {
  let bits = 0;
  for (let table = 0; table < count; table++) {
    const start = table * alphabet;
    for (let symbol = 0; symbol < alphabet; symbol++) {
      const before = lengths[start + Math.max(0, symbol - 1)]!;
      bits += 1 + 2 * Math.abs(lengths[start + symbol]! - before);
    }
  }
  const recent = Array.from({ length: count }, (_, table) => table);
  for (let group = 0; group < selectors.length; group++) {
    const place = recent.indexOf(selectors[group]!);
    recent.splice(place, 1);
    recent.unshift(selectors[group]!);
    bits += place + 1;
    const start = selectors[group]! * alphabet;
    const end = Math.min(symbols.length, (group + 1) * groupSymbols);
    for (let at = group * groupSymbols; at < end; at++) bits += lengths[start + symbols[at]!]!;
  }
  return bits;
}

/** Tables that are refined in rounds: each group takes the one that costs least. */
function refineTables(
  symbols: Uint16Array,
  { count, alphabet, lengths: first }: Pick<HuffmanTables, 'count' | 'alphabet' | 'lengths'>,
  roundCount: number,
): HuffmanTables {
  const lengths = first.slice();
  const selectors = new Uint8Array(Math.ceil(symbols.length / groupSymbols));
  const counts = new Uint32Array(count * alphabet);
  const costs = [new Int32Array(alphabet), new Int32Array(alphabet)] as const;
  for (let round = 0; round < roundCount; round++) {
    packCosts(lengths, alphabet, 0, costs[0]);
    packCosts(lengths, alphabet, 3, costs[1]);
    const isChanged = selectTables(symbols, costs[0], costs[1], count, selectors);
    if (round > 0 && !isChanged) break;
    counts.fill(0);
    countUses(symbols, selectors, alphabet, counts);
    for (let start = 0; start < lengths.length; start += alphabet)
      lengths.set(codeLengths(counts.subarray(start, start + alphabet)), start);
  }
  return { count, alphabet, lengths, selectors };
}

/** Puts the code lengths of three tables into one number per symbol: 50 of them stay below 10 bits each. */
function packCosts(lengths: Uint8Array, alphabet: number, first: number, costs: Int32Array): void {
  costs.fill(0);
  for (let table = first; table < first + 3; table++) {
    const start = table * alphabet;
    if (start >= lengths.length) return;
    for (let symbol = 0; symbol < alphabet; symbol++)
      costs[symbol]! |= lengths[start + symbol]! << (10 * (table - first));
  }
}

/** Returns whether any group changed its table. */
function selectTables(
  symbols: Uint16Array,
  lowCosts: Int32Array,
  highCosts: Int32Array,
  count: number,
  selectors: Uint8Array,
): boolean {
  let isChanged = false;
  for (let group = 0; group < selectors.length; group++) {
    const end = Math.min(symbols.length, (group + 1) * groupSymbols);
    let low = 0;
    let high = 0;
    for (let at = group * groupSymbols; at < end; at++) {
      low += lowCosts[symbols[at]!]!;
      high += highCosts[symbols[at]!]!;
    }
    let least = low & 1023;
    let best = 0;
    for (let table = 1; table < count; table++) {
      const cost = table < 3 ? (low >> (10 * table)) & 1023 : (high >> (10 * (table - 3))) & 1023;
      if (cost >= least) continue;
      least = cost;
      best = table;
    }
    if (selectors[group] !== best) isChanged = true;
    selectors[group] = best;
  }
  return isChanged;
}

function countUses(
  symbols: Uint16Array,
  selectors: Uint8Array,
  alphabet: number,
  counts: Uint32Array,
): void {
  for (let group = 0; group < selectors.length; group++) {
    const start = selectors[group]! * alphabet;
    const end = Math.min(symbols.length, (group + 1) * groupSymbols);
    for (let at = group * groupSymbols; at < end; at++) counts[start + symbols[at]!]!++;
  }
}

/** Tables to begin with: each prefers a share of the alphabet that holds its part of all symbols. */
function firstTables(
  symbols: Uint16Array,
  alphabet: number,
  count: number,
): Pick<HuffmanTables, 'count' | 'alphabet' | 'lengths'> {
  const counts = new Uint32Array(alphabet);
  for (let at = 0; at < symbols.length; at++) counts[symbols[at]!]!++;
  const lengths = new Uint8Array(count * alphabet).fill(15);
  let left = symbols.length;
  for (let table = 0, start = 0; table < count; table++) {
    const share = left / (count - table);
    let end = start;
    let held = 0;
    while (end < alphabet && (held < share || table === count - 1)) held += counts[end++]!;
    lengths.fill(0, table * alphabet + start, table * alphabet + end);
    left -= held;
    start = end;
  }
  return { count, alphabet, lengths };
}

/** Code lengths of an optimal prefix code over frequencies; every symbol gets a code. */
function codeLengths(frequencies: Uint32Array): Uint8Array {
  const weights = Float64Array.from(frequencies, (frequency) => Math.max(1, frequency));
  for (;;) {
    const lengths = huffman(weights);
    if (Math.max(...lengths) <= longestCode) return lengths;
    // Flatter frequencies make a flatter tree.
    for (let symbol = 0; symbol < weights.length; symbol++)
      weights[symbol] = 1 + Math.floor(weights[symbol]! / 2);
  }
}

/** Huffman's algorithm with two queues: leaves by weight, and inner nodes, which are made in order of weight. */
function huffman(weights: Float64Array): Uint8Array {
  const size = weights.length;
  // A weight and its symbol in one number, so that a plain numeric sort does.
  const leaves = weights.map((weight, symbol) => weight * 512 + symbol).sort();
  const nodeWeights = new Float64Array(2 * size - 1);
  nodeWeights.set(weights);
  const parents = new Int32Array(2 * size - 1);
  let leaf = 0;
  let inner = size;
  for (let made = size; made < 2 * size - 1; made++) {
    for (let child = 0; child < 2; child++) {
      const isLeaf =
        leaf < size && (inner >= made || Math.floor(leaves[leaf]! / 512) <= nodeWeights[inner]!);
      const node = isLeaf ? leaves[leaf++]! % 512 : inner++;
      nodeWeights[made]! += nodeWeights[node]!;
      parents[node] = made;
    }
  }
  const depths = new Uint8Array(2 * size - 1);
  for (let node = 2 * size - 3; node >= 0; node--)
    depths[node] = Math.min(255, depths[parents[node]!]! + 1);
  return depths.slice(0, size);
}

/** Canonical codes for code lengths: shorter codes first, then by symbol. */
export function assignCodes(lengths: Uint8Array): Uint32Array {
  const codes = new Uint32Array(lengths.length);
  let code = 0;
  for (let length = 1; length <= longestCode; length++) {
    for (let symbol = 0; symbol < lengths.length; symbol++)
      if (lengths[symbol] === length) codes[symbol] = code++;
    code <<= 1;
  }
  return codes;
}
