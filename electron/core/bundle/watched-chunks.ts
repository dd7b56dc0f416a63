/** Content that somebody reads, and that is watched whether the reader takes all of it or not. */
export class WatchedChunks implements AsyncIterable<Uint8Array> {
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #watch: (chunk: Uint8Array) => void;

  constructor(chunks: AsyncIterable<Uint8Array>, watch: (chunk: Uint8Array) => void) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#watch = watch;
  }

  /** A reader that leaves its loop early does not end the content. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return { next: () => this.#next() };
  }

  /** Reads what the reader left. */
  async drain(): Promise<void> {
    while (!(await this.#next()).done) {
      // Only watched.
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    const step = await this.#chunks.next();
    if (!step.done) this.#watch(step.value);
    return step;
  }
}
