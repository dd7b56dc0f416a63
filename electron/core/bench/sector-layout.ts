import { problem } from '../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import type { ProtectedRegion } from './flasher.ts';

/** Bytes that one command moves, and their address. */
export interface Block {
  readonly address: number;
  readonly bytes: Uint8Array;
  /** All FF: erasing is enough, nothing has to be written. */
  readonly isBlank: boolean;
}

/** The smallest part of the flash that can be erased, with the blocks that go there, blank ones too. */
export interface Sector {
  readonly index: number;
  readonly blocks: readonly Block[];
}

/** What flashing an image touches. */
export interface SectorLayout {
  readonly sectors: readonly Sector[];
  /** Bytes to write. */
  readonly totalBytes: number;
  /** Bytes of blank blocks: erased flash reads FF already. */
  readonly skippedBytes: number;
}

/** The flash of a chip: all sizes in bytes. */
export interface FlashGeometry {
  readonly start: number;
  readonly sizeBytes: number;
  readonly sectorBytes: number;
  /** What one command writes; divides the sector. */
  readonly blockBytes: number;
  /** What addresses and sizes must be a multiple of. */
  readonly wordBytes: number;
  /** Blank blocks are written like others, because nothing is erased before. */
  readonly keepsBlank?: boolean;
  /** Memory of which no sector may be touched. */
  readonly keepOut?: readonly ProtectedRegion[];
}

const hex = (address: number): string => `0x${address.toString(16)}`;

/**
 * Cuts the image into blocks, none over the edge of a sector.
 * @throws ProblemError `image-outside-flash` | `image-empty` | `protected-memory`
 */
export function layOut(image: FirmwareImage, geometry: FlashGeometry): SectorLayout {
  const { start, sizeBytes, sectorBytes, blockBytes, wordBytes, keepsBlank } = geometry;
  const sectors = new Map<number, Block[]>();
  let [totalBytes, skippedBytes] = [0, 0];
  for (const segment of image.segments) {
    const from = segment.address ?? start;
    const to = from + segment.bytes.length;
    if (from < start || to > start + sizeBytes || from % wordBytes !== 0) {
      throw problem(
        'image-outside-flash',
        'The image does not fit the flash',
        `It goes from ${hex(from)} to ${hex(to)}; the flash is ${hex(start)} to ${hex(start + sizeBytes)}, in words of ${wordBytes} bytes.`,
        'Choose the image for this chip.',
        'gate',
      );
    }
    for (let address = from; address < to; ) {
      const next = Math.min(to, address - ((address - start) % blockBytes) + blockBytes);
      const slice = segment.bytes.subarray(address - from, next - from);
      const isBlank = !keepsBlank && slice.every((byte) => byte === 0xff);
      const bytes = new Uint8Array(Math.ceil(slice.length / wordBytes) * wordBytes).fill(0xff);
      bytes.set(slice);
      const index = Math.floor((address - start) / sectorBytes);
      const blocks = sectors.get(index) ?? [];
      blocks.push({ address, bytes, isBlank });
      sectors.set(index, blocks);
      if (isBlank) skippedBytes += slice.length;
      else totalBytes += bytes.length;
      address = next;
    }
  }
  if (totalBytes === 0)
    throw problem(
      'image-empty',
      'The image is empty',
      'It holds no byte other than FF.',
      'Choose another image.',
      'usage',
    );
  for (const index of sectors.keys()) checkSector(index, geometry);
  return {
    sectors: [...sectors].map(([index, blocks]) => ({ index, blocks })),
    totalBytes,
    skippedBytes,
  };
}

/** @throws ProblemError `protected-memory` when a sector reaches into memory that must stay */
function checkSector(index: number, { start, sectorBytes, keepOut = [] }: FlashGeometry): void {
  const from = start + index * sectorBytes;
  const region = keepOut.find(
    (other) => from < other.start + other.sizeBytes && other.start < from + sectorBytes,
  );
  if (!region) return;
  throw problem(
    'protected-memory',
    'The image would overwrite protected memory',
    `The sector at ${hex(from)} belongs to ${region.name}, ${hex(region.start)} to ${hex(region.start + region.sizeBytes)}.`,
    'Link the image behind it; nothing was erased.',
    'gate',
  );
}

/** @throws ProblemError `verify-failed` with the first byte that differs */
export function compareBlock(block: Block, found: Uint8Array): void {
  const at = block.bytes.findIndex((byte, index) => byte !== found[index]);
  if (at < 0) return;
  const byteText = (value: number | undefined): string =>
    (value ?? 0).toString(16).padStart(2, '0');
  throw verifyFailed(
    `At ${hex(block.address + at)}: expected ${byteText(block.bytes[at])}, found ${byteText(found[at])}.`,
  );
}

/** The board does not hold what was written. */
export const verifyFailed = (detail: string) =>
  problem(
    'verify-failed',
    'The board does not hold what was written',
    detail,
    'Check write protection and the supply voltage; do not use this board.',
    'gate',
  );

/** Total size of blocks, in bytes. */
export const sizeOf = (blocks: readonly Block[]): number =>
  blocks.reduce((sum, { bytes }) => sum + bytes.length, 0);
