import { adaptShift, halfProbability, probabilityBits } from './lzma-format.ts';

const priceShift = 4;
/** What 1 bit costs in the units of {@link bitPrice}. */
export const bitUnits = 16;

/** Price of a bit by its probability, in sixteenths of a bit. */
const prices = Uint16Array.from({ length: 1 << (probabilityBits - priceShift) }, (_, index) =>
  Math.round(-bitUnits * Math.log2((index + 0.5) / (1 << (probabilityBits - priceShift)))),
);

/** Encodes bits by adaptive probabilities ("LZMA specification", range coder). */
export class RangeEncoder {
  readonly probabilities: Uint16Array;
  #bytes = new Uint8Array(1 << 16);
  #size = 0;
  /** At most 2^33: beyond what the bit operators hold. */
  #low = 0;
  #range = 0xffff_ffff;
  #cache = 0;
  #pending = 1;

  constructor(probabilityCount: number) {
    this.probabilities = new Uint16Array(probabilityCount).fill(halfProbability);
  }

  bit(index: number, bit: number): void {
    const probability = this.probabilities[index]!;
    const bound = (this.#range >>> probabilityBits) * probability;
    if (bit === 0) {
      this.#range = bound;
      this.probabilities[index] =
        probability + (((1 << probabilityBits) - probability) >> adaptShift);
    } else {
      this.#low += bound;
      this.#range -= bound;
      this.probabilities[index] = probability - (probability >> adaptShift);
    }
    while (this.#range < 1 << 24) {
      this.#range = (this.#range << 8) >>> 0;
      this.#shiftLow();
    }
  }

  directBits(value: number, count: number): void {
    for (let i = count - 1; i >= 0; i--) {
      this.#range >>>= 1;
      if ((value >>> i) & 1) this.#low += this.#range;
      while (this.#range < 1 << 24) {
        this.#range = (this.#range << 8) >>> 0;
        this.#shiftLow();
      }
    }
  }

  tree(base: number, bits: number, value: number): void {
    let symbol = 1;
    for (let i = bits - 1; i >= 0; i--) {
      const bit = (value >> i) & 1;
      this.bit(base + symbol, bit);
      symbol = (symbol << 1) | bit;
    }
  }

  reverseTree(base: number, bits: number, value: number): void {
    let symbol = 1;
    for (let i = 0; i < bits; i++) {
      const bit = (value >>> i) & 1;
      this.bit(base + symbol, bit);
      symbol = (symbol << 1) | bit;
    }
  }

  /** Everything written; nothing can follow. */
  finish(): Uint8Array {
    for (let i = 0; i < 5; i++) this.#shiftLow();
    return this.#bytes.slice(0, this.#size);
  }

  price(index: number, bit: number): number {
    return bitPrice(this.probabilities[index]!, bit);
  }

  treePrice(base: number, bits: number, value: number): number {
    let symbol = 1;
    let sum = 0;
    for (let i = bits - 1; i >= 0; i--) {
      const bit = (value >> i) & 1;
      sum += bitPrice(this.probabilities[base + symbol]!, bit);
      symbol = (symbol << 1) | bit;
    }
    return sum;
  }

  reverseTreePrice(base: number, bits: number, value: number): number {
    let symbol = 1;
    let sum = 0;
    for (let i = 0; i < bits; i++) {
      const bit = (value >>> i) & 1;
      sum += bitPrice(this.probabilities[base + symbol]!, bit);
      symbol = (symbol << 1) | bit;
    }
    return sum;
  }

  /** A byte leaves as soon as no carry can change it. */
  #shiftLow(): void {
    if (this.#low < 0xff00_0000 || this.#low >= 2 ** 32) {
      const carry = this.#low >= 2 ** 32 ? 1 : 0;
      for (; this.#pending > 0; this.#pending--) {
        this.#write(this.#cache + carry);
        this.#cache = 0xff;
      }
      this.#cache = (this.#low >>> 24) & 0xff;
    }
    this.#pending++;
    this.#low = (this.#low & 0x00ff_ffff) * 256;
  }

  #write(byte: number): void {
    if (this.#size === this.#bytes.length) {
      const grown = new Uint8Array(this.#size * 2);
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    this.#bytes[this.#size++] = byte;
  }
}

function bitPrice(probability: number, bit: number): number {
  const index = bit === 0 ? probability : (1 << probabilityBits) - probability;
  return prices[index >> priceShift]!;
}
