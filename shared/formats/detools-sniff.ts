import type { ByteReader } from './byte-reader.ts';
import { CrleReader, PlainReader } from './crle.ts';
import { DeltaDamage } from './delta-facts.ts';
import {
  checkDetoolsPlace,
  type DetoolsHead,
  hasBeginning,
  readDetoolsHead,
} from './detools-header.ts';
import { readDetoolsSize } from './detools-size.ts';
import { HeatshrinkReader } from './heatshrink-reader.ts';
import { ContentEnd, NumberTooLarge } from './source-cursor.ts';

/** Of a smaller image the first numbers prove too little. */
const leastTargetBytes = 256;
/** The largest window of heatshrink. */
const mostWindowBits = 15;
/** So much of the body is looked at, decompressed. */
const mostPlainBytes = 16 * 1024;

/**
 * Whether the bytes begin like a detools patch. The format has no magic number: told are patches whose
 * compression has one, and others by operations that fit the target as far as the beginning shows them.
 */
export function looksLikeDetools(head: Uint8Array): boolean {
  try {
    const read = readDetoolsHead(head);
    const body = head.subarray(read.bodyAt);
    const begins = hasBeginning(read.compression, body);
    if (begins !== null) return begins && read.targetBytes > 0;
    checkDetoolsPlace(read);
    if (read.type === 'hdiffpatch' || read.targetBytes < leastTargetBytes) return false;
    return hasOperations(read, plainBeginning(read.compression, body));
  } catch (error) {
    if (isTold(error)) return false;
    throw error;
  }
}

/**
 * Whether operation after operation fits the target until the beginning ends; each makes something, and most bytes that
 * are copied stay as they are.
 */
function hasOperations({ targetBytes, place }: DetoolsHead, plain: Uint8Array): boolean {
  const partBytes = Math.min(targetBytes, place?.segmentBytes ?? targetBytes);
  let at = 0;
  const nextByte = (): number => {
    const byte = plain[at++];
    if (byte === undefined) throw new ContentEnd(plain.length);
    return byte;
  };
  let done = 0;
  /** The bytes behind a size, as far as they are there; null when they do not fit. */
  const nextPart = (): Uint8Array | null => {
    const size = readDetoolsSize(nextByte);
    if (size < 0 || size > partBytes - done) return null;
    done += size;
    at += size;
    return plain.subarray(at - size, at);
  };
  try {
    // The data format section is empty.
    if (readDetoolsSize(nextByte) !== 0) return false;
    while (done < partBytes) {
      const before = done;
      const differences = nextPart();
      if (!differences || isMostlyChanged(differences)) return false;
      if (!nextPart() || done === before) return false;
      readDetoolsSize(nextByte);
    }
    return true;
  } catch (error) {
    if (error instanceof ContentEnd) return done > 0;
    throw error;
  }
}

function isMostlyChanged(differences: Uint8Array): boolean {
  const changed = differences.reduce((count, byte) => count + Math.sign(byte), 0);
  return changed > differences.length / 2;
}

/** As much of the body as its beginning gives: what is cut ends with an error of the reader, which proves nothing. */
function plainBeginning(compression: DetoolsHead['compression'], body: Uint8Array): Uint8Array {
  const reader = openBody(compression, body);
  const plain = new Uint8Array(mostPlainBytes);
  let filled = 0;
  try {
    while (filled < plain.length && reader.read(plain.subarray(filled, filled + 1)) === 1) filled++;
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
  }
  return plain.subarray(0, filled);
}

function openBody(compression: DetoolsHead['compression'], body: Uint8Array): ByteReader {
  if (compression === 'none') return new PlainReader(body);
  if (compression === 'crle') return new CrleReader(body);
  const shape = body[0] ?? 0;
  const [windowBits, lookaheadBits] = [(shape >> 4) + 4, (shape & 15) + 3];
  if (windowBits > mostWindowBits || lookaheadBits > windowBits)
    throw new DeltaDamage('no heatshrink has this shape', 0);
  return new HeatshrinkReader(body.subarray(1), windowBits, lookaheadBits);
}

function isTold(error: unknown): boolean {
  return (
    error instanceof ContentEnd ||
    error instanceof NumberTooLarge ||
    error instanceof DeltaDamage ||
    error instanceof RangeError
  );
}
