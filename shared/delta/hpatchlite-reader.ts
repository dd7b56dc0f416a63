import type { ByteReader } from '../formats/byte-reader.ts';
import { PlainReader } from '../formats/crle.ts';
import { TinyuzReader } from '../formats/tinyuz-reader.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { type HpatchLiteHeader, placeBits, placeFlags } from './hpatchlite-format.ts';
import { corruptPatch } from './patch-problems.ts';
import type { PatchStep } from './patch-steps.ts';
import { PatchStream } from './patch-stream.ts';

/** A patch names its own dictionary; more than this is refused. */
const mostDictionaryBytes = 64 * 1024 * 1024;
const mostNumber = 0xffff_ffff;

/** Reads the body of an HPatchLite patch: the number of copies, and each with the new bytes before it. */
export class HpatchLiteBody {
  readonly #stream: PatchStream;
  readonly #header: HpatchLiteHeader;
  readonly #piece: Uint8Array;
  readonly #one = new Uint8Array(1);
  #numberBytes = 0;
  #storedBytes = 0;

  /** @throws ProblemError `patch-corrupt` | `delta-ram` */
  constructor(patch: Uint8Array, header: HpatchLiteHeader, memory = new DecoderMemory()) {
    const body = patch.subarray(header.headerBytes);
    this.#header = header;
    this.#stream = new PatchStream(
      header.compression,
      header.headerBytes,
      memory,
      (): ByteReader =>
        header.compression === 'none'
          ? new PlainReader(body)
          : new TinyuzReader(body, mostDictionaryBytes, memory.isLimited),
    );
    this.#piece = memory.buffer();
  }

  /** Bytes of the numbers that were read. */
  get numberBytes(): number {
    return this.#numberBytes;
  }

  /** The steps to the target, to their end. @throws ProblemError `patch-corrupt` */
  *steps(): Generator<PatchStep> {
    const { targetSizeBytes, plainSizeBytes } = this.#header;
    const copies = this.#number();
    let sourceAt = 0;
    let done = 0;
    for (let copy = 0; copy < copies; copy++) {
      const copyBytes = this.#number();
      const { wayBytes, isExact } = this.#place();
      const insertBytes = this.#number();
      if (insertBytes + copyBytes > targetSizeBytes - done)
        throw this.#corrupt(`${insertBytes} and ${copyBytes} bytes do not fit the target`);
      if (copyBytes === 0 && copy < copies - 1) throw this.#corrupt('a copy of nothing');
      if (sourceAt + wayBytes < 0) throw this.#corrupt('a copy from before the source');
      for (const bytes of this.#stored(insertBytes)) yield { kind: 'insert', bytes };
      yield { kind: 'seek', byBytes: wayBytes };
      for (const differences of isExact ? this.#zeros(copyBytes) : this.#stored(copyBytes))
        yield { kind: 'copy', differences };
      sourceAt += wayBytes + copyBytes;
      done += insertBytes + copyBytes;
    }
    yield { kind: 'seek', byBytes: 0 };
    if (done < targetSizeBytes) throw this.#corrupt(`it makes ${done} of ${targetSizeBytes} bytes`);
    this.#stream.finish();
    if (this.#numberBytes + this.#storedBytes !== plainSizeBytes)
      throw this.#corrupt(`the body is not of ${plainSizeBytes} bytes`);
  }

  *#stored(sizeBytes: number): Generator<Uint8Array> {
    this.#storedBytes += sizeBytes;
    yield* this.#stream.pieces(sizeBytes, this.#piece);
  }

  *#zeros(sizeBytes: number): Generator<Uint8Array> {
    const piece = this.#piece.fill(0);
    for (let left = sizeBytes; left > 0; left -= piece.length)
      yield piece.subarray(0, Math.min(left, piece.length));
  }

  /** How far the source moves, and whether the copy has no differences. */
  #place(): { readonly wayBytes: number; readonly isExact: boolean } {
    const first = this.#byte();
    const start = first & ((1 << placeBits) - 1);
    const way = first & placeFlags.more ? this.#number(start) : start;
    const wayBytes = first & placeFlags.backwards ? -way : way;
    return { wayBytes, isExact: (first & placeFlags.isExact) !== 0 };
  }

  /** Seven bits a byte, the highest first. */
  #number(start = 0): number {
    for (let value = start; ; ) {
      const byte = this.#byte();
      value = value * 128 + (byte & 0x7f);
      if (value > mostNumber) throw this.#corrupt('a number is absurdly large');
      if (byte < 0x80) return value;
    }
  }

  #byte(): number {
    this.#stream.fill(this.#one);
    this.#numberBytes++;
    return this.#one[0]!;
  }

  #corrupt(why: string) {
    return corruptPatch(this.#header.headerBytes, why);
  }
}
