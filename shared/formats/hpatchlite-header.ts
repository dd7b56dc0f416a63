import type { ByteSource } from './byte-source.ts';
import { DeltaDamage, tellDelta, withDeltaFindings } from './delta-facts.ts';
import type { ImageFacts } from './image-facts.ts';
import type { Report } from './report.ts';
import { ContentEnd } from './source-cursor.ts';

/** "hI", as a patch of HPatchLite begins (HDiffPatch, `hpatch_lite.c` and `hpatch_lite_types.h`). */
export const hpatchLiteMagic = [0x68, 0x49] as const;
/** The versions that the two highest bits of the fourth byte name. */
export const hpatchLiteVersions = { plain: 1, inPlace: 2 } as const;
/** Numbers of compressions are their places in this list. */
export const hpatchLiteCompressions = [
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

const fixedBytes = 4;
/** Places and sizes are of 32 bits. */
const mostSizeBytes = 4;
const mostHeaderBytes = fixedBytes + 2 * mostSizeBytes;

/** The header of an HPatchLite patch, offsets and sizes in bytes. */
export interface HpatchLiteHead {
  readonly isInPlace: boolean;
  /** Null for a number that no compression has. */
  readonly compression: (typeof hpatchLiteCompressions)[number] | null;
  readonly compressionNumber: number;
  readonly targetBytes: number;
  readonly targetAt: number;
  /** Size of the body before compression; 0 without one. */
  readonly plainBytes: number;
  readonly plainAt: number;
  readonly bodyAt: number;
}

/** Whether the bytes begin like such a patch: its two letters alone may begin anything. */
export function looksLikeHpatchLite(head: Uint8Array): boolean {
  try {
    const read = readHpatchLiteHead(head);
    return read !== null && read.compression !== null && read.targetBytes > 0;
  } catch (error) {
    if (error instanceof ContentEnd || error instanceof DeltaDamage) return false;
    throw error;
  }
}

/** Reads the header; null when the bytes begin otherwise. @throws ContentEnd | DeltaDamage */
export function readHpatchLiteHead(patch: Uint8Array): HpatchLiteHead | null {
  if (hpatchLiteMagic.some((byte, index) => patch[index] !== byte)) return null;
  const [, , compressionNumber, shape] = patch;
  if (compressionNumber === undefined || shape === undefined) throw new ContentEnd(patch.length);
  const version = shape >> 6;
  const isInPlace = version === hpatchLiteVersions.inPlace;
  if (!isInPlace && version !== hpatchLiteVersions.plain)
    throw new DeltaDamage(`version ${version} of HPatchLite`, 3);
  const plainAt = fixedBytes + (shape & 7);
  const bodyAt = plainAt + ((shape >> 3) & 7);
  return {
    isInPlace,
    compression: hpatchLiteCompressions[compressionNumber] ?? null,
    compressionNumber,
    targetBytes: readNumber(patch, fixedBytes, plainAt),
    targetAt: fixedBytes,
    plainBytes: readNumber(patch, plainAt, bodyAt),
    plainAt,
    bodyAt,
  };
}

/** The lowest byte first. */
function readNumber(patch: Uint8Array, start: number, end: number): number {
  if (end - start > mostSizeBytes) throw new DeltaDamage(`a size of ${end - start} bytes`, 3);
  if (end > patch.length) throw new ContentEnd(patch.length);
  return patch.subarray(start, end).reduceRight((value, byte) => value * 256 + byte, 0);
}

/**
 * Reads the header of an HPatchLite patch: its kind, compression and target size. Returns null after a
 * blocking report.
 * Source: HDiffPatch, libHDiffPatch/HPatchLite/hpatch_lite.c.
 */
export async function readHpatchLitePatch(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const format = 'HPatchLite';
  const head = await withDeltaFindings(format, report, async () => {
    const read = readHpatchLiteHead(Uint8Array.from(await source.read(0, mostHeaderBytes)));
    if (read === null) throw new DeltaDamage('it does not begin like a patch', 0);
    if (read.compression === 'none' && read.plainBytes > 0)
      throw new DeltaDamage('not compressed, but with a size before compression', read.plainAt);
    return read;
  });
  if (head === null) return null;
  const { compression, compressionNumber, isInPlace, targetBytes, targetAt } = head;
  const details = [`compression ${compression ?? compressionNumber}`];
  if (isInPlace) details.push('for an update in place');
  const facts = tellDelta({ format, targetBytes, targetAt, details }, report);
  if (facts !== null && compression === null)
    report('patch.private-compression', `compression ${compressionNumber}`, {
      offset: 2,
      found: String(compressionNumber),
    });
  return facts;
}
