import type { ByteReader } from './byte-reader.ts';
import { blockMark, bzip2Crc, endMark, groupSymbols, mostSymbols, runB } from './bzip2-format.ts';

const longestCode = 20;
/** Room for a block grows from so many entries, unless it is taken whole. */
const firstEntries = 16 * 1024;
const mostTables = 6;
const mostSelectors = 1 << 15;
const symbolBits = 9;
/** Codes up to this length are looked up. */
const quickBits = 10;
/** Selectors, and of each table its symbols, limits and bases, and the codes that are looked up. */
const tableBytes =
  mostSelectors + mostTables * (2 * mostSymbols + 8 * (longestCode + 1) + 2 * 2 ** quickBits);
const farSymbol = 32;
const endOfBits = 'the bzip2 stream ends early';

/**
 * Reads a bzip2 stream piece by piece; memory is at most 3.7 MB whatever the stream announces, and grows with its
 * blocks unless `isWhole`.
 * Errors are plain ones that say what is wrong: the caller knows which file and offset it is about.
 */
export class Bzip2Reader implements ByteReader {
  readonly memoryBytes: number;
  readonly #bits: BitReader;
  /** Each entry: the byte in the low 8 bits, above it where the next one is. */
  #links: Uint32Array;
  readonly #capacity: number;
  #left = 0;
  #place = 0;
  #expectedCrc = 0;
  #crc = -1;
  #streamCrc = 0;
  #isOver = false;
  #runByte = -1;
  #runLength = 0;
  #repeats = 0;

