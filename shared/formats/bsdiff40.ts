import { problem } from '../domain/problem.ts';
import { BlockTransform } from './block-transform.ts';
import { Bzip2Reader } from './bzip2-reader.ts';
import { Bzip2Writer } from './bzip2-writer.ts';
import { type Cover, findCovers } from './delta-matcher.ts';

const headerBytes = 32;
const controlBytes = 24;
const magic = 'BSDIFF40';
/** Largest target that a patch may announce. */
export const maxTargetBytes = 512 * 1024 * 1024;
const pieceBytes = 64 * 1024;

/**
 * Makes a BSDIFF40 patch: 32-byte header (magic, control and diff lengths, target size as 8-byte sign-magnitude
 * integers), then control, diff and extra streams, each bzip2 (bspatch.c of Debian's bsdiff 4.3).
 * `onProgress` gets target bytes done.
 */
export function makeBsdiff40(
  source: Uint8Array,
  target: Uint8Array,
  onProgress?: (done: number) => void,
): Uint8Array {
  const streams = new StreamWriter(source, target);
  findCovers(source, target, (cover) => streams.add(cover), onProgress);
  const parts = streams.finish();
  const patch = new Uint8Array(headerBytes + parts.reduce((sum, part) => sum + part.length, 0));
  patch.set(new TextEncoder().encode(magic), 0);
  writeOffset(patch, 8, parts[0].length);
  writeOffset(patch, 16, parts[1].length);
  writeOffset(patch, 24, target.length);
  let at = headerBytes;
  for (const part of parts) {
    patch.set(part, at);
    at += part.length;
  }
  return patch;
}

/** Turns covers into the three streams as they come, without holding more than a piece of them. */
class StreamWriter {
  readonly #source: Uint8Array;
  readonly #target: Uint8Array;
  readonly #transform = new BlockTransform();
  readonly #control = new Bzip2Writer(this.#transform);
  readonly #diff = new Bzip2Writer(this.#transform);
  readonly #extra = new Bzip2Writer(this.#transform);
  readonly #entry = new Uint8Array(controlBytes);
  readonly #piece = new Uint8Array(pieceBytes);
  #waiting: Cover | null = null;

  constructor(source: Uint8Array, target: Uint8Array) {
    this.#source = source;
    this.#target = target;
  }

