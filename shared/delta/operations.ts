import { BlockTransform } from '../formats/block-transform.ts';
import { mostSymbols } from '../formats/bzip2-format.ts';
import { type Cover, findCovers, type MatchOptions } from './matcher.ts';
import { viewOf } from './same-bytes.ts';
import { SeedIndex } from './seed-index.ts';

/**
 * One step of an update: `copyBytes` are taken from the source and corrected byte by byte, then `insertBytes` of the
 * target follow that resemble nothing. Operations lie end to end and fill the target.
 */
export interface Operation {
  readonly targetStart: number;
  readonly sourceStart: number;
  readonly copyBytes: number;
  readonly insertBytes: number;
}

/**
 * Finds the operations that lead from a source to a target, once for every patch format.
 * `onProgress` gets target bytes done. With `leastShift`, none copies from more than so many bytes before its place.
 */
export function findOperations(
  source: Uint8Array,
  target: Uint8Array,
  onProgress?: (done: number) => void,
  leastShift?: number,
): readonly Operation[] {
  const index = new SeedIndex(source);
  const operations = operationsBy(index, target, { onProgress, leastShift });
  if (!areInsertionsRepetitive(target, operations)) return operations;
  // What is new is new only once: it takes fewer bits than the search assumed.
  return operationsBy(index, target, { onProgress, leastShift, newBits: repetitiveBits });
}

function operationsBy(
  index: SeedIndex,
  target: Uint8Array,
  options: MatchOptions,
): readonly Operation[] {
  const operations: Operation[] = [];
  let waiting: Operation | null = null;
  const close = (end: number): void => {
    if (!waiting) return;
    const insertBytes = end - waiting.targetStart - waiting.copyBytes;
    operations.push({ ...waiting, insertBytes });
  };
  const onCover = ({ targetStart, sourceStart, sizeBytes }: Cover): void => {
    // A piece whose neighbours have grown over it would cost an operation that copies nothing.
    if (waiting && sizeBytes === 0) return;
    close(targetStart);
    waiting = { targetStart, sourceStart, copyBytes: sizeBytes, insertBytes: 0 };
  };
  findCovers(index, target, onCover, options);
  close(target.length);
  return operations;
}

/** Of fewer inserted bytes nothing can be told. */
const leastInsertedBytes = 64 * 1024;
const sampledBytes = 256 * 1024;
const repetitiveBits = 4;

/** Whether what is new would be compressed to few bits, as the entropy of its transform tells. */
function areInsertionsRepetitive(target: Uint8Array, operations: readonly Operation[]): boolean {
  const sample = new Uint8Array(sampledBytes);
  let sampled = 0;
  for (const operation of operations) {
    const piece = insertedBytes(target, operation).subarray(0, sampledBytes - sampled);
    sample.set(piece, sampled);
    sampled += piece.length;
    if (sampled === sampledBytes) break;
  }
  if (sampled < leastInsertedBytes) return false;
  const { symbols } = new BlockTransform().run(sample.subarray(0, sampled));
  return entropyBits(symbols) < sampled * repetitiveBits;
}

function entropyBits(symbols: Uint16Array): number {
  const counts = new Uint32Array(mostSymbols);
  for (let at = 0; at < symbols.length; at++) counts[symbols[at]!]!++;
  let bits = 0;
  for (const count of counts) if (count > 0) bits += count * Math.log2(symbols.length / count);
  return bits;
}

const pieceBytes = 64 * 1024;

/** What must be added to the source bytes of operations, modulo 256. */
export class Differences {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #sourceView: DataView;
  readonly #targetView: DataView;
  readonly #piece = new Uint8Array(pieceBytes);

  constructor(source: Uint8Array, target: Uint8Array) {
    this.#source = source;
    this.#target = target;
    this.#sourceView = viewOf(source);
    this.#targetView = viewOf(target);
  }

  /** Hands out the differences of an operation in pieces whose memory is used again. */
  *of({ targetStart, sourceStart, copyBytes }: Operation): Generator<Uint8Array> {
    for (let done = 0; done < copyBytes; done += pieceBytes) {
      const size = Math.min(pieceBytes, copyBytes - done);
      this.#subtract(sourceStart + done, targetStart + done, size);
      yield this.#piece.subarray(0, size);
    }
  }

  /** Where words agree, their differences are zeros at once. */
  #subtract(sourceStart: number, targetStart: number, size: number): void {
    const [source, target, piece] = [this.#source, this.#target, this.#piece];
    const [from, to] = [this.#sourceView, this.#targetView];
    piece.fill(0, 0, size);
    for (let at = 0; at < size; ) {
      if (
        at + 4 <= size &&
        from.getInt32(sourceStart + at, true) === to.getInt32(targetStart + at, true)
      ) {
        at += 4;
        continue;
      }
      const end = Math.min(size, at + 4);
      for (; at < end; at++) piece[at] = target[targetStart + at]! - source[sourceStart + at]!;
    }
  }
}

/** The bytes of the target that an operation inserts. */
export function insertedBytes(
  target: Uint8Array,
  { targetStart, copyBytes, insertBytes }: Operation,
): Uint8Array {
  const start = targetStart + copyBytes;
  return target.subarray(start, start + insertBytes);
}
