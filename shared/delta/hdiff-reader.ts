import { readBigEndianVarint } from '../formats/big-endian-varint.ts';
import { PlainReader } from '../formats/crle.ts';
import { LzmaReader } from '../formats/lzma-reader.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { mostDictionaryBytes } from './detools-reader.ts';
import {
  type HdiffHeader,
  lzmaHeadBytes,
  type PatchPart,
  runKindBits,
  runKinds,
  signBits,
} from './hdiff-format.ts';
import { corruptPatch, mostEmptyOperations } from './patch-problems.ts';
import type { PatchStep } from './patch-steps.ts';
import { PatchStream } from './patch-stream.ts';

/** The steps to the target of an HDIFF13 patch, to their end. @throws ProblemError `patch-corrupt` | `delta-ram` */
export function* readHdiffSteps(
  patch: Uint8Array,
  header: HdiffHeader,
  memory = new DecoderMemory(),
): Generator<PatchStep> {
  const { targetSizeBytes, cover, covers } = header;
  const numbers = new NumberStream(patch, cover, memory);
  const differences = new Differences(patch, header, memory);
  const fresh = openPart(patch, header.fresh, memory);
  const piece = memory.buffer();
  let sourceAt = 0;
  let done = 0;
  let emptyOperations = 0;
  function* insert(sizeBytes: number): Generator<PatchStep> {
    for (const bytes of fresh.pieces(sizeBytes, piece)) yield { kind: 'insert', bytes };
    differences.skip(sizeBytes, piece);
  }
  for (let copy = 0; copy < covers; copy++) {
    const { flags, value } = numbers.next(signBits);
    const wayBytes = flags === 0 ? value : -value;
    const insertBytes = numbers.next().value;
    const copyBytes = numbers.next().value;
    if (insertBytes + copyBytes > targetSizeBytes - done)
      throw numbers.corrupt(`${insertBytes} and ${copyBytes} bytes do not fit the target`);
    if (sourceAt + wayBytes < 0) throw numbers.corrupt('a copy from before the source');
    emptyOperations = insertBytes + copyBytes === 0 ? emptyOperations + 1 : 0;
    if (emptyOperations > mostEmptyOperations)
      throw numbers.corrupt('copy after copy does nothing');
    yield* insert(insertBytes);
    yield { kind: 'seek', byBytes: wayBytes };
    for (let left = copyBytes; left > 0; ) {
      const part = piece.subarray(0, Math.min(left, piece.length));
      differences.fill(part);
      yield { kind: 'copy', differences: part };
      left -= part.length;
    }
    sourceAt += wayBytes + copyBytes;
    done += insertBytes + copyBytes;
  }
  yield* insert(targetSizeBytes - done);
  yield { kind: 'seek', byBytes: 0 };
  numbers.finish();
  differences.finish();
  fresh.finish();
}

function openPart(patch: Uint8Array, part: PatchPart, memory: DecoderMemory): PatchStream {
  const { name, offset, sizeBytes, lzma } = part;
  const bytes = patch.subarray(offset, offset + sizeBytes);
  return new PatchStream(name, offset, memory, () =>
    lzma
      ? new LzmaReader(bytes, mostDictionaryBytes, memory.isLimited, lzma, lzmaHeadBytes)
      : new PlainReader(bytes),
  );
}

/** A stream of numbers, each perhaps with flags in the highest bits of its first byte. */
class NumberStream {
  readonly #stream: PatchStream;
  readonly #start: number;
  readonly #one = new Uint8Array(1);
  readonly #nextByte = (): number => {
    this.#stream.fill(this.#one);
    return this.#one[0]!;
  };

  constructor(patch: Uint8Array, part: PatchPart, memory: DecoderMemory) {
    this.#start = part.offset;
    this.#stream = openPart(patch, part, memory);
  }

  next(flagBits = 0): { readonly flags: number; readonly value: number } {
    const first = this.#nextByte();
    try {
      const value = readBigEndianVarint(this.#nextByte, first, 7 - flagBits);
      return { flags: first >> (8 - flagBits), value };
    } catch (error) {
      if (error instanceof RangeError) throw this.corrupt(error.message);
      throw error;
    }
  }

  corrupt(why: string) {
    return corruptPatch(this.#start, why);
  }

  finish(): void {
    this.#stream.finish();
  }
}

/** The differences of all bytes of the target, those that are new as well, in runs. */
class Differences {
  readonly #control: NumberStream;
  readonly #values: PatchStream;
  readonly #one = new Uint8Array(1);
  #left: number;
  #runBytes = 0;
  /** The byte that the run repeats; null where its bytes are stored. */
  #repeated: number | null = 0;

  constructor(patch: Uint8Array, header: HdiffHeader, memory: DecoderMemory) {
    this.#control = new NumberStream(patch, header.control, memory);
    this.#values = openPart(patch, header.runs, memory);
    this.#left = header.targetSizeBytes;
  }

  fill(target: Uint8Array): void {
    for (let at = 0; at < target.length; ) {
      const size = this.#take(target.length - at);
      const part = target.subarray(at, at + size);
      if (this.#repeated === null) this.#values.fill(part);
      else part.fill(this.#repeated);
      at += size;
    }
  }

  skip(sizeBytes: number, buffer: Uint8Array): void {
    for (let left = sizeBytes; left > 0; left -= Math.min(left, buffer.length))
      this.fill(buffer.subarray(0, Math.min(left, buffer.length)));
  }

  finish(): void {
    this.#control.finish();
    this.#values.finish();
  }

  /** How many bytes of the present run are used, at most so many; begins the next run where one has ended. */
  #take(mostBytes: number): number {
    if (this.#runBytes === 0) this.#begin();
    const size = Math.min(mostBytes, this.#runBytes);
    this.#runBytes -= size;
    return size;
  }

  #begin(): void {
    const { flags, value } = this.#control.next(runKindBits);
    const size = value + 1;
    if (size > this.#left) throw this.#control.corrupt(`a run of ${size} bytes is too long`);
    this.#left -= size;
    this.#runBytes = size;
    if (flags === runKinds.stored) this.#repeated = null;
    else if (flags === runKinds.repeated) {
      this.#values.fill(this.#one);
      this.#repeated = this.#one[0]!;
    } else this.#repeated = flags === runKinds.zeros ? 0 : 255;
  }
}
