/** What came since the flasher last wrote may be the begin of the boot log; more than this is none. */
const mostBytes = 65_536;

/** Holds back what a flasher receives until its boot log begins: the answers of a bootloader are no text. */
export class HeldBytes {
  #pieces: Uint8Array[] | null = null;
  #sizeBytes = 0;

  /** Begins to hold back. */
  hold(): void {
    this.#pieces = [];
    this.#sizeBytes = 0;
  }

  /** Forgets what is held: it was an answer, since the flasher goes on. */
  forget(): void {
    if (this.#pieces) this.hold();
  }

  /** Whether the bytes are held back. */
  take(bytes: Uint8Array): boolean {
    if (!this.#pieces) return false;
    this.#pieces.push(Uint8Array.from(bytes));
    this.#sizeBytes += bytes.length;
    while (this.#sizeBytes > mostBytes) this.#sizeBytes -= this.#pieces.shift()?.length ?? 0;
    return true;
  }

  /** Ends holding back and gives what belongs to the boot log. */
  release(): readonly Uint8Array[] {
    const held = this.#pieces ?? [];
    this.#pieces = null;
    // One byte by itself answers the flasher's last command, and is no part of the boot log.
    return held[0]?.length === 1 ? held.slice(1) : held;
  }
}
