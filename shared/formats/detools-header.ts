import type { ByteSource } from './byte-source.ts';
import { DeltaDamage, tellDelta, withDeltaFindings } from './delta-facts.ts';
import { readDetoolsSize } from './detools-size.ts';
import { hexText, type ImageFacts } from './image-facts.ts';
import type { Report } from './report.ts';
import { ContentEnd, NumberTooLarge } from './source-cursor.ts';

/** Numbers of types and compressions are their places in these lists. */
export const detoolsTypes = ['sequential', 'in-place', 'hdiffpatch'] as const;
export const detoolsCompressions = [
  'none',
  'lzma',
  'crle',
  'bz2',
  'heatshrink',
  'zstd',
  'lz4',
] as const;
/** Header byte and five sizes of at most ten bytes. */
const mostHeaderBytes = 64;

/** How the compressed body begins, where its format has a fixed beginning. */
const beginnings: Readonly<Partial<Record<(typeof detoolsCompressions)[number], RegExp>>> = {
  // The usual properties, or any of them where the size is left open.
  lzma: /^(?:5d0000|(?:[0-9a-d].|e0).{8}f{16}00)/,
  bz2: /^425a683[1-9]/,
  zstd: /^28b52ffd/,
  lz4: /^04224d18/,
};
/** Bytes that the beginnings are told by. */
const beginningBytes = 14;

/** What the first byte of a detools patch says. */
export interface DetoolsKind {
  readonly type: (typeof detoolsTypes)[number];
  readonly compression: (typeof detoolsCompressions)[number];
}

/** The header of a detools patch, offsets and sizes in bytes. */
export interface DetoolsHead extends DetoolsKind {
  readonly targetBytes: number;
  readonly targetAt: number;
  readonly place: {
    readonly memoryBytes: number;
    readonly segmentBytes: number;
    readonly shiftBytes: number;
    readonly sourceBytes: number;
  } | null;
  /** Offset of the compressed body. */
  readonly bodyAt: number;
}

/**
 * Reads the header of a detools patch: type, compression, target size and, of an in-place patch, its
 * use of the memory. Returns null after a blocking report.
 * Source: detools, docs/index.rst, "Patch format".
 */
export async function readDetoolsPatch(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const format = 'detools';
  const header = await withDeltaFindings(format, report, async () => {
    const read = readDetoolsHead(Uint8Array.from(await source.read(0, mostHeaderBytes)));
    checkDetoolsPlace(read);
    const body = await source.read(read.bodyAt, beginningBytes);
    if (hasBeginning(read.compression, body) === false)
      throw new DeltaDamage(`the body is not ${read.compression}`, read.bodyAt);
    return read;
  });
  if (header === null) return null;
  const { type, compression, targetBytes, targetAt, place } = header;
  const details = [`type ${type}`, `compression ${compression}`];
  if (place !== null)
    details.push(
      `memory ${place.memoryBytes} bytes`,
      `segments of ${place.segmentBytes} bytes`,
      `source moved by ${place.shiftBytes} bytes`,
    );
  const known = place === null ? {} : { sourceBytes: place.sourceBytes };
  return tellDelta({ format, targetBytes, targetAt, ...known, details }, report);
}

/** Whether the compressed body begins as its format does; null where the format has no fixed beginning. */
export function hasBeginning(
  compression: DetoolsKind['compression'],
  body: Uint8Array,
): boolean | null {
  return beginnings[compression]?.test(hexText(body.subarray(0, beginningBytes))) ?? null;
}

/** What the first byte says; null when no detools patch begins with it. */
export function detoolsKindOf(first: number): DetoolsKind | null {
  const type = detoolsTypes[first >> 4];
  const compression = detoolsCompressions[first & 0x0f];
  return type === undefined || compression === undefined ? null : { type, compression };
}

/** Reads the header at the beginning of the bytes. @throws ContentEnd | NumberTooLarge | DeltaDamage */
export function readDetoolsHead(patch: Uint8Array): DetoolsHead {
  const bytes = patch.subarray(0, mostHeaderBytes);
  const [first] = bytes;
  if (first === undefined) throw new ContentEnd(0);
  const kind = detoolsKindOf(first);
  if (kind === null) throw new DeltaDamage(`type ${first >> 4} and compression ${first & 0x0f}`, 0);
  let at = 1;
  const nextByte = (): number => {
    const byte = bytes[at];
    if (byte === undefined) throw new ContentEnd(bytes.length);
    at += 1;
    return byte;
  };
  const size = (name: string): number => {
    const start = at;
    const value = sizeOf(nextByte, start);
    if (value < 0) throw new DeltaDamage(`the ${name} is negative`, start);
    return value;
  };
  const place =
    kind.type === 'in-place'
      ? {
          memoryBytes: size('memory size'),
          segmentBytes: size('segment size'),
          shiftBytes: size('shift'),
          sourceBytes: size('source size'),
        }
      : null;
  const targetAt = at;
  const targetBytes = size('target size');
  if (kind.type === 'hdiffpatch') size('patch size');
  return { ...kind, targetBytes, targetAt, place, bodyAt: at };
}

function sizeOf(nextByte: () => number, start: number): number {
  try {
    return readDetoolsSize(nextByte);
  } catch (error) {
    if (error instanceof RangeError) throw new NumberTooLarge(start);
    throw error;
  }
}

/** The memory holds whole segments, the moved source begins at one of them, and both images fit. @throws DeltaDamage */
export function checkDetoolsPlace({ place, targetBytes }: DetoolsHead): void {
  if (place === null) return;
  const { memoryBytes, segmentBytes, shiftBytes, sourceBytes } = place;
  if (segmentBytes === 0 || memoryBytes % segmentBytes !== 0)
    throw new DeltaDamage(`segments of ${segmentBytes} bytes in ${memoryBytes} bytes of memory`, 1);
  if (shiftBytes === 0 || shiftBytes % segmentBytes !== 0 || shiftBytes > memoryBytes)
    throw new DeltaDamage(`the source is moved by ${shiftBytes} bytes`, 1);
  const largestBytes = Math.max(sourceBytes, targetBytes);
  if (largestBytes > memoryBytes)
    throw new DeltaDamage(`${largestBytes} bytes do not fit ${memoryBytes} bytes of memory`, 1);
}
