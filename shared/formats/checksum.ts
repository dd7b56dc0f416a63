import type { ChecksumKind } from '../domain/described-format.ts';
import { crc16, crc16Ccitt } from './crc16.ts';
import { crc32 } from './crc32.ts';

/** A checksum that is fed in pieces. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  value(): number;
}

type Step = (value: number, bytes: Uint8Array) => number;

const sum =
  (bits: number): Step =>
  (start, bytes) => {
    let value = start;
    for (const byte of bytes) value = (value + byte) >>> 0;
    return bits === 32 ? value : value & (2 ** bits - 1);
  };

const xor: Step = (start, bytes) => {
  let value = start;
  for (const byte of bytes) value ^= byte;
  return value;
};

/**
 * Start value and step of each kind. CRC names as in the catalogue of parametrised CRC algorithms:
 * `crc16-ccitt` is CRC-16/IBM-3740 (starts at FFFF), `crc16-xmodem` CRC-16/XMODEM (starts at 0).
 */
const kinds: Readonly<Record<ChecksumKind, readonly [start: number, step: Step]>> = {
  crc32: [0, (value, bytes) => crc32(bytes, value)],
  'crc16-ccitt': [0xffff, (value, bytes) => crc16Ccitt(bytes, value)],
  'crc16-xmodem': [0, (value, bytes) => crc16Ccitt(bytes, value)],
  'crc16-modbus': [0xffff, (value, bytes) => crc16(bytes, value)],
  sum8: [0, sum(8)],
  sum16: [0, sum(16)],
  sum32: [0, sum(32)],
  xor8: [0, xor],
};

/** Begins a checksum; the sums add bytes. */
export function startChecksum(kind: ChecksumKind): RunningChecksum {
  const [start, step] = kinds[kind];
  let value = start;
  return {
    update: (bytes) => {
      value = step(value, bytes);
    },
    value: () => value,
  };
}
