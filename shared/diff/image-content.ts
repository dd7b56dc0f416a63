import type { ImageSegment } from '../domain/finding.ts';
import { problem } from '../domain/problem.ts';
import { type ByteSource, memorySource } from '../formats/byte-source.ts';
import { type Extent, loadExtents, readElfTables } from '../formats/elf-tables.ts';
import { readRange } from '../formats/image-facts.ts';
import { IntelHexReader } from '../formats/intel-hex.ts';
import { throwingReport } from '../formats/report.ts';
import { SRecordReader } from '../formats/s-record.ts';
import { sniff, sniffHeadBytes } from '../formats/sniff.ts';

/** What an image puts into memory: runs at ascending addresses that do not overlap, and where their bytes are. */
export interface ImageContent {
  readonly format: string;
  /** Whether the addresses are those of the file itself. */
  readonly isPlaced: boolean;
  readonly extents: readonly Extent[];
  /** Bytes that a file of text records decodes to; null when the extents are those of the file. */
  readonly decoded: Uint8Array | null;
}

/**
 * Reads where the bytes of an image go: by load segments of an ELF file, by records of S-record and Intel HEX, else all of
 * the file from the address that is known for its format.
 * @throws ProblemError `file.empty` | `diff-nothing-loaded` and what the reader of the format finds
 */
export async function readImageContent(
  name: string,
  source: ByteSource,
  addressOf: (format: string) => number,
): Promise<ImageContent> {
  if (source.sizeBytes === 0)
    throw problem(
      'file.empty',
      'The image is empty',
      `${name} has 0 bytes.`,
      'Choose another file.',
      'usage',
    );
  const format = sniff(await source.read(0, sniffHeadBytes));
  if (format === 'elf') return elfContent(name, source);
  if (format === 's-record' || format === 'intel-hex') return recordContent(name, format, source);
  const extents = [{ start: addressOf(format), sizeBytes: source.sizeBytes, at: 0 }];
  return { format, isPlaced: false, extents, decoded: null };
}

/** The bytes of the content, wherever they are. */
export function contentSource({ decoded }: ImageContent, file: ByteSource): ByteSource {
  return decoded ? memorySource(decoded) : file;
}

async function elfContent(name: string, source: ByteSource): Promise<ImageContent> {
  const report = throwingReport(name);
  const tables = await readElfTables(source, report);
  const extents = tables && loadExtents(tables.programs, report);
  if (!extents || extents.length === 0) throw nothingLoaded(name);
  return { format: 'elf', isPlaced: true, extents, decoded: null };
}

async function recordContent(
  name: string,
  format: 's-record' | 'intel-hex',
  source: ByteSource,
): Promise<ImageContent> {
  const report = throwingReport(name);
  const reader = format === 's-record' ? new SRecordReader(report) : new IntelHexReader(report);
  for await (const bytes of readRange(source, 0, source.sizeBytes)) reader.push(bytes);
  const { segments } = reader.finish();
  if (segments.length === 0) throw nothingLoaded(name);
  const decoded = new Uint8Array(segments.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const extents: Extent[] = [];
  let at = 0;
  for (const { address: start, bytes } of segments) {
    decoded.set(bytes, at);
    extents.push({ start, sizeBytes: bytes.length, at });
    at += bytes.length;
  }
  return { format, isPlaced: true, extents, decoded };
}

const nothingLoaded = (name: string) =>
  problem(
    'diff-nothing-loaded',
    'The file puts nothing into memory',
    `${name} has no segment with content.`,
    'Choose a linked image, or the raw binary.',
    'usage',
  );

/** Bytes of a stretch of addresses; where the image has none they are 0. */
export interface AddressBytes {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Stretches without content, ascending, offsets from the beginning. */
  readonly holes: readonly ImageSegment[];
}

/** Reads a stretch of addresses. @throws ProblemError `diff-file-changed` when the file has become shorter */
export async function readAddresses(
  extents: readonly Extent[],
  source: ByteSource,
  start: number,
  sizeBytes: number,
): Promise<AddressBytes> {
  const bytes = new Uint8Array(sizeBytes);
  const holes: ImageSegment[] = [];
  let filled = 0;
  const skipTo = (to: number): void => {
    if (to > filled) holes.push({ start: filled, sizeBytes: to - filled });
  };
  for (let index = firstBeyond(extents, start); index < extents.length; index++) {
    const extent = extents[index];
    if (!extent || extent.start >= start + sizeBytes) break;
    const from = Math.max(start, extent.start);
    const to = Math.min(start + sizeBytes, extent.start + extent.sizeBytes);
    const found = await source.read(extent.at + from - extent.start, to - from);
    if (found.length < to - from) throw fileChanged();
    skipTo(from - start);
    bytes.set(found, from - start);
    filled = to - start;
  }
  skipTo(sizeBytes);
  return { bytes, holes };
}

/** A file is no longer what was compared. */
export const fileChanged = () =>
  problem(
    'diff-file-changed',
    'A compared file was changed',
    'What it holds now is not what was compared.',
    'Compare the files again.',
  );

/** Index of the first extent that ends behind an address. */
function firstBeyond(extents: readonly ImageSegment[], address: number): number {
  let [low, high] = [0, extents.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const extent = extents[middle];
    if (extent && extent.start + extent.sizeBytes <= address) low = middle + 1;
    else high = middle;
  }
  return low;
}
