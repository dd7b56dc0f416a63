import { type DetoolsCompression, detoolsCompressionSchema } from '../domain/delta.ts';
import {
  checkDetoolsPlace,
  detoolsCompressions,
  detoolsKindOf,
  detoolsTypes,
  readDetoolsHead,
} from '../formats/detools-header.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import { checkTargetSize, readHead, unsupportedPatch } from './patch-problems.ts';

/** The header of a detools patch, offsets and sizes in bytes. */
export interface DetoolsHeader {
  readonly type: 'sequential' | 'in-place';
  readonly compression: DetoolsCompression;
  readonly targetSizeBytes: number;
  readonly headerBytes: number;
  readonly place: InPlaceLayout | null;
}

/** How an in-place patch uses the device's memory: the source is moved up by `shiftBytes` first. */
export interface InPlaceLayout {
  readonly memoryBytes: number;
  readonly segmentBytes: number;
  readonly shiftBytes: number;
  readonly sourceSizeBytes: number;
}

/** Writes a signed size: 6 bits and a sign first, then 7 bits a byte, the lowest first. */
export function writeSize(out: GrowingBytes, value: number): void {
  let rest = Math.abs(value);
  const sign = value < 0 ? 0x40 : 0;
  out.byte((rest > 0x3f ? 0x80 : 0) | sign | (rest & 0x3f));
  for (rest = Math.floor(rest / 64); rest > 0; rest = Math.floor(rest / 128))
    out.byte((rest > 0x7f ? 0x80 : 0) | (rest & 0x7f));
}

/** How many bytes a size takes. */
export function sizeBytes(value: number): number {
  let count = 1;
  for (let rest = Math.floor(Math.abs(value) / 64); rest > 0; rest = Math.floor(rest / 128))
    count++;
  return count;
}

/** The header of a patch; `place` makes it an in-place one. */
export function writeHeader(
  compression: DetoolsCompression,
  targetSizeBytes: number,
  place: InPlaceLayout | null,
): Uint8Array {
  const out = new GrowingBytes(64);
  const type = detoolsTypes.indexOf(place ? 'in-place' : 'sequential');
  out.byte((type << 4) | detoolsCompressions.indexOf(compression));
  if (place) {
    writeSize(out, place.memoryBytes);
    writeSize(out, place.segmentBytes);
    writeSize(out, place.shiftBytes);
    writeSize(out, place.sourceSizeBytes);
  }
  writeSize(out, targetSizeBytes);
  return out.view().slice();
}

/** Reads the header; null when the bytes cannot be a detools patch. @throws ProblemError `patch-corrupt` | `patch-unsupported` */
export function readDetoolsHeader(patch: Uint8Array): DetoolsHeader | null {
  const kind = patch[0] === undefined ? null : detoolsKindOf(patch[0]);
  if (!kind) return null;
  const { type } = kind;
  if (type === 'hdiffpatch') throw unsupportedPatch('A detools patch of the type hdiffpatch');
  const compression = detoolsCompressionSchema.safeParse(kind.compression);
  if (!compression.success)
    throw unsupportedPatch(`A detools patch compressed with ${kind.compression}`);
  const { targetBytes, targetAt, place, bodyAt } = readHead(() => {
    const head = readDetoolsHead(patch);
    checkDetoolsPlace(head);
    return head;
  });
  checkTargetSize(targetBytes, targetAt);
  if (place) checkTargetSize(place.memoryBytes, 1);
  return {
    type,
    compression: compression.data,
    targetSizeBytes: targetBytes,
    headerBytes: bodyAt,
    place: place && {
      memoryBytes: place.memoryBytes,
      segmentBytes: place.segmentBytes,
      shiftBytes: place.shiftBytes,
      sourceSizeBytes: place.sourceBytes,
    },
  };
}
