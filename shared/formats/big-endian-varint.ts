import type { GrowingBytes } from './growing-bytes.ts';

const mostVarintBytes = 10;

/**
 * Reads a number of 7 bits a byte, the highest first, whose bytes but the last have their top bit set; of the first
 * byte only the lowest `usedBits` belong to it, and the bit above tells that it goes on.
 * @throws RangeError above 2^53
 */
export function readBigEndianVarint(
  nextByte: () => number,
  first = nextByte(),
  usedBits = 7,
): number {
  const flag = 1 << usedBits;
  let value = first & (flag - 1);
  let count = 1;
  for (let goesOn = (first & flag) !== 0; goesOn; ) {
    const byte = nextByte();
    count += 1;
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER || count > mostVarintBytes)
      throw new RangeError('a number is absurdly large');
    goesOn = (byte & 0x80) !== 0;
  }
  return value;
}

/** Writes such a number; `flags` are the bits of the first byte above those that are used and the one that tells more. */
export function writeBigEndianVarint(
  out: GrowingBytes,
  value: number,
  usedBits = 7,
  flags = 0,
): void {
  let groups = 0;
  while (value >= 2 ** (usedBits + 7 * groups)) groups++;
  const group = (index: number): number => Math.floor(value / 128 ** index) % 128;
  out.byte(flags | (groups > 0 ? 1 << usedBits : 0) | group(groups));
  for (let index = groups - 1; index >= 0; index--) out.byte((index > 0 ? 0x80 : 0) | group(index));
}
