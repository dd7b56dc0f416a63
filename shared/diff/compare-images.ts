import type { ImageSegment } from '../domain/finding.ts';
import type { ChangeKind, ImageDiff } from '../domain/image-diff.ts';
import { mostListed } from '../domain/diff-limits.ts';
import type { MemoryRegion } from '../domain/product.ts';
import type { ByteSource } from '../formats/byte-source.ts';
import type { Extent } from '../formats/elf-tables.ts';
import { AreaMap, areasOf } from './areas.ts';
import { BoundedRuns } from './bounded-runs.ts';
import { fileChanged } from './image-content.ts';
import { SectorCounter } from './sector-counter.ts';

const windowBytes = 1024 * 1024;
const mostBuckets = 1024;

/** One image: where its bytes go, and from what they are read. */
export interface ComparedContent {
  readonly extents: readonly Extent[];
  readonly source: ByteSource;
}

/** How sectors are counted, and how much is listed. */
export interface CompareOptions {
  readonly sectorBytes: number;
  readonly regions: readonly MemoryRegion[];
  readonly limit?: number;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/** What comparing bytes alone tells. */
export type ByteDiff = Pick<ImageDiff, 'areas' | 'totals' | 'density'> & {
  readonly runs: ReturnType<BoundedRuns['finish']>;
  readonly sectors: Omit<ImageDiff['sectors'], 'from'>;
};

/** Compares two images address by address, in windows of 1 MiB. */
export async function compareImages(
  older: ComparedContent,
  newer: ComparedContent,
  options: CompareOptions,
): Promise<ByteDiff> {
  const tally = new Tally(areasOf(older.extents, newer.extents), options);
  const pieces = [...piecesOf(older.extents, newer.extents)];
  const total = pieces.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  for (const { start, sizeBytes, oldAt, newAt } of pieces) {
    tally.cover(start, start + sizeBytes);
    if (oldAt === null || newAt === null)
      tally.add(oldAt === null ? 'added' : 'removed', start, start + sizeBytes);
    else
      for (let at = 0; at < sizeBytes; at += windowBytes) {
        const size = Math.min(windowBytes, sizeBytes - at);
        const before = await older.source.read(oldAt + at, size);
        const after = await newer.source.read(newAt + at, size);
        if (before.length < size || after.length < size) throw fileChanged();
        compareWindow(before, after, start + at, tally);
        options.onProgress?.(done + at + size, total);
      }
    done += sizeBytes;
    options.onProgress?.(done, total);
  }
  return tally.finish();
}

function compareWindow(before: Uint8Array, after: Uint8Array, start: number, tally: Tally): void {
  const size = before.length;
  let same = size;
  for (let at = 0; at < size; at++) {
    if (before[at] === after[at]) continue;
    const from = at;
    do at++;
    while (at < size && before[at] !== after[at]);
    same -= at - from;
    tally.add('changed', start + from, start + at);
  }
  tally.sameBytes += same;
}

/** A run of addresses that both images fill, or only one; where the bytes are in each. */
interface Piece extends ImageSegment {
  readonly oldAt: number | null;
  readonly newAt: number | null;
}

function* piecesOf(older: readonly Extent[], newer: readonly Extent[]): Generator<Piece> {
  let [oldIndex, newIndex, at] = [0, 0, 0];
  for (;;) {
    const before = older[oldIndex];
    const after = newer[newIndex];
    if (!before && !after) return;
    if (before && before.start + before.sizeBytes <= at) oldIndex++;
    else if (after && after.start + after.sizeBytes <= at) newIndex++;
    else {
      const start = Math.max(at, Math.min(before?.start ?? Infinity, after?.start ?? Infinity));
      const end = Math.min(boundary(before, start), boundary(after, start));
      const atIn = (extent: Extent | undefined): number | null =>
        extent && extent.start <= start ? extent.at + start - extent.start : null;
      yield { start, sizeBytes: end - start, oldAt: atIn(before), newAt: atIn(after) };
      at = end;
    }
  }
}

/** Where an extent next begins or ends behind `start`. */
function boundary(extent: Extent | undefined, start: number): number {
  if (!extent) return Infinity;
  return extent.start > start ? extent.start : extent.start + extent.sizeBytes;
}

/** Gathers what the comparison tells in ascending order. */
class Tally {
  sameBytes = 0;
  readonly #bytes = { changed: 0, added: 0, removed: 0 };
  readonly #runs: BoundedRuns;
  readonly #sectors: SectorCounter;
  readonly #map: AreaMap;
  readonly #bucketBytes: number;
  readonly #density: number[];

  constructor(areas: readonly ImageSegment[], options: CompareOptions) {
    const limit = options.limit ?? mostListed;
    this.#runs = new BoundedRuns(limit);
    this.#sectors = new SectorCounter(options.sectorBytes, options.regions, limit);
    this.#map = new AreaMap(areas);
    this.#bucketBytes = Math.max(1, Math.ceil(this.#map.sizeBytes / mostBuckets));
    const buckets = Math.ceil(this.#map.sizeBytes / this.#bucketBytes);
    this.#density = Array.from({ length: buckets }, () => 0);
  }

  cover(start: number, end: number): void {
    this.#sectors.cover(start, end);
  }

  add(kind: Exclude<ChangeKind, 'mixed'>, start: number, end: number): void {
    this.#bytes[kind] += end - start;
    this.#runs.add(kind, start, end);
    this.#sectors.touch(start, end);
    // A run is within one extent, and so within one area.
    let offset = this.#map.offsetOf(start) ?? 0;
    for (let left = end - start; left > 0; ) {
      const bucket = Math.floor(offset / this.#bucketBytes);
      const size = Math.min(left, (bucket + 1) * this.#bucketBytes - offset);
      this.#density[bucket] = (this.#density[bucket] ?? 0) + size;
      offset += size;
      left -= size;
    }
  }

  finish(): ByteDiff {
    return {
      areas: [...this.#map.areas],
      totals: {
        sameBytes: this.sameBytes,
        changedBytes: this.#bytes.changed,
        addedBytes: this.#bytes.added,
        removedBytes: this.#bytes.removed,
      },
      runs: this.#runs.finish(),
      sectors: this.#sectors.finish(),
      density: { bucketBytes: this.#bucketBytes, changedBytes: this.#density },
    };
  }
}
