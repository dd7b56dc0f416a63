/** Numbers of the bzip2 format that its writer and its reader share (bzip2 1.0 file format). */
export const blockMark = [0x314159, 0x265359] as const;
export const endMark = [0x177245, 0x385090] as const;
/** Symbols of one Huffman table before it is changed. */
export const groupSymbols = 50;
export const runA = 0;
export const runB = 1;
/** Bytes of the run-length coded block at level 9; the writer stays a little below, as libbzip2 does. */
export const blockBytes = 900_000;

const crcStride = 256;
/** Entry `256 * n + byte`: what a byte does to the CRC when n more bytes follow it. */
const crcTables = new Int32Array(4 * crcStride);
for (let byte = 0; byte < crcStride; byte++) {
  let value = byte << 24;
  for (let bit = 0; bit < 8; bit++) value = value < 0 ? (value << 1) ^ 0x04c11db7 : value << 1;
  crcTables[byte] = value;
}
for (let entry = crcStride; entry < crcTables.length; entry++) {
  const before = crcTables[entry - crcStride]!;
  crcTables[entry] = (before << 8) ^ crcTables[before >>> 24]!;
}

/** Continues a CRC-32 of bzip2 (most significant bit first); begins with -1 and ends inverted. */
export function bzip2Crc(crc: number, bytes: Uint8Array, start: number, end: number): number {
  let value = crc;
  let at = start;
  for (; at + 4 <= end; at += 4) {
    value ^= (bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!;
    value =
      crcTables[3 * crcStride + (value >>> 24)]! ^
      crcTables[2 * crcStride + ((value >>> 16) & 0xff)]! ^
      crcTables[crcStride + ((value >>> 8) & 0xff)]! ^
      crcTables[value & 0xff]!;
  }
  for (; at < end; at++) value = (value << 8) ^ crcTables[((value >>> 24) ^ bytes[at]!) & 0xff]!;
  return value;
}
