import { decodeName } from './text.ts';

/** Keys that change which bytes a member has or where it goes. */
const changingKeys = ['path', 'size', 'linkpath', 'GNU.sparse.name'];

/** The records of a pax extended header: latest value per key, and `GNU.sparse.*` in their order. */
export interface PaxRecords {
  readonly values: ReadonlyMap<string, string>;
  /** Offsets and sizes as the sparse format 0.0 repeats them. */
  readonly sparsePairs: readonly string[];
}

/** Records of no extended header. */
export const noPaxRecords: PaxRecords = { values: new Map(), sparsePairs: [] };

/**
 * Reads the records of an extended header; null when one is broken.
 * Source: POSIX.1-2008 pax, "pax Extended Header".
 */
export function readPaxRecords(bytes: Uint8Array): PaxRecords | null {
  const values = new Map<string, string>();
  const sparsePairs: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = ascii(bytes.subarray(at, Math.min(Math.max(space, at), at + 9)));
    const end = at + Number(digits);
    if (!/^\d{1,8}$/.test(digits) || end > bytes.length || bytes[end - 1] !== 0x0a) return null;
    const sign = bytes.indexOf(0x3d, space);
    if (sign <= space + 1 || sign >= end) return null;
    const key = ascii(bytes.subarray(space + 1, sign));
    const value = decodeName(bytes.subarray(sign + 1, end - 1));
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') sparsePairs.push(value);
    values.set(key, value);
    at = end;
  }
  return { values, sparsePairs };
}

/** Path of the member, when the records name one; sparse members carry theirs under another key. */
export function paxPath({ values }: PaxRecords): string | undefined {
  return values.get('GNU.sparse.name') ?? values.get('path');
}

/** A decimal value, undefined without the key; null when it is no size. */
export function paxNumber({ values }: PaxRecords, key: string): number | undefined | null {
  const text = values.get(key);
  if (text === undefined) return undefined;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  return Number.isSafeInteger(value) ? value : null;
}

/** Whether the records, applied to all members, would rename or resize them. */
export function changesMembers({ values }: PaxRecords): boolean {
  return changingKeys.some((key) => values.has(key));
}

function ascii(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
