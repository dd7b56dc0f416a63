import { readBigEndianVarint } from './big-endian-varint.ts';
import type { ByteSource } from './byte-source.ts';

const windowBytes = 64 * 1024;
/** Bytes that {@link SourceCursor.prepare} makes sure of: more than any group of numbers takes. */
const preparedBytes = 256;

/** Told when content ends inside something that it began. */
export class ContentEnd extends Error {
  readonly offset: number;

  /** `offset` is the size of the content. */
  constructor(offset: number) {
    super(`the content ends at ${offset}`);
    this.offset = offset;
  }
}

/** Told when a number cannot be one. */
export class NumberTooLarge extends Error {
  readonly offset: number;

  /** `offset` is where the number begins. */
  constructor(offset: number) {
    super(`the number at ${offset} is too large`);
    this.offset = offset;
  }
}

/**
 * Reads content from front to back through a window of 64 KiB. After `await prepare()` the next 256
 * bytes can be read without waiting, which is what makes a walk over many small elements quick.
 */
export class SourceCursor {
  readonly #source: ByteSource;
  #window: Uint8Array = new Uint8Array(0);
  /** Offset of the window in the content. */
  #base = 0;
  /** Next byte in the window. */
  #at = 0;

  constructor(source: ByteSource, offset = 0) {
    this.#source = source;
    this.#base = offset;
  }

  /** Offset of the next byte. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /** Bytes up to the end of the content. */
  get leftBytes(): number {
    return Math.max(0, this.#source.sizeBytes - this.offset);
  }

  /** Makes the next bytes readable without waiting. */
  async prepare(): Promise<void> {
    if (this.#window.length - this.#at >= preparedBytes) return;
    const offset = this.offset;
    const windowEnd = this.#base + this.#window.length;
    if (windowEnd >= this.#source.sizeBytes) return;
    // A copy: the source may use the memory of its window again.
    this.#window = Uint8Array.from(await this.#source.read(offset, windowBytes));
    this.#base = offset;
    this.#at = 0;
  }

  /** The next byte. @throws ContentEnd */
  byte(): number {
    const byte = this.#window[this.#at];
    if (byte === undefined) throw new ContentEnd(this.#source.sizeBytes);
    this.#at += 1;
    return byte;
  }

  /**
   * A number of 7 bits a byte, the highest first, whose bytes but the last have their top bit set;
   * of the first byte only the lowest `usedBits` belong to it, and the bit above tells that it goes on.
   * @throws ContentEnd | NumberTooLarge above 2^53
   */
  bigEndianVarint(first = this.byte(), usedBits = 7): number {
    const start = this.offset - 1;
    try {
      return readBigEndianVarint(() => this.byte(), first, usedBits);
    } catch (error) {
      if (error instanceof RangeError) throw new NumberTooLarge(start);
      throw error;
    }
  }

  /** Passes over bytes. @throws ContentEnd */
  skip(sizeBytes: number): void {
    if (sizeBytes > this.leftBytes) throw new ContentEnd(this.#source.sizeBytes);
    this.#at += sizeBytes;
  }
}
