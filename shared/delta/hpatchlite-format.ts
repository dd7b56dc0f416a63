import type { HpatchLiteCompression } from '../domain/delta.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import {
  hpatchLiteCompressions,
  hpatchLiteMagic,
  hpatchLiteVersions,
  readHpatchLiteHead,
} from '../formats/hpatchlite-header.ts';
import { checkTargetSize, corruptPatch, readHead, unsupportedPatch } from './patch-problems.ts';

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
  out.push(Uint8Array.from(hpatchLiteMagic));
  out.byte(hpatchLiteCompressions.indexOf(compression));
  out.byte((hpatchLiteVersions.plain << 6) | (bytesOf(plain) << 3) | bytesOf(targetSizeBytes));
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
  const head = readHead(() => readHpatchLiteHead(patch));
  if (head === null) return null;
  const { isInPlace, compression, targetBytes, targetAt, plainBytes, plainAt, bodyAt } = head;
  if (isInPlace) throw unsupportedPatch('An HPatchLite patch for an update in place');
  if (compression !== 'none' && compression !== 'tinyuz')
    throw unsupportedPatch(
      `An HPatchLite patch compressed with ${compression ?? `the unknown compression ${head.compressionNumber}`}`,
    );
  checkTargetSize(targetBytes, targetAt);
  const isPacked = compression === 'tinyuz';
  if (!isPacked && plainBytes !== 0)
    throw corruptPatch(plainAt, 'the body is not compressed, but has a size before compression');
  return {
    compression,
    targetSizeBytes: targetBytes,
    plainSizeBytes: isPacked ? plainBytes : patch.length - bodyAt,
    headerBytes: bodyAt,
  };
}
