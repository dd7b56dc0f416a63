import type { ByteReader } from './byte-reader.ts';
import { GrowingBytes } from './growing-bytes.ts';

const scattered = 0;
const repeated = 1;
/** From this length on a run within other bytes is worth a segment of its own. */
const leastRunBytes = 6;
const truncated = 'the CRLE stream ends early';

/**
 * Compresses by conditional run-length encoding: segments of scattered bytes and of one repeated byte
 * (documentation of detools, "Conditional run-length encoding").
 */
export function compressCrle(plain: Uint8Array): Uint8Array {
  const out = new GrowingBytes(plain.length >> 2);
  let scatteredStart = 0;
  let runStart = 0;
  const closeScattered = (end: number): void => {
    const bytes = plain.subarray(scatteredStart, end);
    if (bytes.length === 0) return;
    // Between two runs a short run is smaller as a third one.
    if (bytes.length > 1 && bytes.every((byte) => byte === bytes[0])) {
      writeRun(out, bytes.length, bytes[0]!);
      return;
    }
    out.byte(scattered);
    writeSize(out, bytes.length);
    out.push(bytes);
  };
  for (let at = 1; at <= plain.length; at++) {
    if (at < plain.length && plain[at] === plain[runStart]) continue;
    if (at - runStart >= leastRunBytes) {
      closeScattered(runStart);
      writeRun(out, at - runStart, plain[runStart]!);
      scatteredStart = at;
    }
    runStart = at;
  }
  closeScattered(plain.length);
  return out.view().slice();
}

function writeRun(out: GrowingBytes, length: number, byte: number): void {
  out.byte(repeated);
  writeSize(out, length);
  out.byte(byte);
}

/** Seven bits a byte, the lowest first. */
function writeSize(out: GrowingBytes, size: number): void {
  let rest = size;
  for (; rest > 0x7f; rest >>>= 7) out.byte(0x80 | (rest & 0x7f));
  out.byte(rest);
}

/** Reads a CRLE stream; it needs no memory beside its input. */
export class CrleReader implements ByteReader {
  readonly memoryBytes = 0;
  readonly #bytes: Uint8Array;
  #at = 0;
  #left = 0;
  #isRun = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(target: Uint8Array): number {
    const bytes = this.#bytes;
    let filled = 0;
    while (filled < target.length) {
      if (this.#left === 0) {
        if (this.#at === bytes.length) break;
        this.#beginSegment();
        continue;
      }
      let size = Math.min(this.#left, target.length - filled);
      if (!this.#isRun) size = Math.min(size, bytes.length - this.#at);
      if (size === 0) throw new Error(truncated);
      if (this.#isRun) target.fill(bytes[this.#at]!, filled, filled + size);
      else {
        target.set(bytes.subarray(this.#at, this.#at + size), filled);
        this.#at += size;
      }
      filled += size;
      this.#left -= size;
      if (this.#isRun && this.#left === 0) this.#at++;
    }
    return filled;
  }

  finish(): void {
    if (this.#left > 0 || this.#at < this.#bytes.length)
      throw new Error('the CRLE stream is longer than needed');
  }

  #beginSegment(): void {
    const kind = this.#next();
    if (kind !== scattered && kind !== repeated)
      throw new Error(`a CRLE segment is of the unknown kind ${kind}`);
    let size = 0;
    let weight = 1;
    for (let byte = 0x80; byte & 0x80; weight *= 128) {
      byte = this.#next();
      size += (byte & 0x7f) * weight;
      if (size > 0xffff_ffff) throw new Error('a CRLE segment is absurdly long');
    }
    this.#isRun = kind === repeated;
    if (this.#isRun && this.#at === this.#bytes.length) throw new Error(truncated);
    this.#left = size;
    if (this.#isRun && size === 0) this.#at++;
  }

  #next(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new Error(truncated);
    return byte;
  }
}

/** Reads bytes that are not compressed at all. */
export class PlainReader implements ByteReader {
  readonly memoryBytes = 0;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  read(target: Uint8Array): number {
    const piece = this.#bytes.subarray(this.#at, this.#at + target.length);
    target.set(piece);
    this.#at += piece.length;
    return piece.length;
  }

  finish(): void {
    if (this.#at < this.#bytes.length) throw new Error('the stream is longer than needed');
  }
}
