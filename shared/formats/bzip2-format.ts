/** Numbers of the bzip2 format that its writer and its reader share (bzip2 1.0 file format). */
export const blockMark = [0x314159, 0x265359] as const;
export const endMark = [0x177245, 0x385090] as const;
/** Symbols of one Huffman table before it is changed. */
export const groupSymbols = 50;
export const runA = 0;
export const runB = 1;
/** Bytes of the run-length coded block at level 9; the writer stays a little below, as libbzip2 does. */
export const blockBytes = 900_000;

const crcTable = new Int32Array(256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  crcTable[byte] = value;
}

/** Continues a CRC-32 of bzip2 (most significant bit first); begins with -1 and ends inverted. */
export function bzip2Crc(crc: number, bytes: Uint8Array, start: number, end: number): number {
  let value = crc;
  for (let at = start; at < end; at++)
    value = (value << 8) ^ crcTable[((value >>> 24) ^ bytes[at]!) & 0xff]!;
  return value;
}
