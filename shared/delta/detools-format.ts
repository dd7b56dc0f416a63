import type { Compression } from '../domain/delta.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import { checkTargetSize, corruptPatch, unsupportedPatch } from './patch-problems.ts';

/** Numbers of detools for types and compressions (its documentation, "Patch format"). */
const sequentialType = 0;
const inPlaceType = 1;
const compressionNumbers: Readonly<Record<Compression, number>> = {
  none: 0,
  lzma: 1,
  crle: 2,
  heatshrink: 4,
};
const foreignCompressions: ReadonlyMap<number, string> = new Map([
  [3, 'bz2'],
  [5, 'zstd'],
  [6, 'lz4'],
]);

/** The header of a detools patch, offsets and sizes in bytes. */
export interface DetoolsHeader {
  readonly type: 'sequential' | 'in-place';
  readonly compression: Compression;
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

/** Reads a signed size from single bytes. @throws RangeError when it is absurdly long */
export function readSize(nextByte: () => number): number {
  let byte = nextByte();
  const isNegative = (byte & 0x40) !== 0;
  let value = byte & 0x3f;
  for (let weight = 64; byte & 0x80; weight *= 128) {
    byte = nextByte();
    value += (byte & 0x7f) * weight;
    if (!Number.isSafeInteger(value)) throw new RangeError('a size is absurdly long');
  }
  return isNegative && value > 0 ? -value : value;
}

/** The header of a patch; `place` makes it an in-place one. */
export function writeHeader(
  compression: Compression,
  targetSizeBytes: number,
  place: InPlaceLayout | null,
): Uint8Array {
  const out = new GrowingBytes(64);
  const type = place ? inPlaceType : sequentialType;
  out.byte((type << 4) | compressionNumbers[compression]);
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
  const first = patch[0];
  if (first === undefined || first & 0x80) return null;
  const type = first >> 4;
  const number = first & 0x0f;
  const foreign = foreignCompressions.get(number);
  const compression = (Object.keys(compressionNumbers) as Compression[]).find(
    (name) => compressionNumbers[name] === number,
  );
  if (type > 2 || (!compression && !foreign)) return null;
  if (type === 2) throw unsupportedPatch('A detools patch of the type hdiffpatch');
  if (!compression) throw unsupportedPatch(`A detools patch compressed with ${foreign}`);
  let at = 1;
  const next = (name: string): number => {
    const start = at;
    try {
      const value = readSize(() => {
        const byte = patch[at++];
        if (byte === undefined) throw new Error('the header ends early');
        return byte;
      });
      if (value < 0) throw new Error(`the ${name} is negative`);
      return value;
    } catch (error) {
      throw corruptPatch(start, error instanceof Error ? error.message : String(error));
    }
  };
  let place: InPlaceLayout | null = null;
  if (type === inPlaceType) {
    place = {
      memoryBytes: next('memory size'),
      segmentBytes: next('segment size'),
      shiftBytes: next('shift'),
      sourceSizeBytes: next('source size'),
    };
  }
  const sizeAt = at;
  const targetSizeBytes = next('target size');
  checkTargetSize(targetSizeBytes, sizeAt);
  if (place) checkLayout(place, targetSizeBytes);
  return {
    type: place ? 'in-place' : 'sequential',
    compression,
    targetSizeBytes,
    headerBytes: at,
    place,
  };
}

function checkLayout(place: InPlaceLayout, targetSizeBytes: number): void {
  const { memoryBytes, segmentBytes, shiftBytes, sourceSizeBytes } = place;
  checkTargetSize(memoryBytes, 1);
  if (segmentBytes === 0 || memoryBytes % segmentBytes !== 0)
    throw corruptPatch(1, `${memoryBytes} bytes of memory are no segments of ${segmentBytes}`);
  if (shiftBytes % segmentBytes !== 0 || shiftBytes < segmentBytes || shiftBytes > memoryBytes)
    throw corruptPatch(1, `a shift by ${shiftBytes} bytes does not fit the memory`);
  if (sourceSizeBytes > memoryBytes || targetSizeBytes > memoryBytes)
    throw corruptPatch(1, `the images do not fit ${memoryBytes} bytes of memory`);
}
