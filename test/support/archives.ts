import { crc32, deflateRawSync } from 'node:zlib';

/** A tar header with a right checksum around whatever size field is given. */
export function tarHeader(
  name: string,
  sizeField: string,
  type: string,
  change: (header: Buffer) => void = () => undefined,
): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write('0000644\0', 100);
  header.write(sizeField, 124, 12, 'latin1');
  header.write(`${type}ustar\x0000`, 156, 'latin1');
  change(header);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Octal size field of a tar header. */
export const tarSize = (sizeBytes: number): string =>
  `${sizeBytes.toString(8).padStart(11, '0')}\0`;

/** Content of a tar member with its padding. */
export function tarData(content: Uint8Array): Buffer {
  return Buffer.concat([content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

/** A tar of regular files. */
export function tarOf(files: readonly (readonly [name: string, content: Uint8Array])[]): Buffer {
  const blocks = files.flatMap(([name, content]) => [
    tarHeader(name, tarSize(content.length), '0'),
    tarData(content),
  ]);
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

/** Header fields of a zip member that can be made to lie. */
export interface ZipFields {
  readonly flags?: number;
  readonly method?: number;
  readonly crc32?: number;
  readonly packedBytes?: number;
  readonly sizeBytes?: number;
  readonly extra?: Buffer;
  readonly name?: string;
}

/** One member of a zip: true fields, unless `local` or `central` say otherwise. */
export interface ZipPart {
  readonly name: string;
  readonly content: Uint8Array;
  /** 0 stores. */
  readonly level?: number;
  readonly local?: ZipFields;
  readonly central?: ZipFields & { readonly offset?: number };
  /** Stands behind the data. */
  readonly after?: Buffer;
}

function zipHeader(signature: number, fields: Required<ZipFields>, isCentral: boolean): Buffer {
  const shift = isCentral ? 2 : 0;
  const bytes = Buffer.alloc(isCentral ? 46 : 30);
  bytes.writeUInt32LE(signature, 0);
  if (isCentral) bytes.writeUInt16LE(20, 4);
  bytes.writeUInt16LE(20, 4 + shift);
  bytes.writeUInt16LE(fields.flags, 6 + shift);
  bytes.writeUInt16LE(fields.method, 8 + shift);
  bytes.writeUInt32LE(fields.crc32, 14 + shift);
  bytes.writeUInt32LE(fields.packedBytes, 18 + shift);
  bytes.writeUInt32LE(fields.sizeBytes, 22 + shift);
  bytes.writeUInt16LE(fields.name.length, 26 + shift);
  bytes.writeUInt16LE(fields.extra.length, 28 + shift);
  return bytes;
}

/** A zip of the parts; `changeEnd` edits the end record. */
export function zipOf(
  parts: readonly ZipPart[],
  changeEnd: (end: Buffer) => void = () => undefined,
): Buffer {
  const body: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, level = 6, local = {}, central = {}, after } of parts) {
    const packed = level === 0 ? Buffer.from(content) : deflateRawSync(content, { level });
    const truth = {
      flags: 0,
      method: level === 0 ? 0 : 8,
      crc32: crc32(content),
      packedBytes: packed.length,
      sizeBytes: content.length,
      extra: Buffer.alloc(0),
      name,
    };
    const ours = { ...truth, ...local };
    const theirs = { ...truth, ...central };
    const entry = zipHeader(0x02014b50, theirs, true);
    entry.writeUInt32LE(central.offset ?? offset, 42);
    directory.push(entry, Buffer.from(theirs.name, 'latin1'), theirs.extra);
    const pieces = [
      zipHeader(0x04034b50, ours, false),
      Buffer.from(ours.name, 'latin1'),
      ours.extra,
      packed,
      after ?? Buffer.alloc(0),
    ];
    body.push(...pieces);
    offset += pieces.reduce((sum, piece) => sum + piece.length, 0);
  }
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(parts.length & 0xffff, 8);
  end.writeUInt16LE(parts.length & 0xffff, 10);
  end.writeUInt32LE(
    directory.reduce((sum, piece) => sum + piece.length, 0),
    12,
  );
  end.writeUInt32LE(offset, 16);
  changeEnd(end);
  return Buffer.concat([...body, ...directory, end]);
}

/** A zip with one deflated member. */
export function zip(name: string, content: Uint8Array, level = 6): Buffer {
  return zipOf([{ name, content, level }]);
}
