import { byteText } from '../../shared/domain/progress-text.ts';
import { hexText, percentText } from './format-text.ts';
import type { MemoryRegion } from '../../shared/domain/product.ts';
import type { MemoryLayout, MemoryRun, RegionUse, RunUse } from './memory-layout.ts';

/** The word of each use of memory, in the order in which they are told. */
export const useWords: Readonly<Record<RunUse, string>> = {
  used: 'used',
  overlap: 'claimed twice',
  'over-trailer': 'over the slot trailer',
  trailer: 'slot trailer',
  free: 'free',
};

/** Uses that mean that something would be overwritten. */
export const isConflict = (use: RunUse): boolean => use === 'overlap' || use === 'over-trailer';

/** The letter that stands for a file on the map, by its place in the report. */
export const fileLetter = (file: number): string => String.fromCharCode(65 + (file % 26));

/** First and last address, for example `0x0800_0000–0x0800_FFFF`. */
export const rangeText = ({
  start,
  sizeBytes,
}: Pick<MemoryRegion, 'start' | 'sizeBytes'>): string =>
  `${hexText(start)}–${hexText(start + sizeBytes - 1)}`;

/** Bytes that images fill, conflicts included. */
const filledBytes = ({ bytes }: RegionUse): number =>
  bytes.used + bytes.overlap + bytes['over-trailer'];

/** How much of a region is used, for example `63 % used`. */
export const shareText = (use: RegionUse): string =>
  `${percentText(filledBytes(use) / use.region.sizeBytes)} used`;

/** A region in words, for those who do not see the strip. */
export function regionSentence(use: RegionUse): string {
  const { region, bytes } = use;
  const parts = (Object.keys(useWords) as RunUse[])
    .filter((kind) => bytes[kind] > 0)
    .map((kind) => `${byteText(bytes[kind])} ${useWords[kind]}`);
  const role = region.role === undefined ? '' : `, ${region.role}`;
  return `${region.name}${role}, ${rangeText(region)}, ${byteText(region.sizeBytes)}: ${parts.join(', ')}.`;
}

/** What a run is, for example `A, sensor.hex` or `slot trailer`. */
export function runText(run: MemoryRun, { fileNames }: MemoryLayout): string {
  const names = run.files.map((file) => `${fileLetter(file)} ${fileNames[file] ?? ''}`).join(', ');
  if (run.use === 'used') return names;
  return names === '' ? useWords[run.use] : `${useWords[run.use]}: ${names}`;
}
