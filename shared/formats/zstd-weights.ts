/** Weights of more symbols than a byte has values are no Huffman tree. */
const mostWeights = 255;
const longestWeightLog = 6;

/** An FSE decoding table: per state the bits to read and what to add them to. */
interface FseTable {
  readonly log: number;
  readonly bits: readonly number[];
  readonly bases: readonly number[];
  /** First byte behind its description. */
  readonly end: number;
}

/**
 * What is wrong with the Huffman tree of a compressed block's literals, or null. Only a tree whose
 * weights never end is told: an engine that believes it would read them for ever. Source: RFC 8878
 * sections 3.1.1.3.1 and 4.2.1.
 */
export function endlessWeights(block: Uint8Array): string | null {
  const first = block[0] ?? 0;
  if ((first & 3) !== 2) return null;
  const treeAt = [3, 3, 4, 5][(first >> 2) & 3] ?? 3;
  const treeBytes = block[treeAt] ?? 0xff;
  if (treeBytes >= 128) return null;
  const table = readFseTable(block, treeAt + 1);
  if (table === null) return null;
  const lastByte = block[treeAt + treeBytes] ?? 0;
  if (lastByte === 0) return null;
  // The highest bit that is set marks the end from which the weights are read backwards.
  let position = (treeAt + treeBytes) * 8 + highestBit(lastByte);
  const states = [0, 0];
  const wanted = [table.log, table.log];
  for (let weights = 0; ; weights += 1) {
    const turn = weights % 2;
    const size = wanted[turn] ?? 0;
    position -= size;
    if (position < table.end * 8) return null;
    if (weights > mostWeights) return 'the weights of its Huffman tree have no end';
    const state = (states[turn] ?? 0) + bitsAt(block, position, size);
    // The base of the state that follows, to which the bits of its turn are added.
    wanted[turn] = table.bits[state] ?? 0;
    states[turn] = table.bases[state] ?? 0;
  }
}

/** Reads the probabilities of an FSE table and spreads its states; null when they are not sound. */
function readFseTable(bytes: Uint8Array, at: number): FseTable | null {
  const log = ((bytes[at] ?? 0) & 15) + 5;
  if (log > longestWeightLog) return null;
  const size = 1 << log;
  const shares: number[] = [];
  let position = at * 8 + 4;
  let left = size;
  while (left > 0 && shares.length <= mostWeights) {
    const width = highestBit(left + 1);
    const small = (2 << width) - 1 - (left + 1);
    const value = bitsAt(bytes, position, width + 1);
    const low = value & ((1 << width) - 1);
    const isSmall = low < small;
    position += isSmall ? width : width + 1;
    const share = (isSmall ? low : value >= 1 << width ? value - small : value) - 1;
    shares.push(share);
    left -= Math.abs(share);
    // Symbols without a share are counted by groups of three.
    for (let more = share === 0 ? 3 : 0; more === 3; ) {
      more = bitsAt(bytes, position, 2);
      position += 2;
      for (let index = 0; index < more; index += 1) shares.push(0);
    }
  }
  if (left !== 0 || shares.length > mostWeights + 1) return null;
  const symbols = spread(shares, size);
  const next = shares.map((share) => Math.abs(share));
  const bits: number[] = [];
  const bases: number[] = [];
  for (const symbol of symbols) {
    const count = next[symbol] ?? 1;
    next[symbol] = count + 1;
    const width = log - highestBit(count);
    bits.push(width);
    bases.push((count << width) - size);
  }
  return { log, bits, bases, end: Math.ceil(position / 8) };
}

/** The symbol of each state: rare ones at the end, the others in steps over the table (RFC 8878 section 4.1.1). */
function spread(shares: readonly number[], size: number): number[] {
  const symbols = Array.from({ length: size }, () => 0);
  let high = size;
  for (const [symbol, share] of shares.entries()) {
    if (share !== -1) continue;
    high -= 1;
    symbols[high] = symbol;
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let place = 0;
  for (const [symbol, share] of shares.entries()) {
    for (let index = 0; index < share; index += 1) {
      symbols[place] = symbol;
      do place = (place + step) & (size - 1);
      while (place >= high);
    }
  }
  return symbols;
}

/** At most 16 bits, the lowest first; 0 beyond the end. */
function bitsAt(bytes: Uint8Array, position: number, count: number): number {
  const at = position >> 3;
  const three = (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16);
  return (three >> (position & 7)) & ((1 << count) - 1);
}

function highestBit(value: number): number {
  return 31 - Math.clz32(value);
}
