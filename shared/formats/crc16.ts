const sliceCount = 8;

/** Row `n` holds what a byte does to the remainder when `n` more bytes follow it. */
const slices = makeSlices();

function makeSlices(): readonly Uint16Array[] {
  const first = Uint16Array.from({ length: 256 }, (_, index) => {
    let value = index;
    for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xa001 : value >>> 1;
    return value;
  });
  const rows = [first];
  for (let row = 1; row < sliceCount; row += 1) {
    const before = rows[row - 1] ?? first;
    rows.push(before.map((value) => (value >>> 8) ^ (first[value & 0xff] ?? 0)));
  }
  return rows;
}

/** CRC-16/ARC (polynomial 0x8005 reflected, initial value 0), continued from `previous`. */
export function crc16(bytes: Uint8Array, previous = 0): number {
  const [s0, s1, s2, s3, s4, s5, s6, s7] = slices as [
    Uint16Array,
    Uint16Array,
    Uint16Array,
    Uint16Array,
    Uint16Array,
    Uint16Array,
    Uint16Array,
    Uint16Array,
  ];
  let value = previous;
  let at = 0;
  // Eight bytes a step: a byte at a time takes longer than the SHA-256 of the same bytes.
  for (const end = bytes.length - 7; at < end; at += sliceCount) {
    value =
      s7[bytes[at]! ^ (value & 0xff)]! ^
      s6[bytes[at + 1]! ^ (value >>> 8)]! ^
      s5[bytes[at + 2]!]! ^
      s4[bytes[at + 3]!]! ^
      s3[bytes[at + 4]!]! ^
      s2[bytes[at + 5]!]! ^
      s1[bytes[at + 6]!]! ^
      s0[bytes[at + 7]!]!;
  }
  for (; at < bytes.length; at += 1) value = (value >>> 8) ^ s0[(value ^ bytes[at]!) & 0xff]!;
  return value;
}

const ccittTable = Uint16Array.from({ length: 256 }, (_, index) => {
  let value = index << 8;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x8000 ? (value << 1) ^ 0x1021 : value << 1;
  return value & 0xffff;
});

/** CRC-16 of polynomial 0x1021, most significant bit first: CRC-16/XMODEM, or CRC-16/IBM-3740 when continued from 0xFFFF. */
export function crc16Ccitt(bytes: Uint8Array, previous = 0): number {
  let value = previous;
  for (const byte of bytes)
    value = ((value << 8) & 0xffff) ^ (ccittTable[(value >>> 8) ^ byte] ?? 0);
  return value;
}
