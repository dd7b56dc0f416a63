const nothing = new Uint8Array();

/** Content that comes in chunks of any size and is read in its order. */
export class ByteStream {
  readonly #chunks: AsyncIterator<Uint8Array>;
  /** What was fetched and not read yet. */
  #queue: Uint8Array[] = [];
  #offset = 0;

  /** A chunk needs to hold only until the next one is asked for. */
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#offset;
  }

  /** The next bytes, at most `most`, none at the end: a view that holds until the next call. */
  async next(most = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
    while (this.#queue.length === 0) if (!(await this.#fetch())) return nothing;
    const part = this.#queue[0] ?? nothing;
    const bytes = part.subarray(0, most);
    if (bytes.length === part.length) this.#queue.shift();
    else this.#queue[0] = part.subarray(bytes.length);
    this.#offset += bytes.length;
    return bytes;
  }

  /** A copy of the next `length` bytes, fewer only at the end. */
  async take(length: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    for (let left = length; left > 0; ) {
      const part = await this.next(left);
      if (part.length === 0) break;
      left -= part.length;
      parts.push(copyOf(part));
    }
    return parts.length === 1 ? (parts[0] ?? nothing) : joined(parts, length);
  }

  /** Like {@link take}, but the bytes stay to be read. */
  async peek(length: number): Promise<Uint8Array> {
    while (this.#queue.reduce((sum, part) => sum + part.length, 0) < length) {
      this.#queue = this.#queue.map(copyOf);
      if (!(await this.#fetch())) break;
    }
    return joined(this.#queue, length);
  }

  /** Puts back the last bytes that were read: the tail of the last view. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#queue.unshift(bytes);
    this.#offset -= bytes.length;
  }

  /** The next `length` bytes in views, fewer only at the end. */
  async *pieces(length = Number.POSITIVE_INFINITY): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0; ) {
      const bytes = await this.next(left);
      if (bytes.length === 0) return;
      left -= bytes.length;
      yield bytes;
    }
  }

  /** Passes over the next `length` bytes, or over all that is left; how many there were. */
  async skip(length = Number.POSITIVE_INFINITY): Promise<number> {
    const start = this.#offset;
    while (this.#offset - start < length) {
      if ((await this.next(length - (this.#offset - start))).length === 0) break;
    }
    return this.#offset - start;
  }

  async #fetch(): Promise<boolean> {
    const step = await this.#chunks.next();
    if (step.done) return false;
    if (step.value.length > 0) this.#queue.push(step.value);
    return true;
  }
}

/** A copy that holds when the next chunk is fetched; `slice` of a Buffer would be none. */
function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

/** A copy of the first `most` bytes of the parts. */
function joined(parts: readonly Uint8Array[], most: number): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(Math.min(length, most));
  let filled = 0;
  for (const part of parts) {
    const used = part.subarray(0, bytes.length - filled);
    bytes.set(used, filled);
    filled += used.length;
  }
  return bytes;
}
