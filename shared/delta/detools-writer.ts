import type { EncoderLimits } from '../domain/delta-cost.ts';
import type { DetoolsCompression } from '../domain/delta.ts';
import { compressCrle } from '../formats/crle.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import { bestHeatshrinkShape, compressHeatshrink } from '../formats/heatshrink-writer.ts';
import { compressLzma } from '../formats/lzma-writer.ts';
import { writeHeader, writeSize } from './detools-format.ts';
import { Differences, insertedBytes, type Operation } from './operations.ts';
import { pruneOperations } from './prune.ts';

/**
 * Writes a sequential detools patch: header, then one compressed stream of an empty data-format section and, for each
 * operation, its differences, its insertion and where the source goes on (detools documentation, "Sequential").
 */
export function writeDetools(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
  compression: DetoolsCompression,
  limits: EncoderLimits,
): Uint8Array {
  const used = pruneOperations(source, target, operations, compression);
  const plain = new GrowingBytes(target.length + 6 * used.length + 16);
  if (target.length > 0) writeOperations(plain, source, target, used);
  const header = writeHeader(compression, target.length, null);
  return joinDetools(header, plain.view(), compression, limits);
}

/** Writes the operations of one target or segment, uncompressed. */
export function writeOperations(
  out: GrowingBytes,
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
): void {
  const noDataFormat = 0;
  writeSize(out, noDataFormat);
  let sourceAt = 0;
  // The source can only move after an operation: one that begins elsewhere needs an empty one before it.
  const first = operations[0];
  if (first && first.sourceStart !== 0) {
    writeSize(out, 0);
    writeSize(out, 0);
    writeSize(out, first.sourceStart);
    sourceAt = first.sourceStart;
  }
  const differences = new Differences(source, target);
  for (const [index, operation] of operations.entries()) {
    const { copyBytes, insertBytes } = operation;
    writeSize(out, copyBytes);
    for (const piece of differences.of(operation)) out.push(piece);
    writeSize(out, insertBytes);
    out.push(insertedBytes(target, operation));
    sourceAt += copyBytes;
    const next = operations[index + 1]?.sourceStart ?? sourceAt;
    writeSize(out, next - sourceAt);
    sourceAt = next;
  }
}

/** Puts header and compressed body together; an empty target has no body. */
export function joinDetools(
  header: Uint8Array,
  plain: Uint8Array,
  compression: DetoolsCompression,
  limits: EncoderLimits,
): Uint8Array {
  const out = new GrowingBytes(plain.length >> 1);
  out.push(header);
  if (plain.length === 0) return out.view().slice();
  if (compression === 'heatshrink') {
    const shape = bestHeatshrinkShape(plain, limits.heatshrinkWindowBits);
    out.byte(((shape.windowBits - 4) << 4) | (shape.lookaheadBits - 3));
    out.push(compressHeatshrink(plain, shape));
  } else if (compression === 'lzma')
    out.push(compressLzma(plain, limits.lzmaDictionaryBytes, limits.lzmaContextBits));
  else out.push(compression === 'crle' ? compressCrle(plain) : plain);
  return out.view().slice();
}
