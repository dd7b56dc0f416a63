import { viewOf } from './image-facts.ts';

/** Largest block of any frame. */
const largestBlockBytes = 128 * 1024;
/** Most bytes that a frame header takes, its magic included. */
export const longestZstdHeaderBytes = 18;

/** What the header of a frame says. */
export interface ZstdFrame {
  readonly headerBytes: number;
  readonly windowBytes: number;
  /** Undefined when the header does not tell it. */
  readonly contentBytes: number | undefined;
  /** 0 is none. */
  readonly dictionaryId: number;
  readonly hasChecksum: boolean;
  readonly blockBytes: number;
}

/** Size of the skippable frame that begins with these eight bytes, or null when it is none (RFC 8878 section 3.1.2). */
export function skippableBytes(head: Uint8Array): number | null {
  if (head.length < 8) return null;
  const view = viewOf(head);
  return (view.getUint32(0, true) & 0xffff_fff0) >>> 0 === 0x184d2a50
    ? 8 + view.getUint32(4, true)
    : null;
}

/**
 * Reads the header of a frame from its first bytes; tells what is wrong as text. `incomplete` needs
 * more bytes. Source: RFC 8878 section 3.1.1.1.
 */
export function readZstdFrame(head: Uint8Array): ZstdFrame | 'incomplete' | { fault: string } {
  if (head.length < 5) return 'incomplete';
  const view = viewOf(head);
  if (view.getUint32(0, true) !== 0xfd2fb528) return { fault: 'no frame header' };
  const descriptor = view.getUint8(4);
  if ((descriptor & 8) !== 0) return { fault: 'a reserved bit is set' };
  const isSingle = (descriptor & 0x20) !== 0;
  const idBytes = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeCode = descriptor >> 6;
  const sizeBytes = sizeCode === 0 ? (isSingle ? 1 : 0) : 2 ** sizeCode;
  const headerBytes = 5 + (isSingle ? 0 : 1) + idBytes + sizeBytes;
  if (head.length < headerBytes) return 'incomplete';
  const number = (at: number, length: number): number => {
    let value = 0;
    for (let index = length - 1; index >= 0; index -= 1)
      value = value * 256 + (head[at + index] ?? 0);
    return value;
  };
  const idAt = isSingle ? 5 : 6;
  const contentBytes =
    sizeBytes === 0 ? undefined : number(idAt + idBytes, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  const exponent = 2 ** (10 + (view.getUint8(5) >> 3));
  const windowBytes = isSingle
    ? (contentBytes ?? 0)
    : exponent + (exponent / 8) * (view.getUint8(5) & 7);
  return {
    headerBytes,
    windowBytes,
    contentBytes,
    dictionaryId: number(idAt, idBytes),
    hasChecksum: (descriptor & 4) !== 0,
    blockBytes: Math.min(largestBlockBytes, windowBytes),
  };
}

/** One block by its three-byte header (RFC 8878 section 3.1.1.2). */
export interface ZstdBlock {
  readonly isLast: boolean;
  readonly isCompressed: boolean;
  /** Bytes that follow the header. */
  readonly packedBytes: number;
  /** What is wrong with it, or null. */
  readonly fault: string | null;
}

/** Reads the header of a block. */
export function readZstdBlock(bytes: Uint8Array, { blockBytes }: ZstdFrame): ZstdBlock {
  const value = (bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8) | ((bytes[2] ?? 0) << 16);
  const type = (value >> 1) & 3;
  const size = value >> 3;
  const fault =
    type === 3
      ? 'a block of the reserved type'
      : size > blockBytes
        ? `a block of ${size} bytes where ${blockBytes} are allowed`
        : null;
  const isLast = (value & 1) !== 0;
  return { isLast, isCompressed: type === 2, packedBytes: type === 1 ? 1 : size, fault };
}
