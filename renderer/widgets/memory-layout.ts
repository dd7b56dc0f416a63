import { storedSegments } from '../../shared/domain/address-overlap.ts';
import { roleOfFormat } from '../../shared/domain/file-role.ts';
import type { ImageSegment, InspectedFile } from '../../shared/domain/finding.ts';
import { homeRegion, isRawFormat } from '../../shared/domain/memory-home.ts';
import type { MemoryRegion } from '../../shared/domain/product.ts';

/** What the map needs to know of a file. */
export type MapFile = Pick<InspectedFile, 'name' | 'sizeBytes' | 'format' | 'segments'>;

/** A run of a file's bytes in memory; `assumed` when the file itself carries no address. */
export interface MemoryPiece extends ImageSegment {
  /** Place of the file in the report. */
  readonly file: number;
  readonly assumed: boolean;
}

/** What a run of memory is used for; `over-trailer` is image data where the boot loader writes. */
export type RunUse = 'used' | 'overlap' | 'over-trailer' | 'trailer' | 'free';

/** A run of one region with one use. */
export interface MemoryRun extends ImageSegment {
  readonly use: RunUse;
  /** Places in the report of the files that fill it, each once. */
  readonly files: readonly number[];
  readonly assumed: boolean;
}

/** One region with its runs, which follow each other without a gap. */
export interface RegionUse {
  readonly region: MemoryRegion;
  readonly runs: readonly MemoryRun[];
  /** Bytes by use; together the size of the region. */
  readonly bytes: Readonly<Record<RunUse, number>>;
}

/** Regions that lie close to each other, drawn as one strip; no two of a lane share an address. */
export interface MemoryBank extends ImageSegment {
  readonly lanes: readonly (readonly RegionUse[])[];
}

/** The files of a report in the memory of a component. */
export interface MemoryLayout {
  readonly banks: readonly MemoryBank[];
  /** In the order of slipway.yaml. */
  readonly regions: readonly RegionUse[];
  readonly fileNames: readonly string[];
  /** Parts that lie in no described region, in the order of their addresses. */
  readonly outside: readonly MemoryPiece[];
  /** Places in the report of images whose address in this memory nobody knows. */
  readonly unplaced: readonly number[];
}

/** Images without addresses are drawn from the start of the region that they are for. */
const isRaw = ({ name, format }: MapFile): boolean =>
  isRawFormat(format) || (format === 'unknown' && /\.bin(_\d+)?$/i.test(name));

/** Puts the files of a report into the regions of a component's memory. */
export function layOutMemory(
  regions: readonly MemoryRegion[],
  files: readonly MapFile[],
): MemoryLayout {
  const home = homeRegion(regions);
  const pieces = files.flatMap((file, index): MemoryPiece[] => {
    const stored = storedSegments(file);
    if (stored.length > 0)
      return stored.map((segment) => ({ ...segment, file: index, assumed: false }));
    if (!home || !isRaw(file)) return [];
    const { sizeBytes } = file;
    return sizeBytes > 0 ? [{ file: index, start: home.start, sizeBytes, assumed: true }] : [];
  });
  const uses = regions.map((region) => useOf(region, pieces));
  return {
    banks: banksOf(uses),
    regions: uses,
    fileNames: files.map(({ name }) => name),
    outside: pieces.flatMap((piece) => outsideOf(piece, regions)),
    unplaced: files.flatMap(({ format }, index) =>
      roleOfFormat(format) === 'image' && !pieces.some(({ file }) => file === index) ? [index] : [],
    ),
  };
}

/** Regions narrower than a pixel when the widest bank has this width. */
export function unseenRegions({ banks, regions }: MemoryLayout, widthPx: number): RegionUse[] {
  const pxPerByte = widthPx / widestBytes(banks);
  return regions.filter(({ region }) => region.sizeBytes * pxPerByte < 1);
}

/** Size of the widest bank, which all others are drawn to the scale of. */
export const widestBytes = (banks: readonly MemoryBank[]): number =>
  Math.max(1, ...banks.map(({ sizeBytes }) => sizeBytes));

