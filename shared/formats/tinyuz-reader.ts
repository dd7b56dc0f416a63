import type { ByteReader } from './byte-reader.ts';
import {
  controls,
  dictionarySizeBytes,
  distanceGroupBits,
  leastLineBytes,
  leastMatchBytes,
  lengthGroupBits,
  nearBytes,
  shortDistances,
} from './tinyuz-format.ts';

/** What a reader begins with when it may grow; a dictionary that is announced need not be used. */
const firstWindowBytes = 64 * 1024;
const mostNumber = 0x7fff_ffff;

/** The dictionary that a tinyuz stream needs, in bytes. @throws Error when it is none */
export function tinyuzDictionary(bytes: Uint8Array): number {
  if (bytes.length < dictionarySizeBytes) throw new Error('the tinyuz stream ends early');
  const view = new DataView(bytes.buffer, bytes.byteOffset, dictionarySizeBytes);
  const size = view.getUint32(0, true);
  if (size === 0) throw new Error('a tinyuz stream without a dictionary');
  return size;
}

/** Reads a tinyuz stream; memory is the dictionary that it names. */
export class TinyuzReader implements ByteReader {
  readonly memoryBytes: number;
  readonly #bytes: Uint8Array;
  #at = dictionarySizeBytes;
  #held = 0;
  #heldBits = 0;
  #window: Uint8Array;
  #head = 0;
  #madeBytes = 0;
  #distance = 1;
  #matchLeft = 0;
  #literalsLeft = 0;
  #isAfterLiteral = false;
  #hasEnded = false;

  /** `isWhole` takes the whole dictionary at once, as a device does. */
  constructor(bytes: Uint8Array, mostDictionaryBytes: number, isWhole: boolean) {
    const dictionaryBytes = tinyuzDictionary(bytes);
    if (dictionaryBytes > mostDictionaryBytes)
      throw new Error(`a tinyuz dictionary of ${dictionaryBytes} bytes`);
    this.memoryBytes = dictionaryBytes;
    this.#bytes = bytes;
    const windowBytes = isWhole ? dictionaryBytes : Math.min(dictionaryBytes, firstWindowBytes);
    this.#window = new Uint8Array(windowBytes);
  }

  read(target: Uint8Array): number {
    let filled = 0;
    while (filled < target.length) {
      const left = target.length - filled;
      if (this.#matchLeft > 0) {
        const size = Math.min(this.#matchLeft, left);
        for (let i = 0; i < size; i++) target[filled++] = this.#put(this.#earlier());
        this.#matchLeft -= size;
      } else if (this.#literalsLeft > 0) {
        const size = Math.min(this.#literalsLeft, left);
        for (let i = 0; i < size; i++) target[filled++] = this.#put(this.#next());
        this.#literalsLeft -= size;
      } else if (!this.#readCode()) break;
    }
    return filled;
  }

  finish(): void {
    while (this.#matchLeft + this.#literalsLeft === 0 && this.#readCode());
    if (!this.#hasEnded || this.#at < this.#bytes.length)
      throw new Error('the tinyuz stream is longer than needed');
  }

  /** Reads what comes next, which may be the end of a clip and nothing else; false at the end of the stream. */
  #readCode(): boolean {
    if (this.#hasEnded) return false;
    if (this.#bits(1) === 1) {
      this.#literalsLeft = 1;
      this.#isAfterLiteral = true;
      return true;
    }
    let length = this.#number(lengthGroupBits);
    const isSame = this.#isAfterLiteral && this.#bits(1) === 1;
    const distance = isSame ? this.#distance : this.#readDistance();
    if (distance === 0) return this.#control(length);
    if (!isSame && distance > nearBytes) length++;
    if (distance > this.memoryBytes || distance > this.#madeBytes)
      throw new Error(`a match of tinyuz ${distance} bytes back, before what it can reach`);
    this.#distance = distance;
    this.#matchLeft = length + leastMatchBytes;
    this.#isAfterLiteral = false;
    return true;
  }

  #control(kind: number): boolean {
    if (kind === controls.line) {
      this.#literalsLeft = this.#number(distanceGroupBits) + leastLineBytes;
      this.#isAfterLiteral = true;
      return true;
    }
    this.#isAfterLiteral = false;
    this.#distance = 1;
    this.#held = 0;
    this.#heldBits = 0;
    this.#hasEnded = kind === controls.streamEnd;
    if (!this.#hasEnded && kind !== controls.clipEnd)
      throw new Error(`the unknown control ${kind} of tinyuz`);
    return !this.#hasEnded;
  }

  #readDistance(): number {
    const byte = this.#next();
    if (byte < shortDistances) return byte;
    return byte + this.#number(distanceGroupBits) * shortDistances;
  }

  /** Groups of bits, the highest first; each further group makes the number larger by one of the group before. */
  #number(groupBits: number): number {
    const base = 1 << groupBits;
    for (let value = 0; ; ) {
      const group = this.#bits(groupBits + 1);
      value = value * base + (group & (base - 1));
      if (value > mostNumber) throw new Error('a number of tinyuz is absurdly large');
      if (group < base) return value;
      value++;
    }
  }

  #bits(count: number): number {
    if (this.#heldBits < count) {
      this.#held |= this.#next() << this.#heldBits;
      this.#heldBits += 8;
    }
    const value = this.#held & ((1 << count) - 1);
    this.#held >>>= count;
    this.#heldBits -= count;
    return value;
  }

  #next(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error('the tinyuz stream ends early');
    return byte;
  }

  #earlier(): number {
    const at = this.#head - this.#distance;
    return this.#window[at < 0 ? at + this.#window.length : at]!;
  }

  #put(byte: number): number {
    if (this.#head === this.#window.length) this.#wrap();
    this.#window[this.#head++] = byte;
    this.#madeBytes++;
    return byte;
  }

  #wrap(): void {
    const { length } = this.#window;
    if (length === this.memoryBytes) {
      this.#head = 0;
      return;
    }
    const grown = new Uint8Array(Math.min(this.memoryBytes, length * 2));
    grown.set(this.#window);
    this.#window = grown;
  }
}
