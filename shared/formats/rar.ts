import type { ByteSource } from './byte-source.ts';
import { crc32 } from './crc32.ts';
import type { Report } from './report.ts';

const rar5Signature = 8;
const rar4Signature = 7;
const mostBlocks = 100_000;
const headerWindowBytes = 64 * 1024;
const longestRar5HeaderBytes = 2 * 1024 * 1024;

/** One block header: where its data ends, and what it says about the archive. */
interface Block {
  readonly next: number;
  readonly isFile: boolean;
  readonly isEnd: boolean;
}

/**
 * Walks the headers of a RAR 4 or RAR 5 archive and checks their CRCs; the members' data is not
 * unpacked. Returns the number of file headers, or null after a blocking report.
 * Source: the RAR 5.0 archive format (rarlab.com/technote.htm) and technote.txt of RAR 4.
 */
export async function readRar(source: ByteSource, report: Report): Promise<number | null> {
  const head = await source.read(0, rar5Signature);
  const isRar5 = head[6] === 1;
  let files = 0;
  let offset = isRar5 ? rar5Signature : rar4Signature;
  for (let blocks = 0; offset < source.sizeBytes; blocks += 1) {
    if (blocks > mostBlocks) {
      report('rar.damaged', `over ${mostBlocks} blocks`, { offset });
      return null;
    }
    const block = isRar5
      ? await readRar5Block(source, offset, report)
      : await readRar4Block(source, offset, report);
    if (block === null) return null;
    if (block.isFile) files += 1;
    if (block.next > source.sizeBytes) {
      report('rar.truncated', `the block at offset ${offset} reaches beyond the end`, {
        offset,
        expected: `${block.next} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    if (block.isEnd) return files;
    offset = block.next;
  }
  report('rar.truncated', 'no end block', { offset: source.sizeBytes });
  return null;
}

async function readRar5Block(
  source: ByteSource,
  offset: number,
  report: Report,
): Promise<Block | null> {
  const start = await source.read(offset, 16);
  const size = variableInteger(start, 4);
  if (size === null || size.value > longestRar5HeaderBytes) {
    report('rar.damaged', 'broken header size', { offset });
    return null;
  }
  const headerEnd = size.next + size.value;
  const header = await source.read(offset, headerEnd);
  if (header.length < headerEnd) {
    report('rar.truncated', 'the last header is not whole', { offset });
    return null;
  }
  const stored = new DataView(header.buffer, header.byteOffset).getUint32(0, true);
  if (!headerCrcMatches(crc32(header.subarray(4)), stored, offset, report)) return null;
  const fields: number[] = [];
  for (let at = size.next; fields.length < 5; ) {
    const field = variableInteger(header, at);
    if (field === null) break;
    fields.push(field.value);
    at = field.next;
  }
  const [type, flags] = [fields[0] ?? 0, fields[1] ?? 0];
  const hasExtra = (flags & 1) !== 0;
  const dataBytes = (flags & 2) === 0 ? 0 : (fields[hasExtra ? 3 : 2] ?? 0);
  if (type === 4) {
    report('rar.encrypted', 'the headers are encrypted', { offset });
    return null;
  }
  const typeFlags = fields[2 + (hasExtra ? 1 : 0) + ((flags & 2) === 0 ? 0 : 1)] ?? 0;
  if ((type === 1 || type === 5) && (typeFlags & 1) !== 0) {
    report('rar.multi-volume', 'another volume belongs to it', { offset });
    return null;
  }
  return { next: offset + headerEnd + dataBytes, isFile: type === 2, isEnd: type === 5 };
}

async function readRar4Block(
  source: ByteSource,
  offset: number,
  report: Report,
): Promise<Block | null> {
  const bytes = await source.read(offset, headerWindowBytes);
  if (bytes.length < 7) {
    report('rar.truncated', 'the last header is not whole', { offset });
    return null;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const type = view.getUint8(2);
  const flags = view.getUint16(3, true);
  const headerBytes = view.getUint16(5, true);
  const hasData = (flags & 0x8000) !== 0 || type === 0x74;
  if (headerBytes < (hasData ? 11 : 7)) {
    report('rar.damaged', 'broken header size', { offset: offset + 5 });
    return null;
  }
  if (bytes.length < headerBytes) {
    report('rar.truncated', 'the last header is not whole', { offset });
    return null;
  }
  const actual = crc32(bytes.subarray(2, headerBytes)) & 0xffff;
  if (!headerCrcMatches(actual, view.getUint16(0, true), offset, report)) return null;
  if (type === 0x73 && (flags & 0x80) !== 0) {
    report('rar.encrypted', 'the headers are encrypted', { offset });
    return null;
  }
  if (type === 0x74 && (flags & 0x04) !== 0) {
    report('rar.encrypted', 'a member is encrypted', { offset });
    return null;
  }
  if ((type === 0x73 && (flags & 1) !== 0) || (type === 0x7b && (flags & 1) !== 0)) {
    report('rar.multi-volume', 'another volume belongs to it', { offset });
    return null;
  }
  const high = type === 0x74 && (flags & 0x100) !== 0 && headerBytes >= 40;
  const dataBytes = hasData
    ? view.getUint32(7, true) + (high ? view.getUint32(32, true) * 2 ** 32 : 0)
    : 0;
  return { next: offset + headerBytes + dataBytes, isFile: type === 0x74, isEnd: type === 0x7b };
}

function headerCrcMatches(actual: number, stored: number, offset: number, report: Report): boolean {
  if (actual === stored) return true;
  report('rar.damaged', 'header CRC', {
    offset,
    expected: stored.toString(16),
    found: actual.toString(16),
  });
  return false;
}

/** A little-endian base-128 number; null when it is cut or too large. */
function variableInteger(bytes: Uint8Array, from: number): { value: number; next: number } | null {
  let value = 0;
  for (let index = 0; index < 8; index += 1) {
    const byte = bytes[from + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, next: from + index + 1 } : null;
  }
  return null;
}
