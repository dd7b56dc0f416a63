import type { InspectedFile } from '../../shared/domain/finding.ts';
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
  /** Bytes that two pieces claim. */
  readonly overlapBytes: number;
}

/** Formats of raw images: they carry no address and are written to the start of the first region. */
const rawFormats = new Set(['cortex-m', 'unknown']);

/** Puts the files of a report into the regions of the component's memory; parts outside of all regions are left out. */
export function layOutMemory(
  regions: readonly Region[],
  files: readonly Pick<InspectedFile, 'name' | 'sizeBytes' | 'format' | 'segments'>[],
): readonly RegionUse[] {
  const [first] = regions;
  const pieces = files.flatMap((file): MemoryPiece[] => {
    if (file.segments)
      return file.segments.map((segment) => ({ ...segment, fileName: file.name, assumed: false }));
    if (!first || !rawFormats.has(file.format)) return [];
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

function measure(pieces: readonly MemoryPiece[]): { usedBytes: number; overlapBytes: number } {
  let end = 0;
  let usedBytes = 0;
  let overlapBytes = 0;
  for (const { start, sizeBytes } of pieces) {
    const fresh = Math.max(0, start + sizeBytes - Math.max(start, end));
    usedBytes += fresh;
    overlapBytes += sizeBytes - fresh;
    end = Math.max(end, start + sizeBytes);
  }
  return { usedBytes, overlapBytes };
}
