import type { HdiffCompression } from '../domain/delta.ts';
import { writeBigEndianVarint } from '../formats/big-endian-varint.ts';
import { GrowingBytes } from '../formats/growing-bytes.ts';
import { compressCountedLzma } from '../formats/lzma-writer.ts';
import { runKindBits, runKinds, signBits } from './hdiff-format.ts';
import { Differences, insertedBytes, type Operation } from './operations.ts';

/** From how many equal differences on they are a run: of zeros, and of other bytes. */
interface RunLimits {
  readonly zeros: number;
  readonly others: number;
}
/** Without compression a run must save what it and the next stored bytes take to announce. */
const plainLimits: RunLimits = { zeros: 3, others: 4 };
/** LZMA gains from differences without the zeros between them; small patches less than from few runs. */
const packedLimits: readonly RunLimits[] = [
  { zeros: 1, others: 4 },
  { zeros: 4, others: 8 },
];
/** Of larger images only the first limits are tried. */
const mostTriedBytes = 1024 * 1024;

/** A stream as it is and as it lies in the patch; the second is empty where it is not packed. */
interface Stream {
  readonly plain: Uint8Array;
  readonly packed: Uint8Array;
}

/**
 * Writes an HDIFF13 patch (HDiffPatch, `patch.c`): its name and sizes, then four streams, each compressed or not: the
 * copies, the runs that the differences of all target bytes form, the bytes of those runs, and what is new.
 */
export function writeHdiff(
  source: Uint8Array,
  target: Uint8Array,
  operations: readonly Operation[],
  compression: HdiffCompression,
  mostDictionaryBytes: number,
): Uint8Array {
  const pack = (plain: Uint8Array): Stream => packStream(plain, compression, mostDictionaryBytes);
  const covers = operations.filter(({ copyBytes }) => copyBytes > 0);
  const differences = differencesOfAll(source, target, covers);
  const tried = compression === 'none' ? [plainLimits] : packedLimits;
  const limits = target.length > mostTriedBytes ? tried.slice(0, 1) : tried;
  const runs = limits.map((limit) => inRuns(differences, limit).map(pack));
  const smallest = runs.reduce((best, one) => (sizeOf(one) < sizeOf(best) ? one : best));
  const streams = [pack(coverNumbers(covers)), ...smallest, pack(allInserted(target, operations))];
  const out = new GrowingBytes(sizeOf(streams) + 128);
  out.push(new TextEncoder().encode(`HDIFF13&${compression === 'none' ? '' : compression}\0`));
  for (const value of [target.length, source.length, covers.length])
    writeBigEndianVarint(out, value);
  for (const { plain, packed } of streams) {
    writeBigEndianVarint(out, plain.length);
    writeBigEndianVarint(out, packed.length);
  }
  for (const { plain, packed } of streams) out.push(packed.length > 0 ? packed : plain);
  return out.view();
}

function packStream(
  plain: Uint8Array,
  compression: HdiffCompression,
  mostDictionaryBytes: number,
): Stream {
  const none = new Uint8Array(0);
  if (compression === 'none' || plain.length === 0) return { plain, packed: none };
  const packed = compressCountedLzma(plain, mostDictionaryBytes);
  return { plain, packed: packed.length < plain.length ? packed : none };
}

const sizeOf = (streams: readonly Stream[]): number =>
  streams.reduce((sum, { plain, packed }) => sum + (packed.length || plain.length), 0);

/** For each copy the way from the end of the one before in the source and in the target, and its size. */
function coverNumbers(covers: readonly Operation[]): Uint8Array {
  const out = new GrowingBytes(8 * covers.length + 16);
  let sourceEnd = 0;
  let targetEnd = 0;
  for (const { sourceStart, targetStart, copyBytes } of covers) {
    const way = sourceStart - sourceEnd;
    const sign = way < 0 ? 1 << (8 - signBits) : 0;
    writeBigEndianVarint(out, Math.abs(way), 7 - signBits, sign);
    writeBigEndianVarint(out, targetStart - targetEnd);
    writeBigEndianVarint(out, copyBytes);
    sourceEnd = sourceStart + copyBytes;
    targetEnd = targetStart + copyBytes;
  }
  return out.view();
}

/** The differences of the whole target; zeros where it is new, which cost nothing between others. */
function differencesOfAll(
  source: Uint8Array,
  target: Uint8Array,
  covers: readonly Operation[],
): Uint8Array {
  const all = new Uint8Array(target.length);
  const differences = new Differences(source, target);
  for (const cover of covers) {
    let at = cover.targetStart;
    for (const piece of differences.of(cover)) {
      all.set(piece, at);
      at += piece.length;
    }
  }
  return all;
}

function allInserted(target: Uint8Array, operations: readonly Operation[]): Uint8Array {
  const out = new GrowingBytes(target.length >> 4);
  for (const operation of operations) out.push(insertedBytes(target, operation));
  return out.view();
}

/** The runs of some bytes, and the bytes that they need. */
function inRuns(bytes: Uint8Array, { zeros, others }: RunLimits): readonly Uint8Array[] {
  const control = new GrowingBytes(bytes.length >> 4);
  const values = new GrowingBytes(bytes.length >> 4);
  const write = (kind: number, sizeBytes: number): void =>
    writeBigEndianVarint(control, sizeBytes - 1, 7 - runKindBits, kind << (8 - runKindBits));
  let storedFrom = 0;
  const store = (to: number): void => {
    if (to === storedFrom) return;
    write(runKinds.stored, to - storedFrom);
    values.push(bytes.subarray(storedFrom, to));
  };
  for (let start = 0; start < bytes.length; ) {
    const byte = bytes[start]!;
    let end = start + 1;
    while (end < bytes.length && bytes[end] === byte) end++;
    if (end - start >= (byte === 0 ? zeros : others)) {
      store(start);
      const kind = byte === 0 ? runKinds.zeros : byte === 255 ? runKinds.ones : runKinds.repeated;
      write(kind, end - start);
      if (kind === runKinds.repeated) values.byte(byte);
      storedFrom = end;
    }
    start = end;
  }
  store(bytes.length);
  return [control.view(), values.view()];
}