function useOf(region: MemoryRegion, pieces: readonly MemoryPiece[]): RegionUse {
  const end = region.start + region.sizeBytes;
  const trailerStart = Math.max(region.start, end - (region.trailerBytes ?? 0));
  const own = pieces.flatMap((piece) => clip(piece, region.start, end));
  const cuts = new Set([region.start, trailerStart, end]);
  for (const { start, sizeBytes } of own) cuts.add(start).add(start + sizeBytes);
  const runs: MemoryRun[] = [];
  const bytes = { used: 0, overlap: 0, 'over-trailer': 0, trailer: 0, free: 0 };
  const sorted = [...cuts].sort((a, b) => a - b);
  for (const [index, start] of sorted.slice(0, -1).entries()) {
    const sizeBytes = (sorted[index + 1] ?? end) - start;
    const here = own.filter((piece) => piece.start <= start && start < endOf(piece));
    const use = useOfRun(here.length, start >= trailerStart);
    bytes[use] += sizeBytes;
    const files = [...new Set(here.map(({ file }) => file))].sort((a, b) => a - b);
    const run = { start, sizeBytes, use, files, assumed: here.some(({ assumed }) => assumed) };
    const last = runs.at(-1);
    if (last && isSame(last, run))
      runs[runs.length - 1] = { ...last, sizeBytes: last.sizeBytes + sizeBytes };
    else runs.push(run);
  }
  return { region, runs, bytes };
}

function useOfRun(pieces: number, inTrailer: boolean): RunUse {
  if (pieces === 0) return inTrailer ? 'trailer' : 'free';
  if (inTrailer) return 'over-trailer';
  return pieces > 1 ? 'overlap' : 'used';
}

const isSame = (a: MemoryRun, b: MemoryRun): boolean =>
  a.use === b.use && a.assumed === b.assumed && a.files.join() === b.files.join();

const endOf = ({ start, sizeBytes }: ImageSegment): number => start + sizeBytes;

function clip(piece: MemoryPiece, from: number, to: number): MemoryPiece[] {
  const start = Math.max(piece.start, from);
  const end = Math.min(endOf(piece), to);
  return end > start ? [{ ...piece, start, sizeBytes: end - start }] : [];
}

function outsideOf(piece: MemoryPiece, regions: readonly MemoryRegion[]): MemoryPiece[] {
  const sorted = [...regions].sort((a, b) => a.start - b.start);
  const left: MemoryPiece[] = [];
  let from = piece.start;
  for (const region of sorted) {
    left.push(...clip(piece, from, Math.max(from, region.start)));
    from = Math.max(from, endOf(region));
  }
  return [...left, ...clip(piece, from, Math.max(from, endOf(piece)))];
}

/** A gap no wider than what lies before it is shown; over a wider one the next bank begins. */
function banksOf(uses: readonly RegionUse[]): MemoryBank[] {
  const banks: { start: number; sizeBytes: number; uses: RegionUse[] }[] = [];
  for (const use of [...uses].sort((a, b) => a.region.start - b.region.start)) {
    const { start, sizeBytes } = use.region;
    const last = banks.at(-1);
    if (!last || start - endOf(last) > last.sizeBytes) {
      banks.push({ start, sizeBytes, uses: [use] });
      continue;
    }
    last.uses.push(use);
    last.sizeBytes = Math.max(last.sizeBytes, start + sizeBytes - last.start);
  }
  return banks.map(({ start, sizeBytes, uses: own }) => ({
    start,
    sizeBytes,
    lanes: lanesOf(own),
  }));
}

/** Regions that are described twice, such as a slot inside of the flash, go below each other. */
function lanesOf(uses: readonly RegionUse[]): RegionUse[][] {
  const lanes: RegionUse[][] = [];
  for (const use of uses) {
    const lane = lanes.find((taken) => {
      const last = taken.at(-1);
      return last !== undefined && endOf(last.region) <= use.region.start;
    });
    if (lane) lane.push(use);
    else lanes.push([use]);
  }
  return lanes;
}
