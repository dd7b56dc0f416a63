/** Numbers of the bzip2 format that its writer and its reader share (bzip2 1.0 file format). */
export const blockMark = [0x314159, 0x265359] as const;
export const endMark = [0x177245, 0x385090] as const;
/** Symbols of one Huffman table before it is changed. */
export const groupSymbols = 50;
/** Byte values, of which one is always the latest, two for its runs and one for the end. */
export const mostSymbols = 258;
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

/** The differences of a patch are mostly zeros: so many of them are taken in one step. */
const zeroBytes = 64;
/** Entry `256 * n + byte`: what a byte of the CRC itself becomes by `zeroBytes` zeros; `n` as above. */
const zeroTables = crcTables.map((_, entry) => {
  let value = (entry & 0xff) << (8 * (entry >> 8));
  for (let step = 0; step < zeroBytes / 4; step++) value = byFourBytes(crcTables, value);
  return value;
});

function byFourBytes(tables: Int32Array, value: number): number {
  return (
    tables[3 * crcStride + (value >>> 24)]! ^
    tables[2 * crcStride + ((value >>> 16) & 0xff)]! ^
    tables[crcStride + ((value >>> 8) & 0xff)]! ^
    tables[value & 0xff]!
  );
}

function areZeros(view: DataView, start: number): boolean {
  for (let at = start; at < start + zeroBytes; at += 4) if (view.getInt32(at) !== 0) return false;
  return true;
}

/** Continues a CRC-32 of bzip2 (most significant bit first); begins with -1 and ends inverted. */
export function bzip2Crc(crc: number, bytes: Uint8Array, start: number, end: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let value = crc;
  let at = start;
  for (; at + zeroBytes <= end; at += zeroBytes) {
    if (areZeros(view, at)) value = byFourBytes(zeroTables, value);
    else
      for (let word = at; word < at + zeroBytes; word += 4)
        value = byFourBytes(crcTables, value ^ view.getInt32(word));
  }
  for (; at + 4 <= end; at += 4) value = byFourBytes(crcTables, value ^ view.getInt32(at));
  for (; at < end; at++) value = (value << 8) ^ crcTables[((value >>> 24) ^ bytes[at]!) & 0xff]!;
  return value;
}
