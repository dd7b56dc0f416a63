import type { ByteSource } from './byte-source.ts';
import { crc32 } from './crc32.ts';
import { viewOf } from './image-facts.ts';
import { expectRarCrc, type RarBlock, RarFault, type RarMember } from './rar-member.ts';
import { decodeName } from './text.ts';

const headerWindowBytes = 64 * 1024;
const type = { main: 0x73, file: 0x74, service: 0x7a, end: 0x7b } as const;
const mainFlag = { volume: 1, encrypted: 0x80 } as const;
const fileFlag = { split: 3, encrypted: 4, comment: 8, high: 0x100, unicode: 0x200 } as const;
const mainHeaderBytes = 13;
/** Blocks of RAR 2 whose sum was never right: authenticity, owner, signature. */
const unsummed: ReadonlySet<number> = new Set([0x76, 0x77, 0x79]);
const folderWindow = 0xe0;
const unixHost = 3;

/**
 * Reads the block at an offset of a RAR archive of version 1.5 to 4. Source: technote.txt of RAR 4.
 * @throws RarFault
 */
export async function readRar4Block(source: ByteSource, offset: number): Promise<RarBlock> {
  const window = await source.read(offset, headerWindowBytes);
  const cut = (): never => {
    throw new RarFault('rar.truncated', 'the last header is not whole', offset);
  };
  if (window.length < 7) return cut();
  const base = viewOf(window);
  const blockType = base.getUint8(2);
  const flags = base.getUint16(3, true);
  const headerBytes = base.getUint16(5, true);
  const isMember = blockType === type.file || blockType === type.service;
  const hasData = (flags & 0x8000) !== 0 || isMember;
  if (headerBytes < (isMember ? 32 : hasData ? 11 : 7)) {
    throw new RarFault('rar.damaged', 'broken header size', offset + 5);
  }
  if (window.length < headerBytes) return cut();
  const header = window.subarray(0, headerBytes);
  const hasHigh = isMember && (flags & fileFlag.high) !== 0 && headerBytes >= 40;
  const high = hasHigh ? base.getUint32(32, true) * 2 ** 32 : 0;
  const end = summedBytes(header, blockType, flags, hasHigh);
  const stored = base.getUint16(0, true);
  if (!unsummed.has(blockType)) {
    expectRarCrc(stored, crc32(header.subarray(2, end)) & 0xffff, offset);
  } else if (isMisnamedMember(header, stored)) {
    throw new RarFault('rar.damaged', `block type 0x${blockType.toString(16)}`, offset + 2);
  }
  const dataBytes = hasData ? base.getUint32(7, true) + high : 0;
  return {
    next: offset + headerBytes + dataBytes,
    isEnd: blockType === type.end,
    member: blockType === type.file ? readFile(header, flags, offset, hasHigh) : null,
    isEncrypted: blockType === type.main && (flags & mainFlag.encrypted) !== 0,
    isVolume:
      (blockType === type.main || blockType === type.end) && (flags & mainFlag.volume) !== 0,
  };
}

/** Whether the sum of a block is that of a member: its type was changed, and the member would be passed over. */
function isMisnamedMember(header: Uint8Array, stored: number): boolean {
  const summed = header.slice(2);
  return [type.file, type.service].some((wanted) => {
    summed[0] = wanted;
    return (crc32(summed) & 0xffff) === stored;
  });
}

/** The sum of a header of RAR 1.5 and 2 leaves out a comment that stands in it. */
function summedBytes(
  header: Uint8Array,
  blockType: number,
  flags: number,
  hasHigh: boolean,
): number {
  if (blockType === type.main) return mainHeaderBytes;
  if (blockType !== type.file || (flags & fileFlag.comment) === 0) return header.length;
  return (hasHigh ? 40 : 32) + viewOf(header).getUint16(26, true);
}

function readFile(header: Uint8Array, flags: number, offset: number, hasHigh: boolean): RarMember {
  const view = viewOf(header);
  const nameBytes = view.getUint16(26, true);
  const at = hasHigh ? 40 : 32;
  if (at + nameBytes > header.length) {
    throw new RarFault('rar.damaged', 'length of the name', offset + 26);
  }
  const attributes = view.getUint32(28, true);
  const isLink = view.getUint8(15) === unixHost && (attributes & 0xf000) === 0xa000;
  const window = flags & folderWindow;
  const isFolder = window === folderWindow;
  const raw = header.subarray(at, at + nameBytes);
  return {
    name: readName(raw, (flags & fileFlag.unicode) !== 0).replaceAll('\\', '/'),
    offset,
    sizeBytes: view.getUint32(11, true) + (hasHigh ? view.getUint32(36, true) * 2 ** 32 : 0),
    crc32: view.getUint32(16, true),
    dictionaryBytes: isFolder ? 0 : 64 * 1024 * 2 ** (window >> 5),
    isFolder,
    isEncrypted: (flags & fileFlag.encrypted) !== 0,
    isSplit: (flags & fileFlag.split) !== 0,
    link: isLink ? 'a symbolic link' : null,
  };
}

/** A name in the local code page, a NUL, and how its letters become UTF-16; or UTF-8 alone. */
function readName(raw: Uint8Array, hasUnicode: boolean): string {
  const end = raw.indexOf(0);
  if (!hasUnicode || end < 0) return decodeName(end < 0 ? raw : raw.subarray(0, end));
  const plain = raw.subarray(0, end);
  const coded = raw.subarray(end + 1);
  const letters: number[] = [];
  const high = (coded[0] ?? 0) << 8;
  let at = 1;
  const next = (): number => coded[at++] ?? 0;
  for (let flags = 0, bits = 0; at < coded.length; flags <<= 2, bits -= 2) {
    if (bits === 0) {
      flags = next();
      bits = 8;
    }
    const kind = (flags >> 6) & 3;
    if (kind === 0) letters.push(next());
    else if (kind === 1) letters.push(next() | high);
    else if (kind === 2) letters.push(next() | (next() << 8));
    else {
      const run = next();
      const isShifted = (run & 0x80) !== 0;
      const shift = isShifted ? next() : 0;
      for (let left = (run & 0x7f) + 2; left > 0 && letters.length < plain.length; left -= 1) {
        const letter = plain[letters.length] ?? 0;
        letters.push(isShifted ? ((letter + shift) & 0xff) | high : letter);
      }
    }
  }
  return String.fromCharCode(...letters);
}
