import { BlockTransform } from '../formats/block-transform.ts';
import { Bzip2Writer } from '../formats/bzip2-writer.ts';
import { offsetBytes, writeOffset } from '../formats/bsdiff-offsets.ts';
import { Differences, insertedBytes, type Operation } from './operations.ts';

/**
 * Writes a BSDIFF40 patch: 32-byte header (magic, control and diff lengths, target size as 8-byte sign-magnitude
 * integers), then control, diff and extra streams, each bzip2 (bspatch.c of Debian's bsdiff 4.3).
 */
export function writeBsdiff40(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
): Uint8Array {
  const transform = new BlockTransform();
  const control = new Bzip2Writer(transform);
  const diff = new Bzip2Writer(transform);
  const extra = new Bzip2Writer(transform);
  const differences = new Differences(source, target);
  for (const [operation, entry] of withControl(operations)) {
    control.push(entry);
    for (const piece of differences.of(operation)) diff.push(piece);
    extra.push(insertedBytes(target, operation));
  }
  const streams = [control.finish(), diff.finish(), extra.finish()] as const;
  return join('BSDIFF40', [streams[0].length, streams[1].length, target.length], streams);
}

/**
 * Writes an ENDSLEY/BSDIFF43 patch: 24-byte header (magic, target size), then one bzip2 stream in which each control
 * entry is followed by its differences and its insertion (bspatch.c of mendsley/bsdiff), so that it is read in one go.
 */
export function writeBsdiff43(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
): Uint8Array {
  const stream = new Bzip2Writer();
  const differences = new Differences(source, target);
  for (const [operation, entry] of withControl(operations)) {
    stream.push(entry);
    for (const piece of differences.of(operation)) stream.push(piece);
    stream.push(insertedBytes(target, operation));
  }
  return join('ENDSLEY/BSDIFF43', [target.length], [stream.finish()]);
}

/** Each operation with its control entry, whose memory is used again. */
function* withControl(operations: readonly Operation[]): Generator<[Operation, Uint8Array]> {
  const entry = new Uint8Array(3 * offsetBytes);
  for (const [index, operation] of operations.entries()) {
    const next = operations[index + 1];
    const end = operation.sourceStart + operation.copyBytes;
    writeOffset(entry, 0, operation.copyBytes);
    writeOffset(entry, offsetBytes, operation.insertBytes);
    writeOffset(entry, 2 * offsetBytes, next ? next.sourceStart - end : 0);
    yield [operation, entry];
  }
}

function join(
  magic: string,
  numbers: readonly number[],
  streams: readonly Uint8Array[],
): Uint8Array {
  const headerBytes = magic.length + numbers.length * offsetBytes;
  const patch = new Uint8Array(streams.reduce((sum, part) => sum + part.length, headerBytes));
  patch.set(new TextEncoder().encode(magic));
  for (const [index, value] of numbers.entries())
    writeOffset(patch, magic.length + index * offsetBytes, value);
  let at = headerBytes;
  for (const stream of streams) {
    patch.set(stream, at);
    at += stream.length;
  }
  return patch;
}
