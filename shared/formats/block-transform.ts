import { runA, runB } from './bzip2-format.ts';
import { SuffixSorter } from './suffix-sort.ts';

/** A block ready for Huffman coding. */
export interface TransformedBlock {
  /** Row of the block itself among its sorted rotations. */
  readonly origin: number;
  /** Which byte values it has, ascending. */
  readonly used: Uint8Array;
  /** Valid until the next block. */
  readonly symbols: Uint16Array;
}

/** The Burrows-Wheeler and move-to-front transforms of bzip2; keeps its memory (18 bytes per byte) for the next block. */
export class BlockTransform {
  readonly #sorter = new SuffixSorter();
  #text = new Int32Array(0);
  #column = new Uint8Array(0);

  run(block: Uint8Array): TransformedBlock {
    const size = block.length;
    if (size > this.#text.length) {
      this.#text = new Int32Array(size);
      this.#column = new Uint8Array(size);
    }
    // The format sorts rotations. From the smallest rotation on, suffixes sort as rotations do.
    const shift = smallestRotation(block);
    const text = this.#text.subarray(0, size);
    text.set(block.subarray(shift));
    text.set(block.subarray(0, shift), size - shift);
    const column = this.#column.subarray(0, size);
    const order = this.#sorter.sort(text, 256);
    const origin = lastColumn(text, order, (size - shift) % size, column);
    const used = usedBytes(column);
    // The order is not needed any more: its memory holds the symbols.
    const symbols = new Uint16Array(order.buffer, order.byteOffset, size + 1);
    const count = moveToFront(column, used, symbols);
    return { origin, used, symbols: symbols.subarray(0, count) };
  }
}

function lastColumn(
  text: Int32Array,
  order: Int32Array,
  blockStart: number,
  column: Uint8Array,
): number {
  let origin = 0;
  for (let rank = 0; rank < order.length; rank++) {
    const at = order[rank]!;
    column[rank] = text[at === 0 ? text.length - 1 : at - 1]!;
    if (at === blockStart) origin = rank;
  }
  return origin;
}

/** Start of the least rotation, in linear time. */
function smallestRotation(block: Uint8Array): number {
  const size = block.length;
  let best = 0;
  let rival = 1;
  let same = 0;
  while (best < size && rival < size && same < size) {
    let [left, right] = [best + same, rival + same];
    if (left >= size) left -= size;
    if (right >= size) right -= size;
    if (block[left] === block[right]) {
      same++;
      continue;
    }
    if (block[left]! > block[right]!) best += same + 1;
    else rival += same + 1;
    if (best === rival) rival++;
    same = 0;
  }
  return Math.min(best, rival);
}

function usedBytes(bytes: Uint8Array): Uint8Array {
  const isUsed = new Uint8Array(256);
  for (let at = 0; at < bytes.length; at++) isUsed[bytes[at]!] = 1;
  return isUsed.map((_, byte) => byte).filter((byte) => isUsed[byte] === 1);
}

/** Move-to-front indices with runs of zeros in bijective base 2, and the end symbol. Returns how many symbols. */
function moveToFront(bytes: Uint8Array, used: Uint8Array, symbols: Uint16Array): number {
  // Four byte values in each word, the latest in the lowest bits of the first.
  const recent = new Int32Array(64);
  for (let at = 0; at < used.length; at++) recent[at >> 2]! |= used[at]! << (8 * (at & 3));
  let size = 0;
  let zeros = 0;
  for (let at = 0; at <= bytes.length; at++) {
    const byte = at < bytes.length ? bytes[at]! : -1;
    if ((recent[0]! & 0xff) === byte) {
      zeros++;
      continue;
    }
    for (; zeros > 0; zeros = (zeros - 1) >> 1) symbols[size++] = (zeros & 1) === 1 ? runA : runB;
    if (byte < 0) break;
    symbols[size++] = bringForward(recent, byte) + 1;
  }
  symbols[size++] = used.length + 1;
  return size;
}

/** Puts a byte value before all those that stand before it, and returns how many those were. */
function bringForward(recent: Int32Array, byte: number): number {
  const pattern = Math.imul(byte, 0x01010101);
  let moved = byte;
  let index = 0;
  let word = recent[0]!;
  for (;;) {
    const differing = word ^ pattern;
    // Some byte of a word is zero where taking one from each borrows.
    if (((differing - 0x01010101) & ~differing & 0x80808080) !== 0) break;
    recent[index] = (word << 8) | moved;
    moved = word >>> 24;
    word = recent[++index]!;
  }
  let place = 0;
  while (((word >>> (8 * place)) & 0xff) !== byte) place++;
  const kept = place === 3 ? 0 : -1 << (8 * place + 8);
  recent[index] = (word & kept) | (((word << 8) | moved) & ~kept);
  return 4 * index + place;
}
