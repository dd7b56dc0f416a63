import type { HpatchLiteCompression } from '../domain/delta.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import { checkTargetSize, corruptPatch, unsupportedPatch } from './patch-problems.ts';

/** "hI", as a patch of HPatchLite begins (HDiffPatch, `hpatch_lite.c` and `hpatch_lite_types.h`). */
const magic = [0x68, 0x49] as const;
const fixedBytes = 4;
const plainVersion = 1;
const inPlaceVersion = 2;
/** Places and sizes are of 32 bits. */
const mostSizeBytes = 4;
/** Numbers of compressions are their places in this list. */
const compressions = [
  'none',
  'tinyuz',
  'zlib',
  'lzma',
  'lzma2',
  'zstd',
  'bzip2',
  'lz4',
  'brotli',
  'lzham',
] as const;

/** What the byte after the length of a copy says beside the first bits of the way to its place. */
export const placeBits = 5;
export const placeFlags = { more: 0x20, backwards: 0x40, isExact: 0x80 } as const;

/** The header of an HPatchLite patch, sizes in bytes. */
export interface HpatchLiteHeader {
  readonly compression: HpatchLiteCompression;
  readonly targetSizeBytes: number;
  /** Size of the body before compression; that of what follows the header without one. */
  readonly plainSizeBytes: number;
  readonly headerBytes: number;
}

/** The header of a patch whose body has so many bytes before compression. */
export function writeHpatchLiteHeader(
  compression: HpatchLiteCompression,
  targetSizeBytes: number,
  plainSizeBytes: number,
): Uint8Array {
  const out = new GrowingBytes(16);
  const plain = compression === 'none' ? 0 : plainSizeBytes;
  out.push(Uint8Array.from(magic));
  out.byte(compressions.indexOf(compression));
  out.byte((plainVersion << 6) | (bytesOf(plain) << 3) | bytesOf(targetSizeBytes));
  for (const size of [targetSizeBytes, plain])
    for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) out.byte(rest & 0xff);
  return out.view().slice();
}

function bytesOf(size: number): number {
  let count = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 256)) count++;
  return count;
}

/** Reads the header; null when the bytes do not begin like such a patch. @throws ProblemError `patch-corrupt` | `patch-unsupported` */
export function readHpatchLiteHeader(patch: Uint8Array): HpatchLiteHeader | null {
  if (patch[0] !== magic[0] || patch[1] !== magic[1]) return null;
  const [, , number, shape] = patch;
  if (number === undefined || shape === undefined)
    throw corruptPatch(patch.length, 'the header ends early');
  const version = shape >> 6;
  if (version === inPlaceVersion)
    throw unsupportedPatch('An HPatchLite patch for an update in place');
  if (version !== plainVersion) throw corruptPatch(3, `version ${version} of HPatchLite`);
  const compression = compressions[number];
  if (compression !== 'none' && compression !== 'tinyuz')
    throw unsupportedPatch(
      `An HPatchLite patch compressed with ${compression ?? `the unknown compression ${number}`}`,
    );
  const plainAt = fixedBytes + (shape & 7);
  const targetSizeBytes = readNumber(patch, fixedBytes, shape & 7);
  const named = readNumber(patch, plainAt, (shape >> 3) & 7);
  checkTargetSize(targetSizeBytes, fixedBytes);
  const headerBytes = plainAt + ((shape >> 3) & 7);
  const isPacked = compression === 'tinyuz';
  if (!isPacked && named !== 0)
    throw corruptPatch(plainAt, 'the body is not compressed, but has a size before compression');
  const plainSizeBytes = isPacked ? named : patch.length - headerBytes;
  return { compression, targetSizeBytes, plainSizeBytes, headerBytes };
}

function readNumber(patch: Uint8Array, at: number, sizeBytes: number): number {
  if (sizeBytes > mostSizeBytes) throw corruptPatch(3, `a size of ${sizeBytes} bytes`);
  if (at + sizeBytes > patch.length) throw corruptPatch(patch.length, 'the header ends early');
  let value = 0;
  for (let i = sizeBytes - 1; i >= 0; i--) value = value * 256 + patch[at + i]!;
  return value;
}
