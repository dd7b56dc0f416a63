import { createHash } from 'node:crypto';

/** An MCUboot image as imgtool makes it without a key: header, body, and a TLV with the SHA-256. */
export function mcubootImage(version: string, body: Uint8Array): Buffer {
  const [numbers = '', build = '0'] = version.split('+');
  const [major = 0, minor = 0, revision = 0] = numbers.split('.').map(Number);
  const header = Buffer.alloc(32);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(32, 8);
  header.writeUInt32LE(body.length, 12);
  header.writeUInt8(major, 20);
  header.writeUInt8(minor, 21);
  header.writeUInt16LE(revision, 22);
  header.writeUInt32LE(Number(build), 24);
  const hashed = Buffer.concat([header, body]);
  const tlvs = Buffer.alloc(8);
  tlvs.writeUInt16LE(0x6907, 0);
  tlvs.writeUInt16LE(40, 2);
  tlvs.writeUInt16LE(0x10, 4);
  tlvs.writeUInt16LE(32, 6);
  return Buffer.concat([hashed, tlvs, createHash('sha256').update(hashed).digest()]);
}
