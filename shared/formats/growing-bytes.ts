/** Bytes that grow as they are written. */
export class GrowingBytes {
  #bytes: Uint8Array;
  #size = 0;

  constructor(expectedBytes = 4096) {
    this.#bytes = new Uint8Array(Math.max(16, expectedBytes));
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#size++] = value;
  }

  push(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#size);
    this.#size += bytes.length;
  }

  /** A view of what was written, valid until more is. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }

  #reserve(count: number): void {
    const wanted = this.#size + count;
    if (wanted <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, Math.ceil(this.#bytes.length * 1.5)));
    grown.set(this.view());
    this.#bytes = grown;
  }
}
