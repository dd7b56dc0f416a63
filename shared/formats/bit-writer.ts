/** Writes numbers of any bit width, most significant bit first, into a growing buffer. */
export class BitWriter {
  #bytes = new Uint8Array(4096);
  #size = 0;
  #held = 0;
  #heldBits = 0;

  /** Writes the lowest `width` (at most 24) bits of a value. */
  write(value: number, width: number): void {
    this.#reserve(4);
    this.#held = (this.#held << width) | value;
    this.#heldBits += width;
    while (this.#heldBits >= 8) {
      this.#heldBits -= 8;
      this.#bytes[this.#size++] = this.#held >>> this.#heldBits;
    }
  }

  /** Writes the codes of symbols `from..to`; both tables are flat and `tableStart` says where this one begins. */
  writeCodes(
    symbols: Uint16Array,
    from: number,
    to: number,
    codes: Uint32Array,
    lengths: Uint8Array,
    tableStart: number,
  ): void {
    this.#reserve((to - from) * 3 + 4);
    const bytes = this.#bytes;
    let size = this.#size;
    let held = this.#held;
    let heldBits = this.#heldBits;
    for (let at = from; at < to; at++) {
      const entry = tableStart + symbols[at]!;
      const width = lengths[entry]!;
      held = (held << width) | codes[entry]!;
      heldBits += width;
      while (heldBits >= 8) {
        heldBits -= 8;
        bytes[size++] = held >>> heldBits;
      }
    }
    this.#size = size;
    this.#held = held;
    this.#heldBits = heldBits;
  }

  /** Pads the last byte with zeros and returns everything written. */
  finish(): Uint8Array {
    if (this.#heldBits > 0) this.write(0, 8 - this.#heldBits);
    return this.#bytes.slice(0, this.#size);
  }

  #reserve(count: number): void {
    if (this.#size + count <= this.#bytes.length) return;
    const grown = new Uint8Array(this.#bytes.length * 2);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
