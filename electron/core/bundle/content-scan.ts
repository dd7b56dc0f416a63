const digit0 = 0x30;
const digit9 = 0x39;
const dot = 0x2e;

/** Where a text stands. */
export interface TextHit {
  /** Offset in the content, or in the member of an archive. */
  readonly offset: number;
  readonly member?: string;
}

/**
 * Searches streamed content for a text, such as a version, in ASCII and UTF-16LE. A hit inside a longer
 * number ("1.0.0" in "11.0.0" or "1.0.0.2") does not count.
 */
export class TextScan {
  readonly #needles: readonly { readonly bytes: Buffer; readonly stride: number }[];
  readonly #keepBytes: number;
  readonly #joint: Buffer;
  #tail: Buffer = Buffer.alloc(0);
  #seenBytes = 0;
  /** Offset of a hit in the present piece. */
  #pieceHit: number | null = null;
  #hit: TextHit | null = null;

  constructor(text: string) {
    this.#needles = [
      { bytes: Buffer.from(text, 'ascii'), stride: 1 },
      { bytes: Buffer.from(text, 'utf16le'), stride: 2 },
    ];
    // One unit before and two after decide whether a hit counts.
    this.#keepBytes = text.length * 2 + 6;
    this.#joint = Buffer.alloc(this.#keepBytes * 2);
  }

  /** The first hit in the pieces that were ended, or null. */
  get hit(): TextHit | null {
    return this.#hit;
  }

  push(chunk: Uint8Array): void {
    if (this.#isFound || chunk.length === 0) return;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const start = this.#seenBytes;
    const before = this.#tail;
    this.#seenBytes += bytes.length;
    if (bytes.length <= this.#keepBytes) {
      const both = Buffer.concat([before, bytes]);
      this.#search(both, start - before.length, false);
      this.#tail = both.subarray(Math.max(0, both.length - this.#keepBytes));
      return;
    }
    before.copy(this.#joint);
    bytes.copy(this.#joint, before.length, 0, this.#keepBytes);
    const joined = this.#joint.subarray(0, before.length + this.#keepBytes);
    this.#search(joined, start - before.length, false);
    this.#search(bytes, start, false);
    this.#tail = Buffer.from(bytes.subarray(bytes.length - this.#keepBytes));
  }

  /** Ends one piece of content (the file, or the named member of an archive); the next begins afresh. */
  endPiece(member?: string): void {
    if (!this.#isFound) this.#search(this.#tail, this.#seenBytes - this.#tail.length, true);
    const offset = this.#pieceHit;
    if (this.#hit === null && offset !== null)
      this.#hit = { offset, ...(member ? { member } : {}) };
    this.#tail = Buffer.alloc(0);
    this.#seenBytes = 0;
  }

  get #isFound(): boolean {
    return this.#pieceHit !== null;
  }

  #search(bytes: Buffer, base: number, isEnd: boolean): void {
    for (const { bytes: needle, stride } of this.#needles) {
      let at = this.#isFound ? -1 : bytes.indexOf(needle);
      while (at >= 0) {
        if (this.#standsAlone(bytes, at, needle.length, stride, base, isEnd)) {
          this.#pieceHit = base + at;
          return;
        }
        at = bytes.indexOf(needle, at + 1);
      }
    }
  }

  #standsAlone(
    bytes: Buffer,
    at: number,
    length: number,
    stride: number,
    base: number,
    isEnd: boolean,
  ): boolean {
    // What lies outside the window is decided by the window that holds both sides.
    if (at < stride && base > 0 && this.#tail.length > 0) return false;
    const end = at + length;
    if (!isEnd && end + stride + 1 >= bytes.length) return false;
    const isDigit = (index: number): boolean => {
      const byte = bytes[index] ?? 0;
      return byte >= digit0 && byte <= digit9;
    };
    const wide = (index: number): boolean => stride === 1 || bytes[index + 1] === 0;
    if (at >= stride && isDigit(at - stride) && wide(at - stride)) return false;
    if (at >= stride && bytes[at - stride] === dot && isDigit(at)) return false;
    if (isDigit(end) && wide(end)) return false;
    return !(bytes[end] === dot && isDigit(end + stride));
  }
}

/** Checks that a script is UTF-8 text and has no merge conflict, in chunks of any size. */
export class ScriptScan {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  #tail = '\n';
  #offset = 0;
  #notTextAt: number | null = null;
  #conflictLine: number | null = null;
  #line = 1;

  push(chunk: Uint8Array): void {
    if (this.#notTextAt !== null) return;
    const nul = chunk.indexOf(0);
    let text = '';
    try {
      text = this.#decoder.decode(chunk, { stream: true });
    } catch {
      this.#notTextAt = this.#offset;
    }
    if (nul >= 0) this.#notTextAt = this.#offset + nul;
    this.#offset += chunk.length;
    const both = this.#tail + text;
    const at = both.search(/\n(<{7} |>{7} )/);
    if (at >= 0 && this.#conflictLine === null) {
      this.#conflictLine = this.#line + (both.slice(0, at + 1).match(/\n/g)?.length ?? 0) - 1;
    }
    this.#tail = both.slice(-8);
    this.#line += (both.slice(0, -8).match(/\n/g) ?? []).length;
  }

  /** Offset of (or, for bad UTF-8, of the 1 MiB window before) the first byte that is not text. */
  finish(): { readonly notTextAt: number | null; readonly conflictLine: number | null } {
    if (this.#notTextAt === null) {
      try {
        this.#decoder.decode();
      } catch {
        this.#notTextAt = this.#offset;
      }
    }
    return { notTextAt: this.#notTextAt, conflictLine: this.#conflictLine };
  }
}
