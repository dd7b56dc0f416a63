import type { TextFault } from './text-fault.ts';

const separator = /[\s,:;-]/;
const digit = /[0-9a-f]/i;

/**
 * Reads bytes in hexadecimal: pairs of digits, together or apart by spaces, commas, colons or dashes, each group with
 * or without `0x`; tells the first place where it is not that.
 */
export function parseHex(text: string): Uint8Array | TextFault {
  const bytes: number[] = [];
  let at = 0;
  while (at < text.length) {
    if (separator.test(text.charAt(at))) {
      at++;
      continue;
    }
    const start = at;
    if (/^0x/i.test(text.slice(at, at + 2))) at += 2;
    const first = at;
    while (digit.test(text.charAt(at))) at++;
    const next = text.charAt(at);
    if (next !== '' && !separator.test(next))
      return { position: at, length: 1, message: `“${next}” is no hexadecimal digit` };
    const count = at - first;
    if (count === 0) return { position: start, length: 2, message: 'Digits are missing after 0x' };
    if (count % 2 !== 0)
      return {
        position: at - 1,
        length: 1,
        message: 'A byte has two digits; this one has no partner',
      };
    for (let pair = first; pair < at; pair += 2)
      bytes.push(Number.parseInt(text.slice(pair, pair + 2), 16));
  }
  return bytes.length > 0
    ? Uint8Array.from(bytes)
    : { position: 0, length: text.length, message: 'There is no byte to send' };
}

/** Bytes as pairs of hexadecimal digits with a space between them. */
export const hexText = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
