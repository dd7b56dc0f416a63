import { crc32 } from './crc32.ts';
import { viewOf } from './image-facts.ts';

/** Sizes of the parts with a fixed size. */
export const xzPartBytes = { streamHeader: 12, streamFooter: 12 } as const;

const magic = [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00];
const footerMagic = [0x59, 0x5a];
const lzma2 = 0x21;

/** How the content of a stream is checked. */
export interface XzCheck {
  readonly id: number;
  readonly name: string;
  readonly sizeBytes: number;
}

const checkNames: Readonly<Record<number, string>> = {
  0: 'none',
  1: 'CRC-32',
  4: 'CRC-64',
  10: 'SHA-256',
};

/** A part that breaks the format: what is wrong, and where in the part. */
export class XzFault extends Error {
  readonly at: number;

  constructor(what: string, at = 0) {
    super(what);
    this.at = at;
  }
}

/** The check that the two bytes of stream flags name. @throws XzFault */
function readFlags(bytes: Uint8Array, at: number): XzCheck {
  const id = bytes[at + 1] ?? 0;
  if (bytes[at] !== 0 || id > 15) throw new XzFault('reserved stream flags are set', at);
  const sizeBytes = id === 0 ? 0 : 4 * 2 ** Math.floor((id - 1) / 3);
  return { id, name: checkNames[id] ?? `check ${id}`, sizeBytes };
}

function expectCrc(bytes: Uint8Array, from: number, to: number, at: number, what: string): void {
  if (viewOf(bytes).getUint32(at, true) !== crc32(bytes.subarray(from, to))) {
    throw new XzFault(`CRC-32 of the ${what}`, at);
  }
}

/** Reads a stream header. Source: the .xz file format 1.2.1, section 2.1.1. @throws XzFault */
export function readXzHeader(bytes: Uint8Array): XzCheck {
  if (!magic.every((byte, index) => bytes[index] === byte)) throw new XzFault('no stream header');
  expectCrc(bytes, 6, 8, 8, 'stream header');
  return readFlags(bytes, 6);
}

/** Reads a stream footer; answers its flags and the size of the index before it. Section 2.1.2. @throws XzFault */
export function readXzFooter(bytes: Uint8Array): { check: XzCheck; indexBytes: number } {
  if (!footerMagic.every((byte, index) => bytes[10 + index] === byte)) {
    throw new XzFault('no stream footer', 10);
  }
  expectCrc(bytes, 4, 10, 0, 'stream footer');
  return { check: readFlags(bytes, 8), indexBytes: (viewOf(bytes).getUint32(4, true) + 1) * 4 };
}

/** What the header of a block says. */
export interface XzBlock {
  /** Filters before LZMA2, by their identifiers. */
  readonly otherFilters: readonly number[];
  readonly dictionaryBytes: number;
  readonly packedBytes: number | undefined;
  readonly sizeBytes: number | undefined;
}

/** Reads a whole block header, its size byte included. Section 3.1. @throws XzFault */
export function readXzBlock(bytes: Uint8Array): XzBlock {
  const end = bytes.length - 4;
  expectCrc(bytes, 0, end, end, 'block header');
  const flags = bytes[1] ?? 0;
  if ((flags & 0x3c) !== 0) throw new XzFault('reserved block flags are set', 1);
  const numbers = new XzNumbers(bytes.subarray(0, end), 2);
  const packedBytes = (flags & 0x40) === 0 ? undefined : numbers.next();
  const sizeBytes = (flags & 0x80) === 0 ? undefined : numbers.next();
  const filters: { readonly id: number; readonly properties: Uint8Array }[] = [];
  for (let index = 0; index <= (flags & 3); index += 1) {
    const id = numbers.next();
    filters.push({ id, properties: numbers.bytes(numbers.next()) });
  }
  if (bytes.subarray(numbers.at, end).some((byte) => byte !== 0)) {
    throw new XzFault('block header padding', numbers.at);
  }
  const last = filters.pop();
  if (last?.id !== lzma2 || last.properties.length !== 1) throw new XzFault('LZMA2 is not last', 1);
  const code = last.properties[0] ?? 0xff;
  if (code > 40) throw new XzFault('dictionary size', numbers.at - 1);
  const dictionaryBytes = code === 40 ? 2 ** 32 - 1 : (2 | (code & 1)) * 2 ** ((code >> 1) + 11);
  return { otherFilters: filters.map(({ id }) => id), dictionaryBytes, packedBytes, sizeBytes };
}

