import type { HpatchLiteCompression } from '../domain/delta.ts';
import { writeBigEndianVarint } from '../formats/big-endian-varint.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import { compressTinyuz } from '../formats/tinyuz-writer.ts';
import { type Copy, exactCopies, resemblingCopies, splitCopies } from './hpatchlite-copies.ts';
import { placeBits, placeFlags, writeHpatchLiteHeader } from './hpatchlite-format.ts';
import { Differences, type Operation } from './operations.ts';

/** From how many equal bytes on a copy is split; which is best depends on how well the differences compress. */
const triedSplits = [Number.POSITIVE_INFINITY, 256];
/** Of larger images only the first split is tried. */
const mostTriedBytes = 2 * 1024 * 1024;

/**
 * Writes a patch for HPatchLite (HDiffPatch, `hpatch_lite.c`): a header, then one stream, compressed or not, of the
 * number of copies and for each its size, the way to its place in the source, the size of what is new before it, those
 * bytes, and its differences.
 */
export function writeHpatchLite(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
  compression: HpatchLiteCompression,
  mostDictionaryBytes: number,
): Uint8Array {
  if (compression === 'none') {
    const body = writeBody(source, target, exactCopies(source, target, operations));
    return join(writeHpatchLiteHeader('none', target.length, body.length), body);
  }
  const splits = target.length > mostTriedBytes ? triedSplits.slice(0, 1) : triedSplits;
  const copies = resemblingCopies(source, target, operations);
  const patches = splits.map((leastBytes) => {
    const plain = writeBody(source, target, splitCopies(source, target, copies, leastBytes));
    const header = writeHpatchLiteHeader('tinyuz', target.length, plain.length);
    return join(header, compressTinyuz(plain, mostDictionaryBytes));
  });
  return patches.reduce((best, patch) => (patch.length < best.length ? patch : best));
}

function writeBody(source: Uint8Array, target: Uint8Array, copies: readonly Copy[]): Uint8Array {
  const out = new GrowingBytes(target.length + 8 * copies.length);
  const last = copies[copies.length - 1];
  const endsWithCopy = last ? last.targetStart + last.sizeBytes === target.length : false;
  const isEmpty = target.length === 0;
  writeBigEndianVarint(out, copies.length + (endsWithCopy || isEmpty ? 0 : 1));
  const differences = new Differences(source, target);
  let sourceEnd = 0;
  let targetEnd = 0;
  for (const copy of copies) {
    writeHead(out, copy, sourceEnd, targetEnd);
    out.push(target.subarray(targetEnd, copy.targetStart));
    if (!copy.isExact) {
      const { targetStart, sourceStart, sizeBytes } = copy;
      const operation = { targetStart, sourceStart, copyBytes: sizeBytes, insertBytes: 0 };
      for (const piece of differences.of(operation)) out.push(piece);
    }
    sourceEnd = copy.sourceStart + copy.sizeBytes;
    targetEnd = copy.targetStart + copy.sizeBytes;
  }
  if (endsWithCopy || isEmpty) return out.view();
  // What is new at the end stands before a copy of nothing.
  const nothing = { targetStart: target.length, sourceStart: sourceEnd, sizeBytes: 0 };
  writeHead(out, { ...nothing, isExact: true }, sourceEnd, targetEnd);
  out.push(target.subarray(targetEnd));
  return out.view();
}

function writeHead(out: GrowingBytes, copy: Copy, sourceEnd: number, targetEnd: number): void {
  writeBigEndianVarint(out, copy.sizeBytes);
  const way = copy.sourceStart - sourceEnd;
  const flags = (copy.isExact ? placeFlags.isExact : 0) | (way < 0 ? placeFlags.backwards : 0);
  writeBigEndianVarint(out, Math.abs(way), placeBits, flags);
  writeBigEndianVarint(out, copy.targetStart - targetEnd);
}

function join(header: Uint8Array, body: Uint8Array): Uint8Array {
  const patch = new Uint8Array(header.length + body.length);
  patch.set(header);
  patch.set(body, header.length);
  return patch;
}
