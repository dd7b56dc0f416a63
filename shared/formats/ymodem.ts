import { latin1Bytes, latin1Text } from './bytes.ts';
import { crc16Ccitt } from './crc16.ts';

/** Control bytes of XMODEM and YMODEM (Forsberg, "XMODEM/YMODEM Protocol Reference", 1988). */
export const modem = {
  shortBlock: 0x01,
  longBlock: 0x02,
  end: 0x04,
  ack: 0x06,
  nak: 0x15,
  cancel: 0x18,
  /** What a receiver sends until the first block: it wants CRCs. */
  ready: 0x43,
} as const;

const padding = 0x1a;
/** Data of a short block, in bytes. */
export const shortBytes = 128;
/** Data of a long block, in bytes. */
export const longBytes = 1024;
const headBytes = 3;
const crcBytes = 2;

/** A block with its head and CRC; short when the data fits into 128 bytes, and filled up with `fill`. */
export function encodeBlock(
  sequence: number,
  data: Uint8Array,
  fill: number = padding,
): Uint8Array {
  const size = data.length <= shortBytes ? shortBytes : longBytes;
  const block = new Uint8Array(headBytes + size + crcBytes).fill(fill);
  const number = sequence & 0xff;
  block.set([size === shortBytes ? modem.shortBlock : modem.longBlock, number, number ^ 0xff]);
  block.set(data, headBytes);
  const crc = crc16Ccitt(block.subarray(headBytes, headBytes + size));
  block.set([crc >> 8, crc & 0xff], headBytes + size);
  return block;
}

/** A short block with the sum of XMODEM's first version instead of a CRC. */
export function encodeSumBlock(sequence: number, data: Uint8Array): Uint8Array {
  const block = encodeBlock(sequence, data).subarray(0, headBytes + shortBytes + 1);
  const filled = block.subarray(headBytes, headBytes + shortBytes);
  block[headBytes + shortBytes] = filled.reduce((sum, byte) => sum + byte, 0) & 0xff;
  return block;
}

/** A file as XMODEM brings it: with the filling of its last block. */
export function paddedToBlock(bytes: Uint8Array): Uint8Array {
  const rest = bytes.length % longBytes;
  if (rest === 0) return bytes;
  const padded = new Uint8Array(
    bytes.length - rest + (rest <= shortBytes ? shortBytes : longBytes),
  ).fill(padding);
  padded.set(bytes);
  return padded;
}

/** Size of the block that begins with this byte, in bytes; null when it begins none. */
export function blockBytes(first: number): number | null {
  if (first !== modem.shortBlock && first !== modem.longBlock) return null;
  return headBytes + (first === modem.shortBlock ? shortBytes : longBytes) + crcBytes;
}

/** A whole block's number and data; null when it is damaged. */
export function decodeBlock(
  block: Uint8Array,
): { readonly sequence: number; readonly data: Uint8Array } | null {
  const [, sequence = 0, complement = 0] = block;
  const checked = block.subarray(headBytes);
  if ((sequence ^ complement) !== 0xff || crc16Ccitt(checked) !== 0) return null;
  return { sequence, data: checked.subarray(0, -crcBytes) };
}

/** Block 0 of YMODEM: name and size of the file; without a file it ends the batch. */
export function encodeFileBlock(file: { name: string; sizeBytes: number } | null): Uint8Array {
  const text = file === null ? '' : `${file.name}\0${file.sizeBytes} 0 0`;
  return encodeBlock(0, latin1Bytes(text), 0);
}

/** What block 0 says; null when it ends the batch. */
export function decodeFileBlock(data: Uint8Array): { name: string; sizeBytes: number } | null {
  const [name = '', facts = ''] = latin1Text(data).split('\0');
  return name === '' ? null : { name, sizeBytes: Number.parseInt(facts, 10) || 0 };
}
