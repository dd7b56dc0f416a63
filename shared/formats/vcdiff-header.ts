import type { ByteSource } from './byte-source.ts';
import { DeltaDamage, tellDelta, withDeltaFindings } from './delta-facts.ts';
import type { ImageFacts } from './image-facts.ts';
import { hexByte, type Report } from './report.ts';
import { SourceCursor } from './source-cursor.ts';

const mostWindows = 1_000_000;
const headerFlags = { secondary: 1, codeTable: 2, application: 4, known: 7 } as const;
const windowFlags = { source: 1, target: 2, adler32: 4, known: 7 } as const;
const mostCompressedSections = 7;
/** Versions after the magic number: the standard's, and the interleaved one of open-vcdiff (SDCH). */
const versions: ReadonlySet<number> = new Set([0x00, 0x53]);
const compressors: ReadonlyMap<number, string> = new Map([
  [1, 'DJW'],
  [2, 'LZMA'],
  [16, 'FGK'],
]);

/** What the headers of a VCDIFF patch say. */
export interface VcdiffHeader {
  /** Identifier of the secondary compressor (xdelta3's own numbers), null without one. */
  readonly secondaryCompressor: number | null;
  readonly hasOwnCodeTable: boolean;
  readonly windows: number;
  readonly targetBytes: number;
  /** Bytes that the source must have at least. */
  readonly sourceBytes: number;
  /** Whether every window carries an Adler-32 (an extension of xdelta3 and open-vcdiff). */
  readonly hasChecksums: boolean;
}

/**
 * Reads the header and the header of every window of a VCDIFF patch: all lengths agree with each other
 * and with the file. Returns null after a blocking report. Source: RFC 3284, sections 4.1 to 4.3.
 */
export async function readVcdiffHeader(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const format = 'VCDIFF';
  const header = await withDeltaFindings(format, report, () => walkVcdiff(source));
  if (header === null) return null;
  const { secondaryCompressor: id, targetBytes, sourceBytes, windows } = header;
  const details = [
    `${windows} windows`,
    id === null ? 'no secondary compression' : `secondary compression ${compressors.get(id) ?? id}`,
    header.hasChecksums ? 'Adler-32 in every window' : 'no checksums',
  ];
  const facts = tellDelta({ format, targetBytes, targetAt: 4, sourceBytes, details }, report);
  if (facts !== null && id !== null) {
    report('patch.private-compression', `secondary compressor ${compressors.get(id) ?? id}`, {
      offset: 5,
      found: String(id),
    });
  }
  return facts;
}

/** Walks the headers. @throws ContentEnd | NumberTooLarge | DeltaDamage */
async function walkVcdiff(source: ByteSource): Promise<VcdiffHeader> {
  const cursor = new SourceCursor(source);
  await cursor.prepare();
  // The magic number.
  cursor.skip(3);
  const version = cursor.byte();
  if (!versions.has(version)) throw new DeltaDamage(`version ${hexByte(version)}`, 3);
  const indicator = cursor.byte();
  if ((indicator & ~headerFlags.known) !== 0)
    throw new DeltaDamage(`unknown flags in the header (${hexByte(indicator)})`, 4);
  const secondaryCompressor = (indicator & headerFlags.secondary) === 0 ? null : cursor.byte();
  const hasOwnCodeTable = (indicator & headerFlags.codeTable) !== 0;
  if (hasOwnCodeTable) cursor.skip(cursor.bigEndianVarint());
  await cursor.prepare();
  if ((indicator & headerFlags.application) !== 0) cursor.skip(cursor.bigEndianVarint());
  let windows = 0;
  let targetBytes = 0;
  let sourceBytes = 0;
  let hasChecksums = true;
  for (; cursor.leftBytes > 0; windows += 1) {
    if (windows === mostWindows)
      throw new DeltaDamage(`over ${mostWindows} windows`, cursor.offset);
    await cursor.prepare();
    const window = readWindow(cursor, targetBytes, secondaryCompressor !== null);
    targetBytes += window.targetBytes;
    sourceBytes = Math.max(sourceBytes, window.sourceEnd);
    hasChecksums &&= window.hasChecksum;
  }
  if (windows === 0) throw new DeltaDamage('it has no window', cursor.offset);
  return { secondaryCompressor, hasOwnCodeTable, windows, targetBytes, sourceBytes, hasChecksums };
}

interface Window {
  readonly targetBytes: number;
  readonly sourceEnd: number;
  readonly hasChecksum: boolean;
}

function readWindow(cursor: SourceCursor, madeBytes: number, isCompressed: boolean): Window {
  const start = cursor.offset;
  const indicator = cursor.byte();
  const copies = indicator & (windowFlags.source | windowFlags.target);
  if (
    (indicator & ~windowFlags.known) !== 0 ||
    copies === (windowFlags.source | windowFlags.target)
  )
    throw new DeltaDamage(`unknown flags in a window (${hexByte(indicator)})`, start);
  let segmentEnd = 0;
  if (copies !== 0) segmentEnd = cursor.bigEndianVarint() + cursor.bigEndianVarint();
  if (copies === windowFlags.target && segmentEnd > madeBytes)
    throw new DeltaDamage(
      'a window copies from a part of the target that does not exist yet',
      start,
    );
  const deltaBytes = cursor.bigEndianVarint();
  const deltaStart = cursor.offset;
  const targetBytes = cursor.bigEndianVarint();
  const compressed = cursor.byte();
  if (compressed > mostCompressedSections || (compressed !== 0 && !isCompressed))
    throw new DeltaDamage(
      `unknown compressed sections (${hexByte(compressed)})`,
      cursor.offset - 1,
    );
  const sectionBytes =
    cursor.bigEndianVarint() + cursor.bigEndianVarint() + cursor.bigEndianVarint();
  const hasChecksum = (indicator & windowFlags.adler32) !== 0;
  if (hasChecksum) cursor.skip(4);
  const announced = deltaStart + deltaBytes;
  const found = cursor.offset + sectionBytes;
  if (announced !== found)
    throw new DeltaDamage(
      `the sections of a window take ${found - deltaStart} bytes, not ${deltaBytes}`,
      deltaStart,
    );
  cursor.skip(sectionBytes);
  return { targetBytes, sourceEnd: copies === windowFlags.source ? segmentEnd : 0, hasChecksum };
}
