import type { ImageSegment, InspectedFile } from '../../shared/domain/finding.ts';
import type { Component } from '../../shared/domain/product.ts';

type Region = NonNullable<Component['memory']>[number];

/** A run of bytes in the component's memory; `assumed` when the file itself carries no address. */
export interface MemoryPiece {
  readonly fileName: string;
  readonly start: number;
  readonly sizeBytes: number;
  readonly assumed: boolean;
}

/** One region of the memory with what the files put into it. */
export interface RegionUse {
  readonly region: Region;
  readonly pieces: readonly MemoryPiece[];
  /** Bytes that at least one piece covers. */
  readonly usedBytes: number;
  /** Runs that more than one piece claims. */
  readonly overlaps: readonly ImageSegment[];
}

/** Raw images carry no address: they are drawn from the start of the first region. */
const isRaw = (file: Pick<InspectedFile, 'name' | 'format'>): boolean =>
  file.format === 'cortex-m' || (file.format === 'unknown' && /\.bin(_\d+)?$/i.test(file.name));

/** Puts the files of a report into the regions of the component's memory; parts outside of all regions are left out. */
export function layOutMemory(
  regions: readonly Region[],
  files: readonly Pick<InspectedFile, 'name' | 'sizeBytes' | 'format' | 'segments'>[],
): readonly RegionUse[] {
  const [first] = regions;
  const pieces = files.flatMap((file): MemoryPiece[] => {
    if (file.segments)
      return file.segments.map((segment) => ({ ...segment, fileName: file.name, assumed: false }));
    if (!first || !isRaw(file)) return [];
    const { start } = first;
    return [{ fileName: file.name, start, sizeBytes: file.sizeBytes, assumed: true }];
  });
  return regions.map((region) => {
    const own = pieces
      .flatMap((piece) => clip(piece, region))
      .sort((a, b) => a.start - b.start || b.sizeBytes - a.sizeBytes);
    return { region, pieces: own, ...measure(own) };
  });
}

function clip(piece: MemoryPiece, region: Region): MemoryPiece[] {
  const start = Math.max(piece.start, region.start);
  const end = Math.min(piece.start + piece.sizeBytes, region.start + region.sizeBytes);
  return end > start ? [{ ...piece, start, sizeBytes: end - start }] : [];
}

function measure(pieces: readonly MemoryPiece[]): { usedBytes: number; overlaps: ImageSegment[] } {
  const overlaps: ImageSegment[] = [];
  let end = 0;
  let usedBytes = 0;
  for (const { start, sizeBytes } of pieces) {
    const pieceEnd = start + sizeBytes;
    if (start < end) overlaps.push({ start, sizeBytes: Math.min(end, pieceEnd) - start });
    usedBytes += Math.max(0, pieceEnd - Math.max(start, end));
    end = Math.max(end, pieceEnd);
  }
  return { usedBytes, overlaps };
}
