/** Bytes of one number in bsdiff's patches: 63 bits of magnitude, least significant byte first, and a sign on top. */
export const offsetBytes = 8;

/** Writes a number of bsdiff's kind. */
export function writeOffset(bytes: Uint8Array, at: number, value: number): void {
  let rest = Math.abs(value);
  for (let i = 0; i < offsetBytes; i++) {
    bytes[at + i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  if (value < 0) bytes[at + 7] = (bytes[at + 7] ?? 0) | 0x80;
}

/** Reads a number of bsdiff's kind; beyond 2^53 only its size is right. */
export function readOffset(bytes: Uint8Array, at: number): number {
  let value = (bytes[at + 7] ?? 0) & 0x7f;
  for (let i = 6; i >= 0; i--) value = value * 256 + (bytes[at + i] ?? 0);
  return (bytes[at + 7] ?? 0) & 0x80 && value > 0 ? -value : value;
}
