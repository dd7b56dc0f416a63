/** Content that somebody reads, and that is watched whether the reader takes all of it or not. */
export class WatchedChunks implements AsyncIterable<Buffer> {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #watch: (chunk: Buffer) => void;

  constructor(chunks: AsyncIterable<Buffer>, watch: (chunk: Buffer) => void) {
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#watch = watch;
  }

  /** A reader that leaves its loop early does not end the content. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer> {
    return { next: () => this.#next() };
  }

  /** Reads what the reader left. */
  async drain(): Promise<void> {
    while (!(await this.#next()).done) {
      // Only watched.
    }
  }

  async #next(): Promise<IteratorResult<Buffer>> {
    const step = await this.#chunks.next();
    if (!step.done) this.#watch(step.value);
    return step;
  }
}
