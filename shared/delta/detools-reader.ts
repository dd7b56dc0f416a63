import type { DetoolsCompression } from '../domain/delta.ts';
import type { ByteReader } from '../formats/byte-reader.ts';
import { CrleReader, PlainReader } from '../formats/crle.ts';
import { readDetoolsSize } from '../formats/detools-size.ts';
import { HeatshrinkReader } from '../formats/heatshrink-reader.ts';
import { LzmaReader } from '../formats/lzma-reader.ts';
import { DecoderMemory } from './decoder-memory.ts';
import type { DetoolsHeader } from './detools-format.ts';
import { corruptPatch, mostEmptyOperations, unsupportedPatch } from './patch-problems.ts';
import type { PatchStep } from './patch-steps.ts';
import { PatchStream } from './patch-stream.ts';

/** A patch names its own dictionary; more than this is refused. */
export const mostDictionaryBytes = 64 * 1024 * 1024;

/** The decompressed body of a detools patch. */
export class DetoolsBody {
  readonly #stream: PatchStream;
  readonly #start: number;
  readonly #one = new Uint8Array(1);
  readonly #piece: Uint8Array;

  /** @throws ProblemError `patch-corrupt` | `delta-ram` */
  constructor(patch: Uint8Array, header: DetoolsHeader, memory: DecoderMemory) {
    this.#start = header.headerBytes;
    this.#stream = new PatchStream(header.compression, header.headerBytes, memory, () =>
      openBody(patch.subarray(header.headerBytes), header.compression, memory.isLimited),
    );
    this.#piece = memory.buffer();
  }

  /** The steps that make so many bytes of the target. @throws ProblemError `patch-corrupt` | `patch-unsupported` */
  *steps(targetBytes: number): Generator<PatchStep> {
    if (this.#size('data format') > 0)
      throw unsupportedPatch('A detools patch with a data format section');
    let emptyOperations = 0;
    for (let done = 0; done < targetBytes; ) {
      const before = done;
      const copyBytes = this.#partOf(targetBytes - done);
      for (const differences of this.#stream.pieces(copyBytes, this.#piece))
        yield { kind: 'copy', differences };
      done += copyBytes;
      const insertBytes = this.#partOf(targetBytes - done);
      for (const bytes of this.#stream.pieces(insertBytes, this.#piece))
        yield { kind: 'insert', bytes };
      done += insertBytes;
      emptyOperations = done === before ? emptyOperations + 1 : 0;
      if (emptyOperations > mostEmptyOperations)
        throw corruptPatch(this.#start, 'operation after operation does nothing');
      yield { kind: 'seek', byBytes: this.#size('adjustment') };
    }
  }

  /** Checks that nothing is left. @throws ProblemError `patch-corrupt` */
  finish(): void {
    this.#stream.finish();
  }

  #partOf(leftBytes: number): number {
    const size = this.#size('size');
    if (size < 0 || size > leftBytes)
      throw corruptPatch(this.#start, `an operation of ${size} bytes does not fit the target`);
    return size;
  }

  #size(name: string): number {
    try {
      return readDetoolsSize(() => {
        this.#stream.fill(this.#one);
        return this.#one[0]!;
      });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw corruptPatch(this.#start, `the ${name}: ${error.message}`);
    }
  }
}

/** The steps of a sequential patch. @throws ProblemError `patch-corrupt` | `patch-unsupported` | `delta-ram` */
export function* readDetoolsSteps(
  patch: Uint8Array,
  header: DetoolsHeader,
  memory = new DecoderMemory(),
): Generator<PatchStep> {
  if (header.targetSizeBytes === 0) return;
  const body = new DetoolsBody(patch, header, memory);
  yield* body.steps(header.targetSizeBytes);
  body.finish();
}

function openBody(body: Uint8Array, compression: DetoolsCompression, isWhole: boolean): ByteReader {
  if (compression === 'none') return new PlainReader(body);
  if (compression === 'crle') return new CrleReader(body);
  if (compression === 'lzma') return new LzmaReader(body, mostDictionaryBytes, isWhole);
  const shape = body[0];
  if (shape === undefined) throw new Error('the shape of heatshrink is missing');
  return new HeatshrinkReader(body.subarray(1), (shape >> 4) + 4, (shape & 15) + 3);
}
