import { decodeName } from './text.ts';

export const tarBlockBytes = 512;

/** One header block of a tar. */
export interface TarHeader {
  readonly type: string;
  /** Path as the header itself writes it. */
  readonly path: string;
  readonly linkTarget: string;
  readonly sizeBytes: number;
}

/** Why a block is no header: what is wrong, where in the block, and the values. */
export interface TarHeaderFault {
  readonly what: string;
  readonly at: number;
  readonly expected?: string;
  readonly found?: string;
}

/** Reads a header block. Source: POSIX.1-2008 pax, "ustar Interchange Format". */
export function readTarHeader(block: Uint8Array): TarHeader | TarHeaderFault {
  let sum = 8 * 0x20;
  for (let index = 0; index < tarBlockBytes; index += 1) {
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  }
  const stored = tarNumber(block, 148, 8);
  if (stored !== sum) {
    const found = stored === null ? 'no number' : stored.toString(8);
    return { what: 'header checksum', at: 0, expected: sum.toString(8), found };
  }
  const sizeBytes = tarNumber(block, 124, 12);
  if (sizeBytes === null) return { what: 'the size field is no number', at: 124 };
  const isUstar = tarText(block, 257, 5) === 'ustar' && block[262] === 0;
  const prefix = isUstar ? tarText(block, 345, 155) : '';
  const own = tarText(block, 0, 100);
  return {
    type: String.fromCharCode(block[156] || 0x30),
    path: prefix === '' ? own : `${prefix}/${own}`,
    linkTarget: tarText(block, 157, 100),
    sizeBytes,
  };
}

/** A text field, up to its first NUL. */
function tarText(block: Uint8Array, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return decodeName(end < 0 ? field : field.subarray(0, end));
}

/** An octal field, or the base-256 form of GNU tar; null when it is neither. */
export function tarNumber(block: Uint8Array, from: number, length: number): number | null {
  if (block[from] === 0x80) {
    let value = 0;
    for (let index = from + 1; index < from + length; index += 1) {
      value = value * 256 + (block[index] ?? 0);
    }
    return Number.isSafeInteger(value) ? value : null;
  }
  const text = tarText(block, from, length).trim();
  return /^[0-7]*$/.test(text) ? Number.parseInt(text || '0', 8) : null;
}
