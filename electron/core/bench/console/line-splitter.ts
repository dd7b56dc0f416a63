const [lineFeed, carriageReturn] = [0x0a, 0x0d];
/** A longer line is cut: binary data has no line ends. */
const mostLineBytes = 4096;

/** Bytes up to and with a line end, and when the first of them came. */
export interface SplitLine {
  readonly atMs: number;
  readonly bytes: Uint8Array;
}

/**
 * Splits what is received into lines that end in LF, CR LF or a CR alone. Put together again, the lines and the tail
 * are exactly what was received.
 */
export class LineSplitter {
  #tail: Uint8Array[] = [];
  #tailBytes = 0;
  #atMs = 0;
  /** The tail holds something beside CRs, and its last byte is a CR, which an LF may follow. */
  #hasContent = false;
  #endsInReturn = false;

  push(bytes: Uint8Array, atMs: number): readonly SplitLine[] {
    const lines: SplitLine[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (this.#endsInReturn && this.#hasContent && byte !== lineFeed && byte !== carriageReturn) {
        this.#keep(bytes.slice(start, at), atMs);
        lines.push(this.#take());
        start = at;
      }
      this.#endsInReturn = byte === carriageReturn;
      this.#hasContent ||= byte !== carriageReturn;
      const isLong = this.#tailBytes + at + 1 - start >= mostLineBytes;
      if (byte !== lineFeed && !isLong) continue;
      this.#keep(bytes.slice(start, at + 1), atMs);
      lines.push(this.#take());
      start = at + 1;
    }
    this.#keep(bytes.slice(start), atMs);
    return lines;
  }

  /** The line that has no end yet; null when there is none. */
  get tail(): SplitLine | null {
    return this.#tailBytes === 0 ? null : { atMs: this.#atMs, bytes: Buffer.concat(this.#tail) };
  }

  /** Takes what has no end yet as a line. */
  flush(): SplitLine | null {
    return this.#tailBytes === 0 ? null : this.#take();
  }

  #keep(bytes: Uint8Array, atMs: number): void {
    if (bytes.length === 0) return;
    if (this.#tailBytes === 0) this.#atMs = atMs;
    this.#tail.push(bytes);
    this.#tailBytes += bytes.length;
  }

  #take(): SplitLine {
    const [only] = this.#tail;
    const bytes = only && this.#tail.length === 1 ? only : Buffer.concat(this.#tail);
    this.#tail = [];
    this.#tailBytes = 0;
    this.#hasContent = false;
    this.#endsInReturn = false;
    return { atMs: this.#atMs, bytes };
  }
}
