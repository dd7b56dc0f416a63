import { concat } from '../formats/bytes.ts';

/** One value of an LwM2M object: a resource, or one entry of a resource that has several. */
export interface TlvValue {
  readonly id: number;
  readonly value: Uint8Array;
  /** Entries of a resource with several values. */
  readonly entries?: readonly TlvValue[];
}

const kinds = { instance: 0, entry: 1, multiple: 2, resource: 3 } as const;
const maxEntries = 1000;

/**
 * Reads the resources of an object instance, with or without the instance around them; null when
 * a length is a lie. Source: OMA LwM2M TS 1.0.2, 6.4.3.
 */
export function decodeTlv(bytes: Uint8Array): TlvValue[] | null {
  const records = decodeRecords(bytes);
  if (records === null) return null;
  const [first] = records;
  if (first?.kind === kinds.instance && records.length === 1) return decodeTlv(first.value);
  const values: TlvValue[] = [];
  for (const { kind, id, value } of records) {
    const entries = kind === kinds.multiple ? decodeRecords(value) : undefined;
    if (entries === null) return null;
    values.push(entries ? { id, value, entries } : { id, value });
  }
  return values;
}

interface TlvRecord extends TlvValue {
  readonly kind: number;
}

function decodeRecords(bytes: Uint8Array): TlvRecord[] | null {
  const records: TlvRecord[] = [];
  for (let at = 0; at < bytes.length; ) {
    const type = bytes[at++] ?? 0;
    const idBytes = type & 0x20 ? 2 : 1;
    const lengthBytes = (type >> 3) & 3;
    if (at + idBytes + lengthBytes > bytes.length || records.length >= maxEntries) return null;
    const id = number(bytes.subarray(at, at + idBytes));
    at += idBytes;
    const length = lengthBytes === 0 ? type & 7 : number(bytes.subarray(at, at + lengthBytes));
    at += lengthBytes;
    if (at + length > bytes.length) return null;
    records.push({ kind: type >> 6, id, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return records;
}

/** The resources of an object instance as TLV. */
export function encodeTlv(values: readonly TlvValue[]): Uint8Array {
  return concat(
    ...values.map(({ id, value, entries }) =>
      entries
        ? record(
            kinds.multiple,
            id,
            concat(...entries.map((entry) => record(kinds.entry, entry.id, entry.value))),
          )
        : record(kinds.resource, id, value),
    ),
  );
}

function record(kind: number, id: number, value: Uint8Array): Uint8Array {
  const idBytes = id > 0xff ? [id >> 8, id & 0xff] : [id];
  const { length } = value;
  const lengthBytes =
    length < 8
      ? []
      : length < 0x100
        ? [length]
        : length < 0x1_0000
          ? [length >> 8, length & 0xff]
          : [length >> 16, (length >> 8) & 0xff, length & 0xff];
  const type =
    (kind << 6) |
    (idBytes.length === 2 ? 0x20 : 0) |
    (lengthBytes.length << 3) |
    (length < 8 ? length : 0);
  return concat(Uint8Array.of(type, ...idBytes, ...lengthBytes), value);
}

function number(bytes: Uint8Array): number {
  return bytes.reduce((value, byte) => value * 256 + byte, 0);
}

/** The number that a TLV or an integer resource holds (signed, 1 to 8 bytes), or null. */
export function tlvInteger(value: Uint8Array): number | null {
  if (value.length < 1 || value.length > 8) return null;
  const unsigned = number(value);
  return (value[0] ?? 0) & 0x80 ? unsigned - 256 ** value.length : unsigned;
}

/** A number as a TLV holds it: 1, 2, 4 or 8 bytes, two's complement. */
export function integerTlv(value: number): Uint8Array {
  const bytes = value >= -128 && value < 128 ? 1 : value >= -32_768 && value < 32_768 ? 2 : 4;
  const out = new Uint8Array(bytes);
  for (let at = bytes - 1, rest = value; at >= 0; at--, rest >>= 8) out[at] = rest & 0xff;
  return out;
}
