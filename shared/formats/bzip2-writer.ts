import { BitWriter } from './bit-writer.ts';
import { BlockTransform } from './block-transform.ts';
import { blockBytes, blockMark, bzip2Crc, endMark, groupSymbols } from './bzip2-format.ts';
import { assignCodes, chooseTables } from './bzip2-huffman.ts';

/** Room that the last run of a block may need. */
const fullBytes = blockBytes - 19;
const longestRun = 255;
const firstBlockBytes = 64 * 1024;

/**
 * Compresses a stream as bzip2 -9, with a sort that takes linear time whatever the content.
 * Memory: at most about 20 MB while a block of 900 kB is written; writers that share a transform share most of it.
 */
export class Bzip2Writer {
  readonly #out = new BitWriter();
  readonly #transform: BlockTransform;
  #block = new Uint8Array(firstBlockBytes);
  #filled = 0;
  #crc = -1;
  #streamCrc = 0;
  #runByte = -1;
  #runLength = 0;

  constructor(transform = new BlockTransform()) {
    this.#transform = transform;
    for (const byte of [0x42, 0x5a, 0x68, 0x39]) this.#out.write(byte, 8);
  }

  push(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      // At worst four equal bytes become five.
      this.#reserve(Math.ceil((bytes.length - at) * 1.25) + 2);
      const start = at;
      at = this.#fill(bytes, at);
      this.#crc = bzip2Crc(this.#crc, bytes, start, at);
      if (at < bytes.length) this.#endBlock();
    }
  }

  finish(): Uint8Array {
    this.#endBlock();
    this.#writeMark(endMark, this.#streamCrc);
    return this.#out.finish();
  }

  #reserve(count: number): void {
    const wanted = Math.min(blockBytes, this.#filled + count);
    if (wanted <= this.#block.length) return;
    const grown = new Uint8Array(Math.min(blockBytes, Math.max(wanted, this.#block.length * 2)));
    grown.set(this.#block);
    this.#block = grown;
  }

  /**
   * The first step of the format: four equal bytes are followed by the number of more of them.
   * Stops before a run that begins in a full block and returns where it stopped.
   */
  #fill(bytes: Uint8Array, from: number): number {
    const block = this.#block;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let filled = this.#filled;
    let runByte = this.#runByte;
    let runLength = this.#runLength;
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at]!;
      if (byte !== runByte || runLength === longestRun) {
        if (runLength >= 4) block[filled++] = runLength - 4;
        runLength = 0;
        runByte = byte;
        if (filled >= fullBytes) break;
      }
      if (runLength < 4) block[filled++] = byte;
      else {
        const word = Math.imul(byte, 0x01010101);
        while (
          runLength < longestRun - 4 &&
          at + 5 <= bytes.length &&
          view.getInt32(at + 1, true) === word
        ) {
          runLength += 4;
          at += 4;
        }
        while (runLength < longestRun - 1 && bytes[at + 1] === byte) {
          runLength++;
          at++;
        }
      }
      runLength++;
    }
    this.#filled = filled;
    this.#runByte = runByte;
    this.#runLength = runLength;
    return at;
  }

  #endBlock(): void {
    if (this.#runLength >= 4) {
      this.#reserve(1);
      this.#block[this.#filled++] = this.#runLength - 4;
    }
    this.#runByte = -1;
    this.#runLength = 0;
    if (this.#filled === 0) return;
    const crc = ~this.#crc;
    this.#streamCrc = ((this.#streamCrc << 1) | (this.#streamCrc >>> 31)) ^ crc;
    this.#writeMark(blockMark, crc);
    // Never randomised.
    this.#out.write(0, 1);
    const { origin, used, symbols } = this.#transform.run(this.#block.subarray(0, this.#filled));
    this.#filled = 0;
    this.#crc = -1;
    this.#out.write(origin, 24);
    this.#writeUsed(used);
    this.#writeSymbols(symbols, used.length + 2);
  }

  #writeMark(mark: readonly number[], crc: number): void {
    for (const part of mark) this.#out.write(part, 24);
    this.#out.write(crc >>> 16, 16);
    this.#out.write(crc & 0xffff, 16);
  }

  #writeUsed(used: Uint8Array): void {
    const rows = new Uint16Array(16);
    for (const byte of used) rows[byte >> 4]! |= 0x8000 >> (byte & 15);
    this.#out.write(
      rows.reduce((bits, row, index) => (row === 0 ? bits : bits | (0x8000 >> index)), 0),
      16,
    );
    for (const row of rows) if (row !== 0) this.#out.write(row, 16);
  }

  #writeSymbols(symbols: Uint16Array, alphabet: number): void {
    const { count, lengths, selectors } = chooseTables(symbols, alphabet);
    this.#out.write(count, 3);
    this.#out.write(selectors.length, 15);
    const recent = Array.from({ length: count }, (_, index) => index);
    for (const selector of selectors) {
      const place = recent.indexOf(selector);
      recent.splice(place, 1);
      recent.unshift(selector);
      this.#out.write((2 << place) - 2, place + 1);
    }
    const codes = new Uint32Array(lengths.length);
    for (let start = 0; start < lengths.length; start += alphabet) {
      const table = lengths.subarray(start, start + alphabet);
      this.#writeLengths(table);
      codes.set(assignCodes(table), start);
    }
    for (let group = 0; group < selectors.length; group++) {
      const from = group * groupSymbols;
      const to = Math.min(symbols.length, from + groupSymbols);
      this.#out.writeCodes(symbols, from, to, codes, lengths, selectors[group]! * alphabet);
    }
  }

  #writeLengths(lengths: Uint8Array): void {
    let current = lengths[0]!;
    this.#out.write(current, 5);
    for (const length of lengths) {
      for (; current < length; current++) this.#out.write(0b10, 2);
      for (; current > length; current--) this.#out.write(0b11, 2);
      this.#out.write(0, 1);
    }
  }
}
