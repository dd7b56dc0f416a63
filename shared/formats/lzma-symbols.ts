import {
  afterLiteral,
  alignAt,
  alignBits,
  directFromSlot,
  fullDistances,
  isLongRep0At,
  isMatchAt,
  isRep0At,
  isRep1At,
  isRep2At,
  isRepAt,
  lengthHighAt,
  lengthLowAt,
  lengthMidAt,
  literalAt,
  type LzmaProperties,
  matchLengthAt,
  probabilityCount,
  repLengthAt,
  shortestMatch,
  slotAt,
  specialAt,
} from './lzma-format.ts';
import { RangeEncoder } from './lzma-range-coder.ts';

/** A symbol is a literal, a repetition of one of four recent distances (0 to 3), or a distance plus {@link repCount}. */
export const literalSymbol = -1;
export const repCount = 4;

/** Slot of a distance: its highest two bits and their place. */
export function distanceSlot(distance: number): number {
  if (distance < 4) return distance;
  const high = 31 - Math.clz32(distance);
  return high * 2 + ((distance >>> (high - 1)) & 1);
}

/** Encodes the symbols of a text and keeps the state that the next one depends on. */
export class SymbolEncoder {
  readonly coder: RangeEncoder;
  readonly reps = new Uint32Array(repCount);
  state = 0;
  readonly positionMask: number;
  readonly #bytes: Uint8Array;
  readonly #literalContextShift: number;
  readonly #literalContextBits: number;
  readonly #literalPositionMask: number;

  constructor(bytes: Uint8Array, properties: LzmaProperties) {
    this.#bytes = bytes;
    this.coder = new RangeEncoder(probabilityCount(properties));
    this.positionMask = (1 << properties.positionBits) - 1;
    this.#literalContextBits = properties.literalContextBits;
    this.#literalContextShift = 8 - properties.literalContextBits;
    this.#literalPositionMask = (1 << properties.literalPositionBits) - 1;
  }

  /** Where the probabilities of a literal begin. */
  literalBase(at: number): number {
    const previous = at > 0 ? this.#bytes[at - 1]! : 0;
    const position = (at & this.#literalPositionMask) << this.#literalContextBits;
    return literalAt + 0x300 * (position + (previous >> this.#literalContextShift));
  }

  encode(at: number, symbol: number, length: number): void {
    const { coder, reps, state } = this;
    const positionState = at & this.positionMask;
    const matchIndex = isMatchAt + state * 16 + positionState;
    if (symbol === literalSymbol) {
      coder.bit(matchIndex, 0);
      this.#literal(at);
      this.state = afterLiteral(state);
      return;
    }
    coder.bit(matchIndex, 1);
    if (symbol >= repCount) {
      const distance = symbol - repCount;
      coder.bit(isRepAt + state, 0);
      this.#length(matchLengthAt, length, positionState);
      this.#distance(distance, Math.min(length - shortestMatch, 3));
      reps.copyWithin(1, 0, 3);
      reps[0] = distance;
      this.state = state < 7 ? 7 : 10;
      return;
    }
    coder.bit(isRepAt + state, 1);
    if (symbol === 0) {
      coder.bit(isRep0At + state, 0);
      coder.bit(isLongRep0At + state * 16 + positionState, length === 1 ? 0 : 1);
    } else {
      coder.bit(isRep0At + state, 1);
      coder.bit(isRep1At + state, symbol === 1 ? 0 : 1);
      if (symbol > 1) coder.bit(isRep2At + state, symbol - 2);
      const distance = reps[symbol]!;
      reps.copyWithin(1, 0, symbol);
      reps[0] = distance;
    }
    if (length === 1) {
      this.state = state < 7 ? 9 : 11;
      return;
    }
    this.#length(repLengthAt, length, positionState);
    this.state = state < 7 ? 8 : 11;
  }

  /** Ends the stream; with an end mark where decoders are not told the size. */
  finish(at: number, hasEndMark: boolean): Uint8Array {
    if (hasEndMark) this.#endMark(at);
    return this.coder.finish();
  }

  #endMark(at: number): void {
    const positionState = at & this.positionMask;
    this.coder.bit(isMatchAt + this.state * 16 + positionState, 1);
    this.coder.bit(isRepAt + this.state, 0);
    this.#length(matchLengthAt, shortestMatch, positionState);
    this.#distance(0xffff_ffff, 0);
  }

  #literal(at: number): void {
    const base = this.literalBase(at);
    const coder = this.coder;
    let symbol = this.#bytes[at]! | 0x100;
    if (this.state < 7) {
      coder.tree(base, 8, symbol & 0xff);
      return;
    }
    let match = this.#bytes[at - this.reps[0]! - 1]!;
    let offset = 0x100;
    while (symbol < 0x10000) {
      match <<= 1;
      coder.bit(base + offset + (match & offset) + (symbol >> 8), (symbol >> 7) & 1);
      symbol <<= 1;
      offset &= ~(match ^ symbol);
    }
  }

  #length(base: number, length: number, positionState: number): void {
    const coder = this.coder;
    const rest = length - shortestMatch;
    coder.bit(base, rest < 8 ? 0 : 1);
    if (rest < 8) {
      coder.tree(base + lengthLowAt + positionState * 8, 3, rest);
      return;
    }
    coder.bit(base + 1, rest < 16 ? 0 : 1);
    if (rest < 16) coder.tree(base + lengthMidAt + positionState * 8, 3, rest - 8);
    else coder.tree(base + lengthHighAt, 8, rest - 16);
  }

  #distance(distance: number, lengthState: number): void {
    const coder = this.coder;
    const slot = distanceSlot(distance);
    coder.tree(slotAt + lengthState * 64, 6, slot);
    if (slot < 4) return;
    const footerBits = (slot >> 1) - 1;
    const base = ((2 | (slot & 1)) << footerBits) >>> 0;
    const rest = distance - base;
    if (distance < fullDistances && slot < directFromSlot) {
      coder.reverseTree(specialAt + base - slot, footerBits, rest);
      return;
    }
    coder.directBits(rest >>> alignBits, footerBits - alignBits);
    coder.reverseTree(alignAt, alignBits, rest & 15);
  }
}