  constructor(bytes: Uint8Array, isWhole = false) {
    this.#bits = new BitReader(bytes);
    const head = [8, 8, 8, 8].map((width) => this.#bits.read(width));
    const level = (head[3] ?? 0) - 0x30;
    if (head[0] !== 0x42 || head[1] !== 0x5a || head[2] !== 0x68 || level < 1 || level > 9)
      throw new Error('this is not a bzip2 stream');
    this.#capacity = level * 100_000;
    this.#links = new Uint32Array(isWhole ? this.#capacity : firstEntries);
    this.memoryBytes = 4 * this.#capacity + tableBytes;
  }

  /** Fills the target as far as the stream goes and returns the number of bytes. */
  read(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      if (this.#repeats === 0 && this.#left === 0 && !this.#beginBlock()) break;
      const start = filled;
      filled = this.#expand(target, filled);
      this.#crc = bzip2Crc(this.#crc, target, start, filled);
      if (this.#repeats === 0 && this.#left === 0) this.#endBlock();
    }
    return filled;
  }

  /** Checks that nothing is left. */
  finish(): void {
    if (this.read(new Uint8Array(1)) > 0) throw new Error('the bzip2 stream is longer than needed');
  }

  /** Follows the links of the block and undoes the first run-length coding. */
  #expand(target: Uint8Array, from: number): number {
    let filled = from;
    while (filled < target.length) {
      if (this.#repeats > 0) {
        const count = Math.min(this.#repeats, target.length - filled);
        target.fill(this.#runByte, filled, filled + count);
        filled += count;
        this.#repeats -= count;
        continue;
      }
      if (this.#left === 0) break;
      this.#left--;
      const link = this.#links[this.#place]!;
      const byte = link & 0xff;
      this.#place = link >>> 8;
      if (this.#runLength === 4) {
        this.#repeats = byte;
        this.#runLength = 0;
        this.#runByte = this.#repeats > 0 ? this.#runByte : -1;
        continue;
      }
      this.#runLength = byte === this.#runByte ? this.#runLength + 1 : 1;
      this.#runByte = byte;
      target[filled++] = byte;
    }
    return filled;
  }

  #beginBlock(): boolean {
    if (this.#isOver) return false;
    const mark = [this.#bits.read(24), this.#bits.read(24)];
    const crc = (this.#bits.read(16) << 16) | this.#bits.read(16);
    if (mark[0] === endMark[0] && mark[1] === endMark[1]) {
      if (crc !== this.#streamCrc) throw new Error('the CRC of the bzip2 stream is wrong');
      this.#isOver = true;
      return false;
    }
    if (mark[0] !== blockMark[0] || mark[1] !== blockMark[1])
      throw new Error('a bzip2 block begins wrongly');
    this.#expectedCrc = crc;
    if (this.#bits.read(1) === 1) throw new Error('randomised bzip2 blocks are not read');
    const origin = this.#bits.read(24);
    [this.#links, this.#left] = decodeBlock(this.#bits, this.#links, this.#capacity);
    if (origin >= this.#left) throw new Error('a bzip2 block has no such origin');
    this.#link(origin);
    this.#crc = -1;
    this.#runByte = -1;
    this.#runLength = 0;
    return true;
  }

  /** Adds the links to the bytes of the block. */
  #link(origin: number): void {
    const links = this.#links;
    const starts = new Uint32Array(257);
    for (let at = 0; at < this.#left; at++) starts[links[at]! + 1]!++;
    for (let byte = 0; byte < 256; byte++) starts[byte + 1]! += starts[byte]!;
    for (let at = 0; at < this.#left; at++) links[starts[links[at]! & 0xff]!++]! |= at << 8;
    this.#place = links[origin]! >>> 8;
  }

  #endBlock(): void {
    if (this.#runLength === 4) throw new Error('a bzip2 block ends within a run');
    if (~this.#crc !== this.#expectedCrc) throw new Error('the CRC of a bzip2 block is wrong');
    this.#streamCrc = ((this.#streamCrc << 1) | (this.#streamCrc >>> 31)) ^ this.#expectedCrc;
  }
}

class BitReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #held = 0;
  #heldBits = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A number of at most 24 bits. */
  read(width: number): number {
    const value = this.peek(width);
    this.skip(width);
    return value;
  }

  /** The number that `read` would give; bits beyond the end are zeros. */
  peek(width: number): number {
    while (this.#heldBits < width) {
      this.#held = (this.#held << 8) | (this.#bytes[this.#at] ?? 0);
      this.#at++;
      this.#heldBits += 8;
    }
    return (this.#held >>> (this.#heldBits - width)) & ((1 << width) - 1);
  }

  /** Passes over bits that were peeked at. */
  skip(width: number): void {
    this.#heldBits -= width;
    if (this.#heldBits < 8 * (this.#at - this.#bytes.length)) throw new Error(endOfBits);
  }
}

/** One Huffman table as limits by code length. */
interface Table {
  readonly shortest: number;
  /** Largest code of each length; -1 without any. */
  readonly limits: Int32Array;
  /** What to subtract from a code of each length to get its index in `symbols`. */
  readonly bases: Int32Array;
  readonly symbols: Uint16Array;
  /** By the next `quickBits` bits: a symbol and above it the length of its code; 0 when that is longer. */
  readonly quick: Uint16Array;
}

/**
 * Undoes Huffman coding, zero runs and move-to-front of one block, one byte an entry: returns the room, a larger one if
 * it had to grow, and how many entries are used.
 */
function decodeBlock(
  bits: BitReader,
  room: Uint32Array,
  capacity: number,
): readonly [room: Uint32Array, used: number] {
  let bytes = room;
  const recent = readUsed(bits);
  const alphabet = recent.length + 2;
  const tableCount = bits.read(3);
  const selectorCount = bits.read(15);
  if (tableCount < 2 || tableCount > mostTables || selectorCount === 0)
    throw new Error('a bzip2 block has no tables');
  const selectors = readSelectors(bits, tableCount, selectorCount);
  const tables = Array.from({ length: tableCount }, () => readTable(bits, alphabet));
  let filled = 0;
  let zeros = 0;
  let weight = 1;
  for (let group = 0; group < selectorCount; group++) {
    const table = tables[selectors[group]!]!;
    for (let i = 0; i < groupSymbols; i++) {
      const symbol = readSymbol(bits, table);
      if (symbol <= runB) {
        zeros += weight << symbol;
        weight *= 2;
        if (zeros > capacity) throw new Error('a bzip2 block is too long');
        continue;
      }
      if (filled + zeros > capacity) throw new Error('a bzip2 block is too long');
      if (filled + zeros >= bytes.length) bytes = grown(bytes, filled + zeros, capacity);
      bytes.fill(recent[0]!, filled, filled + zeros);
      filled += zeros;
      zeros = 0;
      weight = 1;
      if (symbol === alphabet - 1) return [bytes, filled];
      if (filled === capacity) throw new Error('a bzip2 block is too long');
      const byte = recent[symbol - 1]!;
      // A block move is quicker than moving one by one only from far away.
      if (symbol > farSymbol) recent.copyWithin(1, 0, symbol - 1);
      else for (let at = symbol - 1; at > 0; at--) recent[at] = recent[at - 1]!;
      recent[0] = byte;
      bytes[filled++] = byte;
    }
  }
  throw new Error('a bzip2 block does not end');
}

/** Room for one more than so many entries, up to the capacity. */
function grown(bytes: Uint32Array, used: number, capacity: number): Uint32Array {
  const size = Math.min(capacity, Math.max(2 * bytes.length, used + 1));
  if (size <= bytes.length) return bytes;
  const room = new Uint32Array(size);
  room.set(bytes);
  return room;
}

function readUsed(bits: BitReader): Uint8Array {
  const used: number[] = [];
  const rows = bits.read(16);
  for (let row = 0; row < 16; row++) {
    if ((rows & (0x8000 >> row)) === 0) continue;
    const columns = bits.read(16);
    for (let column = 0; column < 16; column++)
      if (columns & (0x8000 >> column)) used.push(row * 16 + column);
  }
  if (used.length === 0) throw new Error('a bzip2 block uses no bytes');
  return Uint8Array.from(used);
}

function readSelectors(bits: BitReader, tableCount: number, selectorCount: number): Uint8Array {
  const recent = Array.from({ length: tableCount }, (_, index) => index);
  const selectors = new Uint8Array(selectorCount);
  for (let at = 0; at < selectorCount; at++) {
    let place = 0;
    while (bits.read(1) === 1)
      if (++place >= tableCount) throw new Error('a bzip2 block selects no table');
    const [selector = 0] = recent.splice(place, 1);
    recent.unshift(selector);
    selectors[at] = selector;
  }
  return selectors;
}

function readTable(bits: BitReader, alphabet: number): Table {
  const lengths = new Uint8Array(alphabet);
  let length = bits.read(5);
  for (let symbol = 0; symbol < alphabet; symbol++) {
    for (;;) {
      if (length < 1 || length > longestCode) throw new Error('a bzip2 code length is wrong');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[symbol] = length;
  }
  const limits = new Int32Array(longestCode + 1).fill(-1);
  const bases = new Int32Array(longestCode + 1);
  const symbols = new Uint16Array(alphabet);
  const quick = new Uint16Array(2 ** quickBits);
  let code = 0;
  let listed = 0;
  for (let size = 1; size <= longestCode; size++) {
    bases[size] = code - listed;
    for (let symbol = 0; symbol < alphabet; symbol++) {
      if (lengths[symbol] !== size) continue;
      symbols[listed++] = symbol;
      if (size <= quickBits) {
        const spare = quickBits - size;
        quick.fill((size << symbolBits) | symbol, code << spare, (code + 1) << spare);
      }
      code++;
    }
    if (listed > code - bases[size]! || code > 2 ** size) throw new Error('a bzip2 code is wrong');
    limits[size] = code - 1;
    code *= 2;
  }
  return { shortest: Math.min(...lengths), limits, bases, symbols, quick };
}

function readSymbol(bits: BitReader, table: Table): number {
  const known = table.quick[bits.peek(quickBits)]!;
  if (known !== 0) {
    bits.skip(known >>> symbolBits);
    return known & ((1 << symbolBits) - 1);
  }
  let length = table.shortest;
  let code = bits.read(length);
  while (code > table.limits[length]!) {
    if (++length > longestCode) throw new Error('a bzip2 code is unknown');
    code = (code << 1) | bits.read(1);
  }
  return table.symbols[code - table.bases[length]!]!;
}
