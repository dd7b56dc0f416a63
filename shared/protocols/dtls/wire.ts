const nothing = new Uint8Array(0);

/**
 * Reads the big-endian numbers and length-prefixed vectors of TLS (RFC 5246 4.3, 4.4). A read past
 * the end gives zeros or nothing, and the reader is no longer sound.
 */
export class WireReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #isSound = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** A number of up to six bytes. */
  uint(sizeBytes: number): number {
    let value = 0;
    for (const byte of this.take(sizeBytes)) value = value * 256 + byte;
    return value;
  }

  /** A view of the next bytes. */
  take(sizeBytes: number): Uint8Array {
    if (sizeBytes > this.leftBytes) {
      this.#isSound = false;
      return nothing;
    }
    this.#at += sizeBytes;
    return this.#bytes.subarray(this.#at - sizeBytes, this.#at);
  }

  /** A vector behind its length, which takes `lengthBytes`. */
  vector(lengthBytes: number): Uint8Array {
    return this.take(this.uint(lengthBytes));
  }

  get leftBytes(): number {
    return this.#bytes.length - this.#at;
  }

  /** Whether every read so far found its bytes. */
  get isSound(): boolean {
    return this.#isSound;
  }

  /** Whether every read found its bytes, and nothing is left. */
  get isDone(): boolean {
    return this.#isSound && this.leftBytes === 0;
  }
}

/** A big-endian number of up to six bytes. */
export function uintBytes(value: number, sizeBytes: number): Uint8Array {
  const bytes = new Uint8Array(sizeBytes);
  for (let at = sizeBytes - 1, rest = value; at >= 0; at--, rest = Math.floor(rest / 256))
    bytes[at] = rest % 256;
  return bytes;
}

/** A vector behind its length, which takes `lengthBytes`. */
export function vectorBytes(content: Uint8Array, lengthBytes: number): Uint8Array {
  const bytes = new Uint8Array(lengthBytes + content.length);
  bytes.set(uintBytes(content.length, lengthBytes));
  bytes.set(content, lengthBytes);
  return bytes;
}
