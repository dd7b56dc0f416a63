import type { ChecksumKind } from '../domain/described-format.ts';
import { crc16 } from './crc16.ts';
import { crc32 } from './crc32.ts';

/** A checksum that is fed in pieces. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  value(): number;
}

type Step = (value: number, bytes: Uint8Array) => number;

/** Table of a CRC-16 whose bits are taken from the most significant one. */
const tableOf = (step: (value: number) => number): Uint16Array =>
  Uint16Array.from({ length: 256 }, (_, index) => step(index));

const ccittTable = tableOf((index) => {
  let value = index << 8;
  for (let bit = 0; bit < 8; bit += 1) value = value & 0x8000 ? (value << 1) ^ 0x1021 : value << 1;
  return value & 0xffff;
});

const ccitt: Step = (start, bytes) => {
  let value = start;
  for (const byte of bytes)
    value = ((value << 8) & 0xffff) ^ (ccittTable[(value >>> 8) ^ byte] ?? 0);
  return value;
};

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
  'crc16-ccitt': [0xffff, ccitt],
  'crc16-xmodem': [0, ccitt],
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
