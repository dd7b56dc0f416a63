import type { ByteSource } from '../../../shared/formats/byte-source.ts';

const blockBytes = 256 * 1024;
/** A member larger than this is not kept. */
const mostKeptBytes = 32 * 1024 * 1024;
/** Members that stand in each other are kept together up to this. */
const mostBlocks = (48 * 1024 * 1024) / blockBytes;

/** Memory in which members of archives are kept while they are inspected; blocks are used again. */
export class BlockPool {
  readonly #free: Buffer[] = [];
  #made = 0;

  /** A block, or null when all are in use. */
  take(): Buffer | null {
    const block = this.#free.pop();
    if (block !== undefined) return block;
    if (this.#made === mostBlocks) return null;
    this.#made += 1;
    return Buffer.allocUnsafeSlow(blockBytes);
  }

  give(blocks: readonly Buffer[]): void {
    this.#free.push(...blocks);
  }
}

/** The content of one member, for readers that jump in it. */
export class KeptContent {
  readonly #pool: BlockPool;
  #blocks: Buffer[] = [];
  #sizeBytes = 0;
  #isWhole = true;

  constructor(pool: BlockPool) {
    this.#pool = pool;
  }

  /** Appends a copy; once it is too much, nothing is kept any more. */
  push(bytes: Uint8Array): void {
    if (this.#sizeBytes + bytes.length > mostKeptBytes) this.#isWhole = false;
    for (let at = 0; at < bytes.length && this.#isWhole; ) {
      const used = this.#sizeBytes % blockBytes;
      if (used === 0) {
        const block = this.#pool.take();
        if (block === null) this.#isWhole = false;
        else this.#blocks.push(block);
      }
      const part = bytes.subarray(at, at + blockBytes - used);
      if (this.#isWhole) this.#blocks.at(-1)?.set(part, used);
      this.#sizeBytes += part.length;
      at += part.length;
    }
    if (!this.#isWhole) this.free();
  }

  /** The whole content, until {@link free}; null when it was too much to keep. */
  source(): ByteSource | null {
    if (!this.#isWhole) return null;
    const [blocks, sizeBytes] = [this.#blocks, this.#sizeBytes];
    return {
      sizeBytes,
      read: async (offset, length) => readBlocks(blocks, sizeBytes, offset, length),
    };
  }

  free(): void {
    this.#pool.give(this.#blocks);
    this.#blocks = [];
  }
}

function readBlocks(
  blocks: readonly Buffer[],
  sizeBytes: number,
  offset: number,
  length: number,
): Uint8Array {
  const end = Math.min(sizeBytes, offset + Math.max(0, length));
  if (offset >= end) return Buffer.alloc(0);
  const bytes = Buffer.allocUnsafe(end - offset);
  for (let at = offset; at < end; ) {
    const block = blocks[Math.floor(at / blockBytes)] ?? Buffer.alloc(0);
    const from = at % blockBytes;
    const size = Math.min(blockBytes - from, end - at);
    block.copy(bytes, at - offset, from, from + size);
    at += size;
  }
  return bytes;
}
