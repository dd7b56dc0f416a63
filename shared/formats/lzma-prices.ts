import {
  alignAt,
  alignBits,
  fullDistances,
  lengthHighAt,
  lengthLowAt,
  lengthMidAt,
  longestMatch,
  positionStates,
  shortestMatch,
  slotAt,
  specialAt,
} from './lzma-format.ts';
import { bitUnits, type RangeEncoder } from './lzma-range-coder.ts';
import { distanceSlot } from './lzma-symbols.ts';

const lengthCount = longestMatch + 1;
const slotCount = 64;

/** Prices of all lengths by position state, as the probabilities stood at the last refresh. */
export class LengthPrices {
  readonly #base: number;
  readonly #prices = new Uint32Array(positionStates * lengthCount);

  constructor(base: number) {
    this.#base = base;
  }

  refresh(coder: RangeEncoder, positionMask: number): void {
    const base = this.#base;
    const low = coder.price(base, 0);
    const mid = coder.price(base, 1) + coder.price(base + 1, 0);
    const high = coder.price(base, 1) + coder.price(base + 1, 1);
    for (let positionState = 0; positionState <= positionMask; positionState++) {
      const row = positionState * lengthCount + shortestMatch;
      for (let rest = 0; rest < 8; rest++) {
        this.#prices[row + rest] =
          low + coder.treePrice(base + lengthLowAt + positionState * 8, 3, rest);
        this.#prices[row + 8 + rest] =
          mid + coder.treePrice(base + lengthMidAt + positionState * 8, 3, rest);
      }
      for (let rest = 0; rest < 256; rest++)
        this.#prices[row + 16 + rest] =
          positionState === 0
            ? high + coder.treePrice(base + lengthHighAt, 8, rest)
            : this.#prices[shortestMatch + 16 + rest]!;
    }
  }

  of(length: number, positionState: number): number {
    return this.#prices[positionState * lengthCount + length]!;
  }
}

/** Prices of distances, as the probabilities stood at the last refresh. */
export class DistancePrices {
  readonly #slots = new Uint32Array(4 * slotCount);
  readonly #full = new Uint32Array(4 * fullDistances);
  readonly #align = new Uint32Array(1 << alignBits);

  refresh(coder: RangeEncoder): void {
    for (let value = 0; value < 1 << alignBits; value++)
      this.#align[value] = coder.reverseTreePrice(alignAt, alignBits, value);
    for (let lengthState = 0; lengthState < 4; lengthState++) {
      for (let slot = 0; slot < slotCount; slot++) {
        const direct = Math.max(0, (slot >> 1) - 1 - alignBits) * bitUnits;
        this.#slots[lengthState * slotCount + slot] =
          coder.treePrice(slotAt + lengthState * slotCount, 6, slot) + direct;
      }
      for (let distance = 0; distance < fullDistances; distance++) {
        const slot = distanceSlot(distance);
        const footerBits = (slot >> 1) - 1;
        const base = (2 | (slot & 1)) << Math.max(0, footerBits);
        const footer =
          slot < 4
            ? 0
            : coder.reverseTreePrice(specialAt + base - slot, footerBits, distance - base);
        this.#full[lengthState * fullDistances + distance] =
          this.#slots[lengthState * slotCount + slot]! + footer;
      }
    }
  }

  of(distance: number, length: number): number {
    const lengthState = Math.min(length - shortestMatch, 3);
    if (distance < fullDistances) return this.#full[lengthState * fullDistances + distance]!;
    return (
      this.#slots[lengthState * slotCount + distanceSlot(distance)]! + this.#align[distance & 15]!
    );
  }
}
