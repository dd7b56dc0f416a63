import type { HdiffCompression } from '../domain/delta.ts';
import { type HdiffStream, hdiffStreams, readHdiffHead } from '../formats/hdiff-header.ts';
import { propertiesBytes } from '../formats/lzma-format.ts';
import { type LzmaHeader, readLzmaProperties } from '../formats/lzma-reader.ts';
import { checkTargetSize, corruptPatch, readHead, unsupportedPatch } from './patch-problems.ts';

/** As the patches of HDiffPatch begin, those of one image and those of folders. */
const magic = new TextEncoder().encode('HDIFF');
/** What the control of the differences says of a run: zeros, 255s, one byte again and again, or bytes as they are. */
export const runKinds = { zeros: 0, ones: 1, repeated: 2, stored: 3 } as const;
export const runKindBits = 2;
/** The way to the source of a copy begins with its sign. */
export const signBits = 1;

/** The header of an HDIFF13 patch, sizes in bytes. */
export interface HdiffHeader {
  readonly compression: HdiffCompression;
  readonly targetSizeBytes: number;
  readonly sourceSizeBytes: number;
  readonly covers: number;
  readonly headerBytes: number;
  readonly cover: PatchPart;
  readonly control: PatchPart;
  readonly runs: PatchPart;
  readonly fresh: PatchPart;
}

/** One of the four streams; `lzma` tells how it is packed, and is null where it is not. */
export interface PatchPart extends HdiffStream {
  readonly lzma: LzmaHeader | null;
}

/** Bytes before a packed stream: their number, then properties and dictionary of LZMA. */
export const lzmaHeadBytes = 1 + propertiesBytes;

/** Reads the header; null when the bytes do not begin like such a patch. @throws ProblemError `patch-corrupt` | `patch-unsupported` */
export function readHdiffHeader(patch: Uint8Array): HdiffHeader | null {
  if (!magic.every((byte, at) => patch[at] === byte)) return null;
  const { type, compressor, targetAt, content } = readHead(() =>
    readHdiffHead(patch, patch.length),
  );
  if (!content || type !== 'HDIFF13') throw unsupportedPatch(`A patch of the type ${type}`);
  if (compressor !== '' && compressor !== 'lzma')
    throw unsupportedPatch(`An HDIFF13 patch compressed with ${compressor}`);
  const { targetBytes, sourceBytes, covers, streams } = content;
  checkTargetSize(targetBytes, targetAt);
  const parts = streams.map((stream): PatchPart => ({ ...stream, lzma: lzmaOf(patch, stream) }));
  const [cover, control, runs, fresh] = parts;
  if (!cover || !control || !runs || !fresh)
    throw new Error(`HDIFF13 has ${hdiffStreams.length} streams`);
  return {
    compression: compressor === '' ? 'none' : compressor,
    targetSizeBytes: targetBytes,
    sourceSizeBytes: sourceBytes,
    covers,
    headerBytes: cover.offset,
    cover,
    control,
    runs,
    fresh,
  };
}

function lzmaOf(patch: Uint8Array, stream: HdiffStream): LzmaHeader | null {
  if (!stream.isPacked) return null;
  const { name, offset, sizeBytes, plainSizeBytes } = stream;
  const head = patch.subarray(offset, offset + Math.min(lzmaHeadBytes, sizeBytes));
  if (head[0] !== propertiesBytes)
    throw corruptPatch(offset, `the ${name} stream has ${head[0]} bytes of LZMA properties`);
  try {
    return readLzmaProperties(head.subarray(1), plainSizeBytes);
  } catch (error) {
    throw corruptPatch(offset, error instanceof Error ? error.message : String(error));
  }
}
