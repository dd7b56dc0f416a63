const windowBits = 64;

/** Which sequence numbers of an epoch have been seen: the last 64 (RFC 6347 4.1.2.6). */
export class ReplayWindow {
  #newest = -1;
  /** Bit n stands for the sequence number n before the newest. */
  #seen = 0n;

  /** Whether the number was neither seen before nor is too old to tell. */
  isFresh(sequence: number): boolean {
    if (sequence > this.#newest) return true;
    const age = this.#newest - sequence;
    return age < windowBits && (this.#seen & (1n << BigInt(age))) === 0n;
  }

  /** Notes a record that has proved authentic; true when it is the newest so far. */
  note(sequence: number): boolean {
    if (sequence <= this.#newest) {
      this.#seen |= 1n << BigInt(this.#newest - sequence);
      return false;
    }
    const shift = Math.min(sequence - this.#newest, windowBits);
    this.#seen = BigInt.asUintN(windowBits, (this.#seen << BigInt(shift)) | 1n);
    this.#newest = sequence;
    return true;
  }
}
