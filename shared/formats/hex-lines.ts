const longestLineBytes = 1100;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;

const nibbles = new Int8Array(256).fill(-1);
for (let value = 0; value < 16; value += 1) {
  nibbles[value.toString(16).charCodeAt(0)] = value;
  nibbles[value.toString(16).toUpperCase().charCodeAt(0)] = value;
}

/** One line of a record file, without its line end. */
export interface Line {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly line: number;
  /** Offset of the line in the file. */
  readonly offset: number;
}

/** Cuts a stream of bytes into lines; keeps at most one unfinished line. */
export class LineSplitter {
  #rest = new Uint8Array(0);
  #line = 0;
  #offset = 0;
  readonly #onLine: (line: Line) => boolean;
  readonly #onTooLong: (line: number, offset: number) => void;
  #stopped = false;

  /** `onLine` returns false to stop; `onTooLong` is told of a line that no record can have. */
  constructor(onLine: (line: Line) => boolean, onTooLong: (line: number, offset: number) => void) {
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  push(chunk: Uint8Array): void {
    if (this.#stopped) return;
    let bytes = chunk;
    if (this.#rest.length > 0) {
      bytes = new Uint8Array(this.#rest.length + chunk.length);
      bytes.set(this.#rest);
      bytes.set(chunk, this.#rest.length);
    }
    let start = 0;
    for (;;) {
      const feed = bytes.indexOf(lineFeed, start);
      if (feed < 0 || feed - start > longestLineBytes) break;
      this.#emit(bytes, start, feed);
      if (this.#stopped) return;
      this.#offset += feed + 1 - start;
      start = feed + 1;
    }
    if (bytes.length - start > longestLineBytes) {
      this.#stopped = true;
      this.#onTooLong(this.#line + 1, this.#offset);
      return;
    }
    // Not slice: that of a Buffer is a view on memory which the next window overwrites.
    this.#rest = new Uint8Array(bytes.subarray(start));
  }

  finish(): void {
    if (!this.#stopped && this.#rest.length > 0) this.#emit(this.#rest, 0, this.#rest.length);
  }

  #emit(bytes: Uint8Array, start: number, feed: number): void {
    this.#line += 1;
    let end = feed;
    while (end > start && (bytes[end - 1] === carriageReturn || bytes[end - 1] === 0x20)) end -= 1;
    if (end === start) return;
    if (!this.#onLine({ bytes, start, end, line: this.#line, offset: this.#offset })) {
      this.#stopped = true;
    }
  }
}

/**
 * Decodes hexadecimal digits `from..to` of a line into `target`.
 * Returns -1, or the index of the first character that is not a digit.
 */
export function decodeHex(bytes: Uint8Array, from: number, to: number, target: Uint8Array): number {
  let at = 0;
  for (let index = from; index + 1 < to; index += 2, at += 1) {
    const high = nibbles[bytes[index] ?? 0] ?? -1;
    const low = nibbles[bytes[index + 1] ?? 0] ?? -1;
    if (high < 0) return index;
    if (low < 0) return index + 1;
    target[at] = (high << 4) | low;
  }
  if ((to - from) % 2 === 1 && (nibbles[bytes[to - 1] ?? 0] ?? -1) < 0) return to - 1;
  return -1;
}