/** Sizes of a block, as the index repeats them: header, data and check; unpacked content. */
export interface XzRecord {
  readonly unpaddedBytes: number;
  readonly sizeBytes: number;
}

/** The index that belongs to these blocks, byte for byte. Section 4. */
export function makeXzIndex(records: readonly XzRecord[]): Uint8Array {
  const bytes = [0, ...encodeNumber(records.length)];
  for (const { unpaddedBytes, sizeBytes } of records) {
    bytes.push(...encodeNumber(unpaddedBytes), ...encodeNumber(sizeBytes));
  }
  while (bytes.length % 4 !== 0) bytes.push(0);
  return withCrc(bytes);
}

/** Header and footer of a stream without a check, around an index of this size. */
export function makeXzFrame(indexBytes: number): { header: Uint8Array; footer: Uint8Array } {
  const flags = [0, 0];
  const backward = new Uint8Array(4);
  viewOf(backward).setUint32(0, indexBytes / 4 - 1, true);
  const tail = [...backward, ...flags];
  const sum = withCrc(tail).subarray(tail.length);
  return {
    header: Uint8Array.from([...magic, ...withCrc(flags)]),
    footer: Uint8Array.from([...sum, ...tail, ...footerMagic]),
  };
}

function withCrc(bytes: readonly number[]): Uint8Array {
  const whole = Uint8Array.from([...bytes, 0, 0, 0, 0]);
  viewOf(whole).setUint32(bytes.length, crc32(whole.subarray(0, bytes.length)), true);
  return whole;
}

function encodeNumber(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

/** Reads the base-128 numbers of a header. Section 1.2. */
class XzNumbers {
  readonly #bytes: Uint8Array;
  at: number;

  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }

  next(): number {
    const from = this.at;
    for (let value = 0, scale = 1; this.at < this.#bytes.length; scale *= 0x80) {
      const byte = this.#bytes[this.at] ?? 0;
      this.at += 1;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80 && Number.isSafeInteger(value)) return value;
      if (this.at - from === 9) break;
    }
    throw new XzFault('a number in the block header', from);
  }

  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) throw new XzFault('filter properties', this.at);
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }
}

/** A chunk of LZMA2 data by its control byte: sizes of its header, its data and what it unpacks to. */
export interface Lzma2Chunk {
  readonly packedBytes: number;
  readonly sizeBytes: number;
}

/** How many bytes the header of a chunk has; 1 for the end of the data. @throws XzFault */
export function lzma2HeaderBytes(control: number): number {
  if (control === 0) return 1;
  if (control < 3) return 3;
  if (control < 0x80) throw new XzFault('LZMA2 control byte');
  return control < 0xc0 ? 5 : 6;
}

/** Reads a whole header of a chunk that is not the end. Source: xz's lzma2_decoder, "LZMA2 chunk". */
export function readLzma2Chunk(header: Uint8Array): Lzma2Chunk {
  const view = viewOf(header);
  const control = view.getUint8(0);
  if (control < 3) {
    const sizeBytes = view.getUint16(1) + 1;
    return { packedBytes: sizeBytes, sizeBytes };
  }
  return {
    packedBytes: view.getUint16(3) + 1,
    sizeBytes: (control & 0x1f) * 65_536 + view.getUint16(1) + 1,
  };
}
