import type { ByteSource } from './byte-source.ts';
import { DeltaDamage, tellDelta, withDeltaFindings } from './delta-facts.ts';
import { hexText, type ImageFacts } from './image-facts.ts';
import type { Report } from './report.ts';
import { ContentEnd, NumberTooLarge } from './source-cursor.ts';

const types = ['sequential', 'in-place', 'hdiffpatch'] as const;
const compressions = ['none', 'lzma', 'crle', 'bz2', 'heatshrink', 'zstd', 'lz4'] as const;
/** Header byte and five sizes of at most ten bytes. */
const mostHeaderBytes = 64;

/** How the compressed body begins, where its format has a fixed beginning. */
const beginnings: Readonly<Partial<Record<(typeof compressions)[number], RegExp>>> = {
  lzma: /^5d0000/,
  bz2: /^425a683[1-9]/,
  zstd: /^28b52ffd/,
  lz4: /^04224d18/,
};

interface DetoolsHeader {
  readonly type: (typeof types)[number];
  readonly compression: (typeof compressions)[number];
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
 * Whether the bytes begin like a detools patch. The format has no magic number: only patches whose
 * compression has one are recognised.
 */
export function looksLikeDetools(head: Uint8Array): boolean {
  try {
    const { compression, bodyAt, targetBytes } = parseHeader(head.subarray(0, mostHeaderBytes));
    const expected = beginnings[compression];
    return targetBytes > 0 && expected?.test(hexText(head.subarray(bodyAt, bodyAt + 4))) === true;
  } catch (error) {
    if (isTold(error)) return false;
    throw error;
  }
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
    const read = parseHeader(Uint8Array.from(await source.read(0, mostHeaderBytes)));
    const body = hexText(await source.read(read.bodyAt, 4));
    if (beginnings[read.compression]?.test(body) === false)
      throw new DeltaDamage(`the body is not ${read.compression}`, read.bodyAt);
    if (read.place !== null) checkPlace(read.place, read.targetBytes);
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

/** @throws ContentEnd | NumberTooLarge | DeltaDamage */
function parseHeader(bytes: Uint8Array): DetoolsHeader {
  const [first] = bytes;
  if (first === undefined) throw new ContentEnd(0);
  const type = types[first >> 4];
  const compression = compressions[first & 0x0f];
  if (type === undefined || compression === undefined)
    throw new DeltaDamage(`type ${first >> 4} and compression ${first & 0x0f}`, 0);
  let at = 1;
  const size = (name: string): number => {
    const start = at;
    const { value, sizeBytes } = parseSize(bytes, at);
    at += sizeBytes;
    if (value < 0) throw new DeltaDamage(`the ${name} is negative`, start);
    return value;
  };
  const place =
    type === 'in-place'
      ? {
          memoryBytes: size('memory size'),
          segmentBytes: size('segment size'),
          shiftBytes: size('shift'),
          sourceBytes: size('source size'),
        }
      : null;
  const targetAt = at;
  const targetBytes = size('target size');
  if (type === 'hdiffpatch') size('patch size');
  return { type, compression, targetBytes, targetAt, place, bodyAt: at };
}

/** A size: 6 bits and a sign in the first byte, then 7 bits a byte, the lowest first. */
function parseSize(
  bytes: Uint8Array,
  start: number,
): { readonly value: number; readonly sizeBytes: number } {
  let value = 0;
  let weight = 1;
  for (let at = start; at - start < 10; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw new ContentEnd(bytes.length);
    const bits = at === start ? 6 : 7;
    value += (byte % 2 ** bits) * weight;
    weight *= 2 ** bits;
    if (value > Number.MAX_SAFE_INTEGER) throw new NumberTooLarge(start);
    if ((byte & 0x80) !== 0) continue;
    const isNegative = ((bytes[start] ?? 0) & 0x40) !== 0;
    return { value: isNegative ? -value : value, sizeBytes: at - start + 1 };
  }
  throw new NumberTooLarge(start);
}

/** The memory holds whole segments, the moved source begins at one of them, and the target fits. */
function checkPlace(place: NonNullable<DetoolsHeader['place']>, targetBytes: number): void {
  const { memoryBytes, segmentBytes, shiftBytes } = place;
  if (segmentBytes === 0 || memoryBytes % segmentBytes !== 0)
    throw new DeltaDamage(`segments of ${segmentBytes} bytes in ${memoryBytes} bytes of memory`, 1);
  if (shiftBytes === 0 || shiftBytes % segmentBytes !== 0 || shiftBytes > memoryBytes)
    throw new DeltaDamage(`the source is moved by ${shiftBytes} bytes`, 1);
  if (targetBytes > memoryBytes)
    throw new DeltaDamage(`${targetBytes} bytes do not fit ${memoryBytes} bytes of memory`, 1);
}

function isTold(error: unknown): boolean {
  return (
    error instanceof ContentEnd || error instanceof NumberTooLarge || error instanceof DeltaDamage
  );
}