  add(cover: Cover): void {
    if (this.#waiting) this.#write(this.#waiting, cover);
    this.#waiting = cover;
  }

  finish(): readonly [Uint8Array, Uint8Array, Uint8Array] {
    if (this.#waiting) this.#write(this.#waiting, null);
    return [this.#control.finish(), this.#diff.finish(), this.#extra.finish()];
  }

  #write({ targetStart, sourceStart, sizeBytes }: Cover, next: Cover | null): void {
    const target = this.#target;
    const source = this.#source;
    const piece = this.#piece;
    for (let done = 0; done < sizeBytes; done += pieceBytes) {
      const size = Math.min(pieceBytes, sizeBytes - done);
      for (let i = 0; i < size; i++)
        piece[i] = target[targetStart + done + i]! - source[sourceStart + done + i]!;
      this.#diff.push(piece.subarray(0, size));
    }
    const end = targetStart + sizeBytes;
    const extraEnd = next ? next.targetStart : target.length;
    this.#extra.push(target.subarray(end, extraEnd));
    writeOffset(this.#entry, 0, sizeBytes);
    writeOffset(this.#entry, 8, extraEnd - end);
    writeOffset(this.#entry, 16, next ? next.sourceStart - (sourceStart + sizeBytes) : 0);
    this.#control.push(this.#entry);
  }
}

/** True when the bytes begin like a BSDIFF40 patch. */
export function isBsdiff40(bytes: Uint8Array): boolean {
  return (
    bytes.length >= magic.length &&
    [...magic].every((char, index) => bytes[index] === char.charCodeAt(0))
  );
}

/** Rebuilds the target in memory. @throws ProblemError as {@link readBsdiff40} */
export function applyBsdiff40(source: Uint8Array, patch: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (const piece of readBsdiff40(source, patch)) {
    pieces.push(piece.slice());
    size += piece.length;
  }
  const target = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    target.set(piece, at);
    at += piece.length;
  }
  return target;
}

/**
 * Rebuilds the target piece by piece; the memory of a piece is used again for the next one.
 * Reads outside the source count as 0, as in bspatch.
 * @throws ProblemError `patch-format` | `patch-corrupt` naming the offset
 */
export function* readBsdiff40(source: Uint8Array, patch: Uint8Array): Generator<Uint8Array> {
  if (!isBsdiff40(patch))
    throw problem(
      'patch-format',
      'This is not a BSDIFF40 patch',
      'The first 8 bytes are not "BSDIFF40".',
      'Choose a patch that Slipway or bsdiff made.',
      'usage',
    );
  if (patch.length < headerBytes)
    throw corrupt(patch.length, `the header needs ${headerBytes} bytes`);
  const controlSize = readOffset(patch, 8);
  const diffSize = readOffset(patch, 16);
  const targetSize = readOffset(patch, 24);
  if (controlSize < 0 || diffSize < 0 || headerBytes + controlSize + diffSize > patch.length)
    throw corrupt(8, 'the stream lengths do not fit the file');
  if (targetSize < 0 || targetSize > maxTargetBytes)
    throw corrupt(24, `the target size ${targetSize} is absurd`);
  const diffStart = headerBytes + controlSize;
  const extraStart = diffStart + diffSize;
  const control = new PatchStream(patch, 'control', headerBytes, diffStart);
  const diff = new PatchStream(patch, 'diff', diffStart, extraStart);
  const extra = new PatchStream(patch, 'extra', extraStart, patch.length);
  const entry = new Uint8Array(controlBytes);
  const piece = new Uint8Array(pieceBytes);
  let filled = 0;
  let done = 0;
  let sourceAt = 0;
  for (let number = 0; done < targetSize; number++) {
    control.fill(entry, 0, controlBytes);
    const diffBytes = readOffset(entry, 0);
    const extraBytes = readOffset(entry, 8);
    if (diffBytes < 0 || extraBytes < 0 || diffBytes + extraBytes > targetSize - done)
      throw corrupt(headerBytes, `control entry ${number} does not fit the target`);
    for (const [stream, sizeBytes] of [
      [diff, diffBytes],
      [extra, extraBytes],
    ] as const) {
      for (let left = sizeBytes; left > 0; ) {
        const size = Math.min(left, pieceBytes - filled);
        stream.fill(piece, filled, size);
        if (stream === diff) {
          addSource(piece, filled, size, source, sourceAt);
          sourceAt += size;
        }
        filled += size;
        left -= size;
        if (filled === pieceBytes) {
          yield piece;
          filled = 0;
        }
      }
    }
    done += diffBytes + extraBytes;
    sourceAt += readOffset(entry, 16);
    if (!Number.isSafeInteger(sourceAt))
      throw corrupt(headerBytes, `control entry ${number} seeks too far`);
  }
  for (const stream of [control, diff, extra]) stream.finish();
  if (filled > 0) yield piece.subarray(0, filled);
}

function addSource(
  piece: Uint8Array,
  from: number,
  size: number,
  source: Uint8Array,
  sourceAt: number,
): void {
  const first = Math.max(0, -sourceAt);
  const end = Math.min(size, source.length - sourceAt);
  for (let i = first; i < end; i++) piece[from + i]! += source[sourceAt + i]!;
}

/** One bzip2 stream of a patch; its troubles name the offset at which it begins. */
class PatchStream {
  readonly #reader: Bzip2Reader;
  readonly #name: string;
  readonly #start: number;

  constructor(patch: Uint8Array, name: string, start: number, end: number) {
    this.#name = name;
    this.#start = start;
    this.#reader = this.#tell(() => new Bzip2Reader(patch.subarray(start, end)));
  }

  /** Reads exactly so many bytes. */
  fill(target: Uint8Array, from: number, size: number): void {
    const piece = target.subarray(from, from + size);
    if (this.#tell(() => this.#reader.read(piece)) < size)
      throw corrupt(this.#start, `the ${this.#name} stream ends too early`);
  }

  finish(): void {
    this.#tell(() => this.#reader.finish());
  }

  #tell<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw corrupt(this.#start, `${this.#name} stream: ${why}`);
    }
  }
}

const corrupt = (offset: number, why: string) =>
  problem(
    'patch-corrupt',
    'The patch is damaged',
    `At offset ${offset}: ${why}.`,
    'Get the patch again; nothing was written.',
  );

function writeOffset(bytes: Uint8Array, at: number, value: number): void {
  let rest = Math.abs(value);
  for (let i = 0; i < 8; i++) {
    bytes[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  if (value < 0) bytes[at + 7] = (bytes[at + 7] ?? 0) | 0x80;
}

function readOffset(bytes: Uint8Array, at: number): number {
  let value = (bytes[at + 7] ?? 0) & 0x7f;
  for (let i = 6; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return (bytes[at + 7] ?? 0) & 0x80 ? -value : value;
}
