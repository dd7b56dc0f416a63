import { crc16 } from '../../shared/formats/crc16.ts';

const headerBytes = 2124;
const entryBytes = 2580;

interface PacFile {
  readonly id: string;
  readonly fileName: string;
  readonly data: Uint8Array;
  readonly flag?: number;
}

interface PacOptions {
  readonly version?: string;
  readonly product?: string;
  readonly firmware?: string;
}

/** Packs files as Unisoc's ResearchDownload does: header, list, files one after the other, both CRC-16. */
export function makePac(files: readonly PacFile[], options: PacOptions = {}): Buffer {
  const dataAt = headerBytes + files.length * entryBytes;
  const size = dataAt + files.reduce((sum, { data }) => sum + data.length, 0);
  const pac = Buffer.alloc(size);
  pac.write(options.version ?? 'BP_R2.0.1', 0, 'utf16le');
  pac.writeUInt32LE(size, 48);
  pac.write(options.product ?? 'UIX8910_MODEM', 52, 'utf16le');
  pac.write(options.firmware ?? 'EC200UCNAAR03A05M08', 564, 'utf16le');
  pac.writeUInt32LE(files.length, 1076);
  pac.writeUInt32LE(headerBytes, 1080);
  pac.writeUInt32LE(0xfffa_fffa, 2116);
  let at = dataAt;
  for (const [index, { id, fileName, data, flag = 1 }] of files.entries()) {
    const entry = headerBytes + index * entryBytes;
    pac.writeUInt32LE(entryBytes, entry);
    pac.write(id, entry + 4, 'utf16le');
    pac.write(fileName, entry + 516, 'utf16le');
    pac.writeUInt32LE(data.length, entry + 1540);
    pac.writeUInt32LE(flag, entry + 1544);
    pac.writeUInt32LE(data.length === 0 ? 0 : at, entry + 1552);
    Buffer.from(data).copy(pac, at);
    at += data.length;
  }
  return withCrcs(pac);
}

/** A copy that was changed and has right checksums again. */
export function changedPac(pac: Uint8Array, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(pac);
  change(copy);
  return withCrcs(copy);
}

function withCrcs(pac: Buffer): Buffer {
  pac.writeUInt16LE(crc16(pac.subarray(headerBytes)), 2122);
  pac.writeUInt16LE(crc16(pac.subarray(0, 2120)), 2120);
  return pac;
}
