/** Reversed polynomial of ECMA-182 in two halves. */
const polynomial = { high: 0xc96c5795, low: 0xd7870f42 };
const slices = 4;

/** Per slice and byte: the high and the low half of its remainder. */
const highs = new Int32Array(slices * 256);
const lows = new Int32Array(slices * 256);
for (let value = 0; value < 256; value += 1) {
  let high = 0;
  let low = value;
  for (let bit = 0; bit < 8; bit += 1) {
    const carry = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (carry === 1) {
      high ^= polynomial.high;
      low ^= polynomial.low;
    }
  }
  highs[value] = high;
  lows[value] = low;
}
for (let index = 256; index < slices * 256; index += 1) {
  const [high, low] = [highs[index - 256] as number, lows[index - 256] as number];
  const next = low & 0xff;
  highs[index] = (high >>> 8) ^ (highs[next] as number);
  lows[index] = ((low >>> 8) | (high << 24)) ^ (lows[next] as number);
}

/** CRC-64 of ECMA-182 as xz uses it, over content in pieces. Source: the .xz file format 1.2.1, section 6. */
export class Crc64 {
  #high = -1;
  #low = -1;

  update(bytes: Uint8Array): void {
    let high = this.#high;
    let low = this.#low;
    let at = 0;
    for (const end = bytes.length - slices; at <= end; at += slices) {
      const word =
        (bytes[at] as number) |
        ((bytes[at + 1] as number) << 8) |
        ((bytes[at + 2] as number) << 16) |
        ((bytes[at + 3] as number) << 24);
      const mixed = low ^ word;
      const first = 768 + (mixed & 0xff);
      const second = 512 + ((mixed >>> 8) & 0xff);
      const third = 256 + ((mixed >>> 16) & 0xff);
      const fourth = mixed >>> 24;
      low =
        high ^
        (lows[first] as number) ^
        (lows[second] as number) ^
        (lows[third] as number) ^
        (lows[fourth] as number);
      high =
        (highs[first] as number) ^
        (highs[second] as number) ^
        (highs[third] as number) ^
        (highs[fourth] as number);
    }
    for (; at < bytes.length; at += 1) {
      const index = (low ^ (bytes[at] as number)) & 0xff;
      low = ((low >>> 8) | (high << 24)) ^ (lows[index] as number);
      high = (high >>> 8) ^ (highs[index] as number);
    }
    this.#high = high;
    this.#low = low;
  }

  /** Eight bytes, the lowest first. */
  digest(): Uint8Array {
    const bytes = new Uint8Array(8);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, ~this.#low, true);
    view.setUint32(4, ~this.#high, true);
    return bytes;
  }
}
