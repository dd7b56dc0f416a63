import { problem } from '../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { blockBytes } from './stm32-bootloader.ts';

/** Where the main flash of every STM32 begins. */
export const flashStart = 0x08000000;

/** Bytes that one WRITE moves, and their address. */
export interface Block {
  readonly address: number;
  readonly bytes: Uint8Array;
}

/** What flashing an image touches: blocks to write, their bytes in total, and the pages to erase. */
export interface FlashLayout {
  readonly blocks: readonly Block[];
  readonly total: number;
  /** Bytes of blank blocks that are left out: erased flash reads FF already. */
  readonly skippedBytes: number;
  readonly pages: readonly number[];
}

/**
 * Cuts the image into aligned blocks and finds the pages that hold them.
 * @throws ProblemError `image-outside-flash` | `image-empty`
 */
export function layOut(
  image: FirmwareImage,
  { flashBytes, pageBytes }: { readonly flashBytes: number; readonly pageBytes: number },
): FlashLayout {
  const blocks: Block[] = [];
  let skippedBytes = 0;
  for (const segment of image.segments) {
    const start = segment.address ?? flashStart;
    const end = start + segment.bytes.length;
    if (start < flashStart || end > flashStart + flashBytes || start % 4 !== 0) {
      throw problem(
        'image-outside-flash',
        'The image does not fit the flash',
        `It goes from 0x${start.toString(16)} to 0x${end.toString(16)}; the flash is 0x${flashStart.toString(16)} to 0x${(flashStart + flashBytes).toString(16)}, in words.`,
        'Choose the image for this chip.',
        'gate',
      );
    }
    for (let at = 0; at < segment.bytes.length; at += blockBytes) {
      const slice = segment.bytes.subarray(at, at + blockBytes);
      if (slice.every((byte) => byte === 0xff)) {
        skippedBytes += slice.length;
        continue;
      }
      const bytes = new Uint8Array(Math.ceil(slice.length / 4) * 4).fill(0xff);
      bytes.set(slice);
      blocks.push({ address: start + at, bytes });
    }
  }
  if (blocks.length === 0)
    throw problem(
      'image-empty',
      'The image is empty',
      'It holds no byte other than FF.',
      'Choose another image.',
      'usage',
    );
  const pages = blocks.flatMap((block) =>
    [block.address, block.address + block.bytes.length - 1].map((address) =>
      Math.floor((address - flashStart) / pageBytes),
    ),
  );
  return {
    blocks,
    total: blocks.reduce((sum, block) => sum + block.bytes.length, 0),
    skippedBytes,
    pages: [...new Set(pages)],
  };
}
