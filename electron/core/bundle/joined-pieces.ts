/** Records come in pieces of some 32 bytes: each scan would spend more on the call than on them. */
const smallBytes = 4096;
const jointBytes = 64 * 1024;

/** Hands on content in pieces that are worth a call: small ones are joined. */
export class JoinedPieces {
  readonly #onBytes: (bytes: Uint8Array) => void;
  #joint: Uint8Array | undefined;
  #joined = 0;

  constructor(onBytes: (bytes: Uint8Array) => void) {
    this.#onBytes = onBytes;
  }

  readonly push = (bytes: Uint8Array): void => {
    if (bytes.length >= smallBytes) {
      this.flush();
      this.#onBytes(bytes);
      return;
    }
    if (this.#joined + bytes.length > jointBytes) this.flush();
    this.#joint ??= new Uint8Array(jointBytes);
    this.#joint.set(bytes, this.#joined);
    this.#joined += bytes.length;
  };

  /** Hands on what was held back. */
  flush(): void {
    if (this.#joint === undefined || this.#joined === 0) return;
    this.#onBytes(this.#joint.subarray(0, this.#joined));
    this.#joined = 0;
  }
}
