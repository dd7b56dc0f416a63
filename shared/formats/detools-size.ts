const mostSizeBytes = 10;

/**
 * Reads a signed size of detools from single bytes: 6 bits and a sign first, then 7 bits a byte, the lowest first.
 * @throws RangeError when it is absurdly long
 */
export function readDetoolsSize(nextByte: () => number): number {
  let byte = nextByte();
  const isNegative = (byte & 0x40) !== 0;
  let value = byte & 0x3f;
  let count = 1;
  for (let weight = 64; byte & 0x80; weight *= 128) {
    byte = nextByte();
    value += (byte & 0x7f) * weight;
    if (!Number.isSafeInteger(value) || ++count > mostSizeBytes)
      throw new RangeError('a size is absurdly long');
  }
  return isNegative && value > 0 ? -value : value;
}
