import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** Makes checksums right again after a mutation, so that what lies behind them is reached. */
export type Repair = (bytes: Buffer) => Buffer;

/** Checksum and length of every line of S-records or Intel HEX. */
export const repairRecords: Repair = (bytes) => {
  const lines = bytes.toString('latin1').split('\n');
  const repaired = lines.map((line) => {
    const match = /^(S[0-9]|:)((?:[0-9A-Fa-f]{2}){3,})/.exec(line);
    if (match === null) return line;
    const record = Buffer.from(match[2] ?? '', 'hex').subarray(0, 256);
    const isHex = match[1] === ':';
    record[0] = isHex ? record.length - 5 : record.length - 1;
    const sum = record.subarray(0, -1).reduce((total, byte) => total + byte, 0);
    record[record.length - 1] = isHex ? -sum : ~sum;
    return match[1] + record.toString('hex').toUpperCase();
  });
  return Buffer.from(repaired.join('\n'), 'latin1');
};

/** Header checksums of a tar. */
export const repairTar: Repair = (bytes) => {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes[at] === 0 || (bytes[at + 148] ?? 0) === 0) continue;
    bytes.fill(0x20, at + 148, at + 156);
    const sum = bytes.subarray(at, at + 512).reduce((total, byte) => total + byte, 0);
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
};

/** Both CRCs of a uImage. */
export const repairUimage: Repair = (bytes) => {
  if (bytes.length < 64) return bytes;
  const size = bytes.readUInt32BE(12);
  bytes.writeUInt32BE(crc32(bytes.subarray(64, 64 + size)), 24);
  bytes.writeUInt32BE(0, 4);
  bytes.writeUInt32BE(crc32(bytes.subarray(0, 64)), 4);
  return bytes;
};

/** Checksum and appended SHA-256 of an ESP image. */
export const repairEsp: Repair = (bytes) => {
  const first = bytes.length > 24 && bytes.readUInt32LE(8) >= 0x3ff0_0000 ? 8 : 24;
  let at = first;
  let sum = 0xef;
  for (let segment = 0; segment < (bytes[1] ?? 0) && at + 8 <= bytes.length; segment += 1) {
    const end = at + 8 + bytes.readUInt32LE(at + 4);
    for (const byte of bytes.subarray(at + 8, end)) sum ^= byte;
    at = end;
  }
  const place = at + 15 - (at % 16);
  if (place < bytes.length) bytes[place] = sum;
  if (first === 24 && place + 33 <= bytes.length) {
    bytes.set(
      createHash('sha256')
        .update(bytes.subarray(0, place + 1))
        .digest(),
      place + 1,
    );
  }
  return bytes;
};

/** The three magic numbers of every UF2 block. */
export const repairUf2: Repair = (bytes) => {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    bytes.writeUInt32LE(0x0a324655, at);
    bytes.writeUInt32LE(0x9e5d5157, at + 4);
    bytes.writeUInt32LE(0x0ab16f30, at + 508);
  }
  return bytes;
};

/** Header CRCs of a RAR 4 or RAR 5 archive, as far as its blocks can be followed. */
export const repairRar: Repair = (bytes) =>
  bytes[6] === 1 ? repairRar5(bytes) : repairRar4(bytes);

function repairRar4(bytes: Buffer): Buffer {
  for (let at = 7; at + 11 <= bytes.length; ) {
    const size = bytes.readUInt16LE(at + 5);
    if (size < 7) break;
    bytes.writeUInt16LE(crc32(bytes.subarray(at + 2, at + size)) & 0xffff, at);
    const hasData = (bytes.readUInt16LE(at + 3) & 0x8000) !== 0 || bytes[at + 2] === 0x74;
    at += size + (hasData ? bytes.readUInt32LE(at + 7) : 0);
  }
  return bytes;
}

function repairRar5(bytes: Buffer): Buffer {
  const number = (from: number): readonly [value: number, next: number] => {
    let value = 0;
    let at = from;
    for (let shift = 1; at < bytes.length; shift *= 128) {
      const byte = bytes[at] ?? 0;
      value += (byte & 0x7f) * shift;
      at += 1;
      if (byte < 0x80) break;
    }
    return [value, at];
  };
  for (let at = 8; at + 7 <= bytes.length; ) {
    const [size, start] = number(at + 4);
    bytes.writeUInt32LE(crc32(bytes.subarray(at + 4, start + size)), at);
    const [, afterType] = number(start);
    const [flags, afterFlags] = number(afterType);
    const [extra, afterExtra] = (flags & 1) === 0 ? [0, afterFlags] : number(afterFlags);
    const [data] = (flags & 2) === 0 ? [0] : number(afterExtra);
    const next = start + size + data;
    if (next <= at || !Number.isSafeInteger(next + extra)) break;
    at = next;
  }
  return bytes;
}
