import type { FlashFootprint } from './bench.ts';
import { byteText } from './progress-text.ts';

/** Says what flashing will write and erase; `addressText` puts an address into words. */
export function footprintText(
  { writeBytes, skippedBytes, erase }: FlashFootprint,
  addressText: (address: number) => string,
): string {
  const blank = skippedBytes > 0 ? ` and skips ${byteText(skippedBytes)} that are blank` : '';
  const writes = `Writes ${byteText(writeBytes)}${blank}.`;
  if (!erase) return `${writes} Erases whole pages, told apart once the chip has answered.`;
  const { pages, pageBytes, from, toExclusive, chip } = erase;
  const count = `${pages} ${pages === 1 ? 'page' : 'pages'} of ${byteText(pageBytes)}`;
  return `${writes} Erases ${count}, ${addressText(from)} to ${addressText(toExclusive - 1)}, on the ${chip}.`;
}
