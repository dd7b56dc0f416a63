import type { ByteReader } from './byte-reader.ts';
import {
  adaptShift,
  afterLiteral,
  alignAt,
  alignBits,
  aloneHeaderBytes,
  directFromSlot,
  halfProbability,
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
  matchLengthAt,
  probabilityBits,
  probabilityCount,
  propertiesBytes,
  repLengthAt,
  shortestMatch,
  slotAt,
  specialAt,
} from './lzma-format.ts';

const unknownSize = Number.POSITIVE_INFINITY;
/** A window grows from this size, unless it is taken whole. */
const firstWindowBytes = 64 * 1024;
const leastDictionaryBytes = 4096;

/** What the header of an LZMA alone stream announces. */
export interface LzmaHeader {
  readonly literalContextBits: number;
  readonly literalPositionBits: number;
  readonly positionBits: number;
  readonly dictionaryBytes: number;
  /** Infinite when an end mark tells the end. */
  readonly sizeBytes: number;
}

/** Reads the 13-byte header of LZMA alone. @throws Error when it is none */
export function readLzmaHeader(bytes: Uint8Array): LzmaHeader {
  if (bytes.length < aloneHeaderBytes) throw new Error('the LZMA header is cut off');
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const size = view.getBigUint64(propertiesBytes, true);
  const isUnknown = size === 0xffff_ffff_ffff_ffffn;
  return readLzmaProperties(bytes, isUnknown ? unknownSize : Number(size));
}

