import type { EncoderLimits } from '../domain/delta-cost.ts';
import type { DetoolsCompression } from '../domain/delta.ts';
import { problem } from '../domain/problem.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import { type InPlaceLayout, writeHeader } from './detools-format.ts';
import { joinDetools, writeOperations } from './detools-writer.ts';
import { findOperations, type Operation } from './operations.ts';
import { pruneOperations } from './prune.ts';

/** Memory that the device updates in place, and its unit of erasing; both in bytes. */
export interface InPlaceMemory {
  readonly memoryBytes: number;
  readonly segmentBytes: number;
}

/**
 * How the images lie in the memory: the source is moved up as far as it can be, by two segments at least.
 * @throws ProblemError `delta-memory` when they do not fit
 */
export function layOut(
  { memoryBytes, segmentBytes }: InPlaceMemory,
  sourceSizeBytes: number,
  targetSizeBytes: number,
): InPlaceLayout {
  const needed = Math.max(sourceSizeBytes, targetSizeBytes);
  if (memoryBytes % segmentBytes !== 0 || memoryBytes < needed)
    throw problem(
      'delta-memory',
      'The images do not fit the memory of the component',
      `An update in place of ${needed} bytes needs whole segments of ${segmentBytes} bytes; the memory has ${memoryBytes}.`,
      'Correct memoryBytes and segmentBytes in slipway.yaml, or choose another format.',
      'usage',
    );
  const free = memoryBytes / segmentBytes - Math.ceil(sourceSizeBytes / segmentBytes);
  const shiftBytes = Math.min(memoryBytes, Math.max(2, free) * segmentBytes);
  return { memoryBytes, segmentBytes, shiftBytes, sourceSizeBytes };
}

/**
 * Writes a detools in-place patch: the source is moved up, then the target is made segment by segment from what of
 * the source is not overwritten yet (detools documentation, "In-place"). One search serves all segments: an operation
 * may copy from at most `shiftBytes - segmentBytes` before its place, which is what each segment still finds.
 */
export function writeInPlace(
  source: Uint8Array,
  target: Uint8Array,
  layout: InPlaceLayout,
  compressions: readonly DetoolsCompression[],
  limits: EncoderLimits,
  onProgress?: (done: number) => void,
): ReadonlyMap<DetoolsCompression, Uint8Array> {
  const { memoryBytes, segmentBytes, shiftBytes } = layout;
  const kept = source.subarray(0, memoryBytes - shiftBytes);
  const operations = findOperations(kept, target, onProgress, segmentBytes - shiftBytes);
  const segments = cutIntoSegments(operations, target.length, layout);
  return new Map(
    compressions.map((compression) => {
      const plain = new GrowingBytes(target.length + 6 * operations.length + 1024);
      for (const { start, end, sourceStart, pieces } of segments) {
        const from = kept.subarray(sourceStart);
        const to = target.subarray(start, end);
        writeOperations(plain, from, to, pruneOperations(from, to, pieces, compression));
      }
      const header = writeHeader(compression, target.length, layout);
      return [compression, joinDetools(header, plain.view(), compression, limits)];
    }),
  );
}

/** The operations of one segment, which count from its start and from where the source begins for it. */
interface Segment {
  readonly start: number;
  readonly end: number;
  readonly sourceStart: number;
  readonly pieces: readonly Operation[];
}

function cutIntoSegments(
  operations: readonly Operation[],
  targetBytes: number,
  { segmentBytes, shiftBytes }: InPlaceLayout,
): readonly Segment[] {
  const segments: Segment[] = [];
  let first = 0;
  for (let start = 0; start < targetBytes; start += segmentBytes) {
    const end = Math.min(targetBytes, start + segmentBytes);
    const sourceStart = Math.max(0, start + segmentBytes - shiftBytes);
    const pieces: Operation[] = [];
    while (first < operations.length && endOf(operations[first]!) <= start) first++;
    for (let at = first; at < operations.length; at++) {
      const piece = cut(operations[at]!, start, end);
      if (!piece) break;
      pieces.push({ ...piece, sourceStart: Math.max(0, piece.sourceStart - sourceStart) });
    }
    segments.push({ start, end, sourceStart, pieces });
  }
  return segments;
}

function endOf({ targetStart, copyBytes, insertBytes }: Operation): number {
  return targetStart + copyBytes + insertBytes;
}

/** The part of an operation within a segment, counted from its start; null when it begins behind. */
function cut(operation: Operation, start: number, end: number): Operation | null {
  if (operation.targetStart >= end) return null;
  const from = Math.max(operation.targetStart, start);
  const copyEnd = operation.targetStart + operation.copyBytes;
  const copyBytes = Math.max(0, Math.min(copyEnd, end) - from);
  const insertFrom = Math.max(copyEnd, start);
  const insertBytes = Math.max(0, Math.min(endOf(operation), end) - insertFrom);
  const sourceStart = operation.sourceStart + from - operation.targetStart;
  return { targetStart: from - start, sourceStart, copyBytes, insertBytes };
}
