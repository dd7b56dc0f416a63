import type { ByteReader } from '../formats/byte-reader.ts';
import type { DecoderMemory } from './decoder-memory.ts';
import { corruptPatch } from './patch-problems.ts';

/** One stream of a patch; its troubles become problems that name the offset at which it begins. */
export class PatchStream {
  readonly #reader: ByteReader;
  readonly #name: string;
  readonly #start: number;

  /** @throws ProblemError `patch-corrupt` | `delta-ram` */
  constructor(name: string, start: number, memory: DecoderMemory, open: () => ByteReader) {
    this.#name = name;
    this.#start = start;
    this.#reader = this.#tell(open);
    memory.take(this.#reader.memoryBytes);
  }

  /** Reads exactly so many bytes. @throws ProblemError `patch-corrupt` */
  fill(target: Uint8Array): void {
    if (this.#tell(() => this.#reader.read(target)) < target.length)
      throw corruptPatch(this.#start, `the ${this.#name} stream ends too early`);
  }

  /** Hands out so many bytes in pieces, through a buffer that is used again. @throws ProblemError `patch-corrupt` */
  *pieces(sizeBytes: number, buffer: Uint8Array): Generator<Uint8Array> {
    for (let left = sizeBytes; left > 0; left -= Math.min(left, buffer.length)) {
      const piece = buffer.subarray(0, Math.min(left, buffer.length));
      this.fill(piece);
      yield piece;
    }
  }

  /** Checks that nothing is left. @throws ProblemError `patch-corrupt` */
  finish(): void {
    this.#tell(() => this.#reader.finish());
  }

  #tell<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw corruptPatch(this.#start, `${this.#name} stream: ${why}`);
    }
  }
}
