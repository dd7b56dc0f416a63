import { GrowingBytes } from './growing-bytes.ts';
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
import { type TinyuzSink, parseTinyuz } from './tinyuz-parser.ts';

/**
 * Compresses with tinyuz for a decoder with literal lines, which is how it is built unless told otherwise. The stream
 * names the dictionary that it really needs, at most so many bytes.
 */
export function compressTinyuz(plain: Uint8Array, mostDictionaryBytes: number): Uint8Array {
  const writer = new TinyuzWriter(plain);
  parseTinyuz(plain, mostDictionaryBytes, writer);
  return writer.finish();
}

/** Writes bits and whole bytes by turns: a byte of bits stands where its first bit was written. */
class TinyuzWriter implements TinyuzSink {
  readonly #plain: Uint8Array;
  readonly #out: GrowingBytes;
  #bitsAt = 0;
  #held = 0;
  #heldBits = 0;
  #literalStart = 0;
  #literals = 0;
  #distance = 1;
  #isAfterLiteral = false;
  #farthest = 1;

  constructor(plain: Uint8Array) {
    this.#plain = plain;
    this.#out = new GrowingBytes(plain.length >> 1);
    this.#out.push(new Uint8Array(dictionarySizeBytes));
  }

  literal(at: number): void {
    if (this.#literals === 0) this.#literalStart = at;
    this.#literals++;
  }

  match(length: number, distance: number): void {
    this.#closeLiterals();
    const isSame = this.#isAfterLiteral && distance === this.#distance;
    const rest = length - leastMatchBytes - (!isSame && distance > nearBytes ? 1 : 0);
    this.#bit(0);
    this.#number(rest, lengthGroupBits);
    if (this.#isAfterLiteral) this.#bit(isSame ? 1 : 0);
    if (!isSame) this.#writeDistance(distance);
    this.#distance = distance;
    this.#isAfterLiteral = false;
    this.#farthest = Math.max(this.#farthest, distance);
  }

  finish(): Uint8Array {
    this.#closeLiterals();
    this.#control(controls.streamEnd);
    if (this.#heldBits > 0) this.#putBits();
    const bytes = this.#out.view().slice();
    new DataView(bytes.buffer).setUint32(0, this.#farthest, true);
    return bytes;
  }

  #closeLiterals(): void {
    if (this.#literals === 0) return;
    const end = this.#literalStart + this.#literals;
    if (this.#literals >= leastLineBytes) {
      this.#control(controls.line);
      this.#number(this.#literals - leastLineBytes, distanceGroupBits);
      this.#out.push(this.#plain.subarray(this.#literalStart, end));
    } else
      for (let at = this.#literalStart; at < end; at++) {
        this.#bit(1);
        this.#out.byte(this.#plain[at]!);
      }
    this.#literals = 0;
    this.#isAfterLiteral = true;
  }

  #control(kind: number): void {
    this.#bit(0);
    this.#number(kind, lengthGroupBits);
    if (this.#isAfterLiteral) this.#bit(0);
    this.#out.byte(0);
  }

  #writeDistance(distance: number): void {
    if (distance < shortDistances) {
      this.#out.byte(distance);
      return;
    }
    const rest = distance - shortDistances;
    this.#out.byte(shortDistances | (rest & (shortDistances - 1)));
    this.#number(Math.floor(rest / shortDistances), distanceGroupBits);
  }

  /** Groups of bits, the highest first; what shorter codes can say is taken off. */
  #number(value: number, groupBits: number): void {
    let groups = 1;
    let rest = value;
    for (let most = 1 << groupBits; rest >= most; most <<= groupBits) {
      rest -= most;
      groups++;
    }
    for (let group = groups - 1; group >= 0; group--) {
      for (let bit = 0; bit < groupBits; bit++) this.#bit((rest >>> (group * groupBits + bit)) & 1);
      this.#bit(group > 0 ? 1 : 0);
    }
  }

  #bit(value: number): void {
    if (this.#heldBits === 0) {
      this.#bitsAt = this.#out.view().length;
      this.#out.byte(0);
    }
    this.#held |= value << this.#heldBits++;
    if (this.#heldBits === 8) this.#putBits();
  }

  #putBits(): void {
    this.#out.view()[this.#bitsAt] = this.#held;
    this.#held = 0;
    this.#heldBits = 0;
  }
}
