import type { ByteSource } from './byte-source.ts';
import { crc32 } from './crc32.ts';
import { viewOf } from './image-facts.ts';
import { expectRarCrc, type RarBlock, RarFault, type RarMember } from './rar-member.ts';
import { decodeName } from './text.ts';

const longestHeaderBytes = 2 * 1024 * 1024;
const type = { main: 1, file: 2, encryption: 4, end: 5 } as const;
const flag = { extra: 1, data: 2, splitBefore: 8, splitAfter: 16 } as const;
const fileFlag = { folder: 1, time: 2, crc: 4, unknownSize: 8 } as const;
const record = { encryption: 1, redirection: 5 } as const;
const redirections: Readonly<Record<number, string>> = {
  1: 'a symbolic link',
  2: 'a Windows symbolic link',
  3: 'a Windows junction',
  4: 'a hard link',
  5: 'a copy of another member',
};

/**
 * Reads the block at an offset of a RAR 5 archive. Source: the RAR 5.0 archive format
 * (rarlab.com/technote.htm). @throws RarFault
 */
export async function readRar5Block(source: ByteSource, offset: number): Promise<RarBlock> {
  const size = new Fields(await source.read(offset, 16), 4, offset);
  const headerBytes = size.next();
  if (headerBytes > longestHeaderBytes) {
    throw new RarFault('rar.damaged', 'broken header size', offset);
  }
  const end = size.at + headerBytes;
  const header = await source.read(offset, end);
  if (header.length < end) {
    throw new RarFault('rar.truncated', 'the last header is not whole', offset);
  }
  expectRarCrc(viewOf(header).getUint32(0, true), crc32(header.subarray(4)), offset);
  const fields = new Fields(header, size.at, offset);
  const blockType = fields.next();
  const flags = fields.next();
  const extraBytes = (flags & flag.extra) === 0 ? 0 : fields.next();
  const dataBytes = (flags & flag.data) === 0 ? 0 : fields.next();
  const next = offset + end + dataBytes;
  const block = { next, isEnd: blockType === type.end, member: null, isEncrypted: false };
  if (blockType === type.encryption) return { ...block, isEncrypted: true, isVolume: false };
  if (blockType === type.main || blockType === type.end) {
    return { ...block, isVolume: (fields.next() & 1) !== 0 };
  }
  if (blockType !== type.file) return { ...block, isVolume: false };
  if (extraBytes > end - fields.at) {
    throw new RarFault('rar.damaged', 'broken size of the extra area', offset);
  }
  const isSplit = (flags & (flag.splitBefore | flag.splitAfter)) !== 0;
  const extra = new Fields(header, end - extraBytes, offset);
  return { ...block, isVolume: false, member: readFile(fields, extra, offset, isSplit) };
}

function readFile(fields: Fields, extra: Fields, offset: number, isSplit: boolean): RarMember {
  const flags = fields.next();
  const sizeBytes = fields.next();
  fields.next(); // attributes
  if ((flags & fileFlag.time) !== 0) fields.uint32();
  const sum = (flags & fileFlag.crc) === 0 ? undefined : fields.uint32();
  const compression = fields.next();
  fields.next(); // host system
  const name = decodeName(fields.bytes(fields.next()));
  const { isEncrypted, link } = readExtra(extra);
  const isFolder = (flags & fileFlag.folder) !== 0;
  // Version 1 of the compression adds a fraction in bits 15 to 19.
  const exponent = (compression >>> 10) & 0x1f;
  const fraction = 1 + ((compression >>> 15) & 0x1f) / 32;
  return {
    name,
    offset,
    isFolder,
    isSplit,
    isEncrypted,
    link,
    crc32: sum,
    sizeBytes: (flags & fileFlag.unknownSize) === 0 ? sizeBytes : undefined,
    dictionaryBytes: isFolder ? 0 : 128 * 1024 * 2 ** exponent * fraction,
  };
}

function readExtra(extra: Fields): { isEncrypted: boolean; link: string | null } {
  let isEncrypted = false;
  let link: string | null = null;
  while (!extra.isAtEnd) {
    const end = extra.next() + extra.at;
    const kind = extra.next();
    if (kind === record.encryption) isEncrypted = true;
    if (kind === record.redirection) {
      const redirection = redirections[extra.next()] ?? 'a link of an unknown kind';
      extra.next(); // flags
      link = `${redirection} to "${decodeName(extra.bytes(extra.next()))}"`;
    }
    extra.jump(end);
  }
  return { isEncrypted, link };
}

/** Reads the little-endian base-128 numbers of a header. */
class Fields {
  readonly #bytes: Uint8Array;
  readonly #offset: number;
  at: number;

  /** `offset` is that of the header in the file. */
  constructor(bytes: Uint8Array, at: number, offset: number) {
    this.#bytes = bytes;
    this.#offset = offset;
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  next(): number {
    for (let value = 0, index = 0; index < 10; index += 1) {
      const byte = this.#bytes[this.at];
      if (byte === undefined) break;
      this.at += 1;
      value += (byte & 0x7f) * 2 ** (7 * index);
      if (byte < 0x80 && Number.isSafeInteger(value)) return value;
    }
    return this.#fail();
  }

  uint32(): number {
    const bytes = this.bytes(4);
    return viewOf(bytes).getUint32(0, true);
  }

  bytes(length: number): Uint8Array {
    if (length > this.#bytes.length - this.at) this.#fail();
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  jump(at: number): void {
    if (at < this.at || at > this.#bytes.length) this.#fail();
    this.at = at;
  }

  #fail(): never {
    const isCut = this.#bytes.length < 16;
    const [rule, what] = isCut
      ? (['rar.truncated', 'the last header is not whole'] as const)
      : (['rar.damaged', 'a field of the header'] as const);
    throw new RarFault(rule, what, this.#offset + this.at);
  }
}
