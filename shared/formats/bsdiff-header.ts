import { readOffset } from './bsdiff-offsets.ts';
import type { ByteSource } from './byte-source.ts';
import { DeltaDamage, tellDelta, withDeltaFindings } from './delta-facts.ts';
import { hexText, type ImageFacts } from './image-facts.ts';
import type { Report } from './report.ts';
import { ContentEnd } from './source-cursor.ts';

const bzip2Magic = /^425a683[1-9]/;
/** Fewest bytes of a bzip2 stream: header, end mark and CRC. */
const emptyStreamBytes = 14;
const endMark = 0x1772_4538_5090n;
/** End mark, CRC and padding. */
const tailBytes = 11;

/**
 * Reads the header of a BSDIFF40 patch and checks that its three bzip2 streams begin where it says.
 * Returns null after a blocking report. Source: bspatch.c of bsdiff 4.3.
 */
export async function readBsdiff40Header(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const format = 'BSDIFF40';
  const targetBytes = await withDeltaFindings(format, report, async () => {
    const header = await headerOf(source, 32);
    const control = offsetAt(header, 8);
    const diff = offsetAt(header, 16);
    const target = offsetAt(header, 24);
    const controlStart = header.length;
    const diffStart = controlStart + control;
    const extraStart = diffStart + diff;
    if (extraStart > source.sizeBytes) throw new ContentEnd(source.sizeBytes);
    await checkStream(source, 'control', controlStart, diffStart);
    await checkStream(source, 'diff', diffStart, extraStart);
    await checkStream(source, 'extra', extraStart, source.sizeBytes);
    return target;
  });
  return targetBytes === null
    ? null
    : tellDelta({ format, targetBytes, targetAt: 24, details: ['three bzip2 streams'] }, report);
}

/**
 * Reads the header of an ENDSLEY/BSDIFF43 patch: target size and one bzip2 stream.
 * Returns null after a blocking report. Source: bspatch.c of github.com/mendsley/bsdiff.
 */
export async function readBsdiff43Header(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const format = 'ENDSLEY/BSDIFF43';
  const targetBytes = await withDeltaFindings(format, report, async () => {
    const header = await headerOf(source, 24);
    const target = offsetAt(header, 16);
    await checkStream(source, 'patch', header.length, source.sizeBytes);
    return target;
  });
  return targetBytes === null
    ? null
    : tellDelta({ format, targetBytes, targetAt: 16, details: ['one bzip2 stream'] }, report);
}

async function headerOf(source: ByteSource, sizeBytes: number): Promise<Uint8Array> {
  const header = await source.read(0, sizeBytes);
  if (header.length < sizeBytes) throw new ContentEnd(source.sizeBytes);
  return header;
}

async function checkStream(
  source: ByteSource,
  name: string,
  start: number,
  end: number,
): Promise<void> {
  if (end - start < emptyStreamBytes)
    throw new DeltaDamage(`the ${name} stream has ${end - start} bytes`, start);
  if (!bzip2Magic.test(hexText(await source.read(start, 4))))
    throw new DeltaDamage(`the ${name} stream is not bzip2`, start);
  const tail = await source.read(end - tailBytes, tailBytes);
  if (!endsLikeBzip2(tail)) throw new DeltaDamage(`the ${name} stream is cut`, end);
}

/** Whether the end mark stands before the CRC and up to 7 bits of padding. */
function endsLikeBzip2(tail: Uint8Array): boolean {
  const bits = tail.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  for (let padding = 0n; padding < 8n; padding += 1n) {
    if (((bits >> (32n + padding)) & 0xffff_ffff_ffffn) === endMark) return true;
  }
  return false;
}

/** A length. @throws DeltaDamage when negative */
function offsetAt(bytes: Uint8Array, at: number): number {
  const value = readOffset(bytes, at);
  if (value < 0) throw new DeltaDamage('a length is negative', at);
  return value;
}
