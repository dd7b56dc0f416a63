import { problem } from '../domain/problem.ts';
import type { Cover } from './delta-matcher.ts';

/** A bzip2 implementation: the format's own compressor. */
export interface Bzip2 {
  compress(bytes: Uint8Array): Promise<Uint8Array>;
  /** Rejects on damaged input. */
  decompress(bytes: Uint8Array): Promise<Uint8Array>;
}

const headerBytes = 32;
const controlBytes = 24;
const magic = 'BSDIFF40';
/** Largest target that a patch may announce. */
export const maxTargetBytes = 512 * 1024 * 1024;

/**
 * Encodes covers as a BSDIFF40 patch: 32-byte header (magic, control and diff lengths, target size as 8-byte
 * sign-magnitude integers), then control, diff and extra streams, each bzip2 (bspatch.c of Debian's bsdiff 4.3).
 */
export async function encodeBsdiff40(
  source: Uint8Array,
  target: Uint8Array,
  covers: readonly Cover[],
  bzip2: Bzip2,
): Promise<Uint8Array> {
  const control: number[] = [];
  const diff = new Uint8Array(covers.reduce((sum, cover) => sum + cover.sizeBytes, 0));
  const extra = new Uint8Array(target.length - diff.length);
  let diffAt = 0;
  let extraAt = 0;
  const first = covers[0];
  const lead = first ? first.targetStart : target.length;
  if (lead > 0 || (first && first.sourceStart > 0)) {
    extra.set(target.subarray(0, lead), 0);
    extraAt = lead;
    control.push(0, lead, first ? first.sourceStart : 0);
  }
  for (const [index, cover] of covers.entries()) {
    for (let i = 0; i < cover.sizeBytes; i++) {
      diff[diffAt + i] =
        (target[cover.targetStart + i] ?? 0) - (source[cover.sourceStart + i] ?? 0);
    }
    diffAt += cover.sizeBytes;
    const next = covers[index + 1];
    const end = cover.targetStart + cover.sizeBytes;
    const inserted = target.subarray(end, next ? next.targetStart : target.length);
    extra.set(inserted, extraAt);
    extraAt += inserted.length;
    control.push(
      cover.sizeBytes,
      inserted.length,
      next ? next.sourceStart - (cover.sourceStart + cover.sizeBytes) : 0,
    );
  }
  const controlStream = new Uint8Array(control.length * 8);
  control.forEach((value, index) => writeOffset(controlStream, index * 8, value));
  const streams = await Promise.all(
    [controlStream, diff, extra].map((stream) => bzip2.compress(stream)),
  );
  const patch = new Uint8Array(
    headerBytes + streams.reduce((sum, stream) => sum + stream.length, 0),
  );
  patch.set(new TextEncoder().encode(magic), 0);
  writeOffset(patch, 8, streams[0]?.length ?? 0);
  writeOffset(patch, 16, streams[1]?.length ?? 0);
  writeOffset(patch, 24, target.length);
  let at = headerBytes;
  for (const stream of streams) {
    patch.set(stream, at);
    at += stream.length;
  }
  return patch;
}

/** True when the bytes begin like a BSDIFF40 patch. */
export function isBsdiff40(bytes: Uint8Array): boolean {
  return (
    bytes.length >= magic.length &&
    [...magic].every((char, index) => bytes[index] === char.charCodeAt(0))
  );
}

/**
 * Rebuilds the target. Reads outside the source count as 0, as in bspatch.
 * @throws ProblemError `patch-format` | `patch-corrupt` naming the offset
 */
export async function applyBsdiff40(
  source: Uint8Array,
  patch: Uint8Array,
  bzip2: Bzip2,
): Promise<Uint8Array> {
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
  const open = async (start: number, end: number): Promise<Uint8Array> => {
    try {
      return await bzip2.decompress(patch.subarray(start, end));
    } catch (error) {
      throw corrupt(
        start,
        `the bzip2 stream is damaged (${error instanceof Error ? error.message : String(error)})`,
      );
    }
  };
  const diffStart = headerBytes + controlSize;
  const control = await open(headerBytes, diffStart);
  const diff = await open(diffStart, diffStart + diffSize);
  const extra = await open(diffStart + diffSize, patch.length);
  return rebuild(source, control, diff, extra, targetSize);
}

function rebuild(
  source: Uint8Array,
  control: Uint8Array,
  diff: Uint8Array,
  extra: Uint8Array,
  targetSize: number,
): Uint8Array {
  const target = new Uint8Array(targetSize);
  let done = 0;
  let sourceAt = 0;
  let diffAt = 0;
  let extraAt = 0;
  for (let at = 0; done < targetSize; at += controlBytes) {
    if (at + controlBytes > control.length)
      throw corrupt(headerBytes, `the control stream ends after ${done} of ${targetSize} bytes`);
    const diffBytes = readOffset(control, at);
    const extraBytes = readOffset(control, at + 8);
    const seek = readOffset(control, at + 16);
    const fits =
      diffBytes >= 0 &&
      extraBytes >= 0 &&
      diffBytes + extraBytes <= targetSize - done &&
      diffAt + diffBytes <= diff.length &&
      extraAt + extraBytes <= extra.length;
    if (!fits) throw corrupt(headerBytes, `control entry ${at / controlBytes} does not fit`);
    for (let i = 0; i < diffBytes; i++)
      target[done + i] = (diff[diffAt + i] ?? 0) + (source[sourceAt + i] ?? 0);
    target.set(extra.subarray(extraAt, extraAt + extraBytes), done + diffBytes);
    done += diffBytes + extraBytes;
    diffAt += diffBytes;
    extraAt += extraBytes;
    sourceAt += diffBytes + seek;
    if (!Number.isSafeInteger(sourceAt))
      throw corrupt(headerBytes, `control entry ${at / controlBytes} seeks too far`);
  }
  return target;
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
