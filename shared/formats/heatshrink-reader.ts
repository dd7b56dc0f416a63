import type { ByteReader } from './byte-reader.ts';

/** A match of the smallest window and lookahead; what is shorter is padding. */
const leastElementBits = 8;

/** Reads a heatshrink stream; memory is the window of at most 32 KiB. */
export class HeatshrinkReader implements ByteReader {
  readonly memoryBytes: number;
  readonly #bytes: Uint8Array;
  readonly #window: Uint8Array;
  readonly #windowBits: number;
  readonly #lookaheadBits: number;
  #at = 0;
  #held = 0;
  #heldBits = 0;
  #head = 0;
  #distance = 0;
  #left = 0;

  constructor(bytes: Uint8Array, windowBits: number, lookaheadBits: number) {
    if (windowBits > 15 || lookaheadBits > windowBits)
      throw new Error(
        `heatshrink with a window of ${windowBits} bits and matches of ${lookaheadBits}`,
      );
    this.memoryBytes = 1 << windowBits;
    this.#bytes = bytes;
    this.#window = new Uint8Array(1 << windowBits);
    this.#windowBits = windowBits;
    this.#lookaheadBits = lookaheadBits;
  }

  read(target: Uint8Array): number {
    const window = this.#window;
    const mask = window.length - 1;
    let filled = 0;
    while (filled < target.length) {
      if (this.#left > 0) {
        const size = Math.min(this.#left, target.length - filled);
        for (let i = 0; i < size; i++) {
          const byte = window[(this.#head - this.#distance) & mask]!;
          window[this.#head++ & mask] = byte;
          target[filled++] = byte;
        }
        this.#left -= size;
        continue;
      }
      if (this.#leftBits() < leastElementBits) break;
      if (this.#bits(1) === 1) {
        const byte = this.#bits(8);
        window[this.#head++ & mask] = byte;
        target[filled++] = byte;
        continue;
      }
      this.#distance = this.#bits(this.#windowBits) + 1;
      this.#left = this.#bits(this.#lookaheadBits) + 1;
    }
    return filled;
  }

  /** The last byte is padded with zero bits, which is no content. */
  finish(): void {
    if (this.#left > 0 || this.#leftBits() >= leastElementBits)
      throw new Error('the heatshrink stream is longer than needed');
  }

  #leftBits(): number {
    return this.#heldBits + 8 * (this.#bytes.length - this.#at);
  }

  #bits(width: number): number {
    while (this.#heldBits < width) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw new Error('the heatshrink stream ends early');
      this.#held = ((this.#held << 8) | byte) & 0xff_ffff;
      this.#heldBits += 8;
    }
    this.#heldBits -= width;
    return (this.#held >>> this.#heldBits) & ((1 << width) - 1);
  }
}