/** Reads properties and dictionary, five bytes, of a stream whose size stands elsewhere. @throws Error when they are none */
export function readLzmaProperties(bytes: Uint8Array, sizeBytes: number): LzmaHeader {
  if (bytes.length < propertiesBytes) throw new Error('the LZMA properties are cut off');
  const properties = bytes[0]!;
  if (properties >= 9 * 5 * 5) throw new Error(`LZMA properties ${properties} do not exist`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return {
    literalContextBits: properties % 9,
    literalPositionBits: Math.floor(properties / 9) % 5,
    positionBits: Math.floor(properties / 45),
    dictionaryBytes: Math.max(leastDictionaryBytes, view.getUint32(1, true)),
    sizeBytes,
  };
}

/**
 * Reads an LZMA stream, by default with the header of LZMA alone; memory is its dictionary, no larger than the content, and at most 7 MB of
 * probabilities. The dictionary grows with the content unless `isWhole`. Errors are plain ones: the caller knows which file and offset it is about.
 */
export class LzmaReader implements ByteReader {
  readonly memoryBytes: number;
  readonly #bytes: Uint8Array;
  readonly #probabilities: Uint16Array;
  readonly #literalContextBits: number;
  readonly #literalPositionMask: number;
  readonly #positionMask: number;
  readonly #dictionaryBytes: number;
  readonly #windowBytes: number;
  #window: Uint8Array;
  #at: number;
  #range = 0xffff_ffff;
  #code = 0;
  #state = 0;
  readonly #reps = new Float64Array(4);
  #total = 0;
  #copyLeft = 0;
  #left: number;
  #isOver = false;

  /** @throws Error when the header is wrong or the dictionary larger than `mostDictionaryBytes` */
  constructor(
    bytes: Uint8Array,
    mostDictionaryBytes: number,
    isWhole = false,
    header = readLzmaHeader(bytes),
    bodyAt = aloneHeaderBytes,
  ) {
    if (header.dictionaryBytes > mostDictionaryBytes)
      throw new Error(`the LZMA dictionary of ${header.dictionaryBytes} bytes is too large`);
    this.#bytes = bytes;
    this.#at = bodyAt;
    this.#probabilities = new Uint16Array(probabilityCount(header)).fill(halfProbability);
    this.#literalContextBits = header.literalContextBits;
    this.#literalPositionMask = (1 << header.literalPositionBits) - 1;
    this.#positionMask = (1 << header.positionBits) - 1;
    this.#dictionaryBytes = header.dictionaryBytes;
    this.#windowBytes = Math.min(header.dictionaryBytes, header.sizeBytes);
    this.#window = new Uint8Array(
      isWhole ? this.#windowBytes : Math.min(this.#windowBytes, firstWindowBytes),
    );
    this.memoryBytes = this.#probabilities.byteLength + this.#reps.byteLength + this.#windowBytes;
    this.#left = header.sizeBytes;
    if (this.#nextByte() !== 0) throw new Error('the LZMA stream begins wrongly');
    for (let i = 0; i < 4; i++) this.#code = ((this.#code << 8) | this.#nextByte()) >>> 0;
  }

  read(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      if (this.#copyLeft > 0) {
        this.#copyLeft--;
        target[filled++] = this.#put(this.#back(this.#reps[0]!));
        continue;
      }
      if (this.#isOver || this.#left === 0) break;
      this.#symbol();
      if (this.#literal >= 0) target[filled++] = this.#put(this.#literal);
    }
    return filled;
  }

  /** Checks that nothing is left but an end mark. */
  finish(): void {
    if (this.#copyLeft > 0) throw new Error('the LZMA stream is longer than needed');
    if (!this.#isOver && this.#left === unknownSize) this.#symbol();
    if (!this.#isOver && this.#left > 0) throw new Error('the LZMA stream is longer than needed');
  }

  /** The byte of the last symbol, or -1 when it was a match or the end mark. */
  #literal = -1;

  #symbol(): void {
    const positionState = this.#total & this.#positionMask;
    const state = this.#state;
    this.#literal = -1;
    if (this.#bit(isMatchAt + state * 16 + positionState) === 0) {
      this.#literal = this.#readLiteral();
      this.#state = afterLiteral(state);
      return;
    }
    const reps = this.#reps;
    let length: number;
    if (this.#bit(isRepAt + state) === 0) {
      length = this.#length(matchLengthAt, positionState);
      const distance = this.#distance(Math.min(length - shortestMatch, 3));
      if (distance === 0xffff_ffff) {
        this.#isOver = true;
        if (this.#left !== unknownSize && this.#left > 0)
          throw new Error('the LZMA stream ends early');
        return;
      }
      reps.copyWithin(1, 0, 3);
      reps[0] = distance;
      this.#state = state < 7 ? 7 : 10;
    } else {
      if (this.#total === 0) throw new Error('an LZMA match repeats nothing');
      if (this.#bit(isRep0At + state) === 0) {
        if (this.#bit(isLongRep0At + state * 16 + positionState) === 0) {
          this.#state = state < 7 ? 9 : 11;
          this.#beginCopy(1);
          return;
        }
      } else {
        const place = this.#bit(isRep1At + state) === 0 ? 1 : this.#bit(isRep2At + state) + 2;
        const distance = reps[place]!;
        reps.copyWithin(1, 0, place);
        reps[0] = distance;
      }
      length = this.#length(repLengthAt, positionState);
      this.#state = state < 7 ? 8 : 11;
    }
    this.#beginCopy(length);
  }

  #beginCopy(length: number): void {
    const distance = this.#reps[0]!;
    if (distance >= this.#total || distance >= this.#dictionaryBytes)
      throw new Error(`an LZMA match reaches back ${distance + 1} bytes, too far`);
    if (length > this.#left) throw new Error('an LZMA match goes beyond the end');
    this.#copyLeft = length;
  }

  #put(byte: number): number {
    if (this.#total === this.#window.length && this.#total < this.#windowBytes) {
      const grown = new Uint8Array(Math.min(this.#windowBytes, this.#total * 2));
      grown.set(this.#window);
      this.#window = grown;
    }
    this.#window[this.#total % this.#window.length] = byte;
    this.#total++;
    this.#left--;
    return byte;
  }

  /** The byte `distance` + 1 before. */
  #back(distance: number): number {
    return this.#window[(this.#total - 1 - distance) % this.#window.length]!;
  }

  #readLiteral(): number {
    const previous = this.#total > 0 ? this.#back(0) : 0;
    const context =
      ((this.#total & this.#literalPositionMask) << this.#literalContextBits) +
      (previous >> (8 - this.#literalContextBits));
    const base = literalAt + 0x300 * context;
    let symbol = 1;
    if (this.#state >= 7) {
      let match = this.#back(this.#reps[0]!);
      while (symbol < 0x100) {
        const matchBit = (match >> 7) & 1;
        match <<= 1;
        const bit = this.#bit(base + ((1 + matchBit) << 8) + symbol);
        symbol = (symbol << 1) | bit;
        if (bit !== matchBit) break;
      }
    }
    while (symbol < 0x100) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol & 0xff;
  }

  #length(base: number, positionState: number): number {
    if (this.#bit(base) === 0)
      return shortestMatch + this.#tree(base + lengthLowAt + positionState * 8, 3);
    if (this.#bit(base + 1) === 0)
      return shortestMatch + 8 + this.#tree(base + lengthMidAt + positionState * 8, 3);
    return shortestMatch + 16 + this.#tree(base + lengthHighAt, 8);
  }

  #distance(lengthState: number): number {
    const slot = this.#tree(slotAt + lengthState * 64, 6);
    if (slot < 4) return slot;
    const footerBits = (slot >> 1) - 1;
    const base = (2 | (slot & 1)) * 2 ** footerBits;
    if (slot < directFromSlot) return base + this.#reverseTree(specialAt + base - slot, footerBits);
    let direct = 0;
    for (let i = alignBits; i < footerBits; i++) direct = direct * 2 + this.#directBit();
    return base + direct * 16 + this.#reverseTree(alignAt, alignBits);
  }

  #tree(base: number, bits: number): number {
    let symbol = 1;
    for (let i = 0; i < bits; i++) symbol = (symbol << 1) | this.#bit(base + symbol);
    return symbol - (1 << bits);
  }

  #reverseTree(base: number, bits: number): number {
    let symbol = 1;
    let value = 0;
    for (let i = 0; i < bits; i++) {
      const bit = this.#bit(base + symbol);
      symbol = (symbol << 1) | bit;
      value |= bit << i;
    }
    return value;
  }

  #bit(index: number): number {
    const probability = this.#probabilities[index]!;
    const bound = (this.#range >>> probabilityBits) * probability;
    let bit = 0;
    if (this.#code < bound) {
      this.#range = bound;
      this.#probabilities[index] =
        probability + (((1 << probabilityBits) - probability) >> adaptShift);
    } else {
      this.#range -= bound;
      this.#code -= bound;
      this.#probabilities[index] = probability - (probability >> adaptShift);
      bit = 1;
    }
    this.#normalize();
    return bit;
  }

  #directBit(): number {
    this.#range >>>= 1;
    const bit = this.#code >= this.#range ? 1 : 0;
    if (bit === 1) this.#code -= this.#range;
    this.#normalize();
    return bit;
  }

  #normalize(): void {
    if (this.#range >= 1 << 24) return;
    this.#range = (this.#range << 8) >>> 0;
    this.#code = ((this.#code << 8) | this.#nextByte()) >>> 0;
  }

  #nextByte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error('the LZMA stream ends early');
    return byte;
  }
}
