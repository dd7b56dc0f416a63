import type { ByteSource } from './byte-source.ts';
import { crc16 } from './crc16.ts';
import { type ImageFacts, readRange, viewOf } from './image-facts.ts';
import { unsafeNameReason } from './member-name.ts';
import { hexAddress, type Report } from './report.ts';

const headerBytes = 2124;
const entryBytes = 2580;
const mostEntries = 1024;
const magic = 0xfffa_fffa;
const versions: ReadonlySet<string> = new Set(['BP_R1.0.0', 'BP_R2.0.1']);
const headerAt = {
  sizeHigh: 44,
  product: 52,
  firmware: 564,
  count: 1076,
  list: 1080,
  encrypted: 1316,
  magic: 2116,
  headerCrc: 2120,
  contentCrc: 2122,
} as const;
const entryAt = {
  id: 4,
  fileName: 516,
  sizeHigh: 1532,
  offsetHigh: 1536,
  sizeLow: 1540,
  flag: 1544,
  offsetLow: 1552,
} as const;
const nameBytes = 512;

interface Header {
  readonly version: string;
  readonly product: string;
  readonly firmware: string;
  readonly count: number;
  readonly listAt: number;
  readonly hasCrc: boolean;
  readonly contentCrc: number;
  readonly encrypted: boolean;
}

interface Entry {
  readonly id: string;
  readonly fileName: string;
  readonly start: number;
  readonly sizeBytes: number;
  /** 0 = an operation without a file, 1 = a file, 2 = the configuration. */
  readonly flag: number;
  readonly headerAt: number;
}

/**
 * Reads a Unisoc (Spreadtrum) PAC package: version, size, CRC-16 of the header and of the rest, and
 * entries that lie in the file without overlap and under safe names. Returns null after a blocking
 * report. Source: BIN_PACKET_HEADER_T and FILE_T of Unisoc's download tools (BinPack.h of its
 * dloader); all numbers are little-endian, all texts UTF-16LE.
 */
export async function readPac(source: ByteSource, report: Report): Promise<ImageFacts | null> {
  const header = await readHeader(source, report);
  if (header === null) return null;
  if (!versions.has(header.version)) {
    report('pac.version', `the header says "${header.version}"`, {
      offset: 0,
      expected: [...versions].join(' or '),
      found: header.version,
    });
  }
  const entries = await readEntries(source, header, report);
  if (entries === null) return null;
  if (!checkPlaces(entries, header, source.sizeBytes, report)) return null;
  if (!(await checkContentCrc(source, header, report))) return null;
  checkParts(entries, report);
  const { product, firmware, encrypted } = header;
  const files = entries.filter(({ sizeBytes }) => sizeBytes > 0);
  report(
    'pac.header',
    `product "${product}", firmware "${firmware}", ${files.length} files: ${listOf(files)}`,
    { offset: headerAt.product },
  );
  if (encrypted) report('pac.encrypted', 'the header says so', { offset: headerAt.encrypted });
  return {
    summary: `PAC: ${entries.length} entries lie in the file${header.hasCrc ? ', both CRC-16 are right' : ''}`,
    segments: [],
    ...(product === '' ? {} : { identity: { hardware: [{ field: 'product', value: product }] } }),
    compressed: encrypted,
  };
}

async function readHeader(source: ByteSource, report: Report): Promise<Header | null> {
  const bytes = Uint8Array.from(await source.read(0, headerBytes));
  if (bytes.length < headerBytes) {
    report('pac.truncated', 'the header is not whole', {
      offset: bytes.length,
      expected: `${headerBytes} bytes`,
      found: `${bytes.length} bytes`,
    });
    return null;
  }
  const view = viewOf(bytes);
  const hasCrc = view.getUint32(headerAt.magic, true) === magic;
  const expected = crc16(bytes.subarray(0, headerAt.headerCrc));
  const found = view.getUint16(headerAt.headerCrc, true);
  if (!hasCrc) {
    report('pac.no-crc', 'without its magic number nothing says that the CRC-16 count', {
      offset: headerAt.magic,
      expected: hexAddress(magic),
      found: hexAddress(view.getUint32(headerAt.magic, true)),
    });
  } else if (expected !== found) {
    tellCrc('pac.header-crc', headerAt.headerCrc, expected, found, report);
    return null;
  }
  const sizeBytes = wide(view, headerAt.sizeHigh, headerAt.sizeHigh + 4);
  if (sizeBytes !== source.sizeBytes) {
    const rule = sizeBytes > source.sizeBytes ? 'pac.truncated' : 'pac.size';
    report(rule, 'the header announces another size', {
      offset: headerAt.sizeHigh,
      expected: `${sizeBytes} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return null;
  }
  return {
    version: text(bytes, 0, headerAt.sizeHigh),
    product: text(bytes, headerAt.product, nameBytes),
    firmware: text(bytes, headerAt.firmware, nameBytes),
    count: view.getUint32(headerAt.count, true),
    listAt: view.getUint32(headerAt.list, true),
    hasCrc,
    contentCrc: view.getUint16(headerAt.contentCrc, true),
    encrypted: view.getUint16(headerAt.encrypted, true) !== 0,
  };
}

async function readEntries(
  source: ByteSource,
  { count, listAt }: Header,
  report: Report,
): Promise<readonly Entry[] | null> {
  if (count < 1 || count > mostEntries) {
    report('pac.entry', `${count} entries`, {
      offset: headerAt.count,
      expected: `1 to ${mostEntries}`,
      found: String(count),
    });
    return null;
  }
  if (listAt < headerBytes || listAt + count * entryBytes > source.sizeBytes) {
    report('pac.entry', 'the list of entries does not lie in the file', {
      offset: headerAt.list,
      expected: `${headerBytes} to ${Math.max(headerBytes, source.sizeBytes - count * entryBytes)}`,
      found: String(listAt),
    });
    return null;
  }
  const entries: Entry[] = [];
  for (let index = 0; index < count; index += 1) {
    const at = listAt + index * entryBytes;
    const bytes = await source.read(at, entryBytes);
    const view = viewOf(bytes);
    const ownBytes = view.getUint32(0, true);
    if (ownBytes !== entryBytes) {
      report('pac.entry', `entry ${index + 1} has another size`, {
        offset: at,
        expected: `${entryBytes} bytes`,
        found: `${ownBytes} bytes`,
      });
      return null;
    }
    entries.push({
      id: text(bytes, entryAt.id, nameBytes),
      fileName: text(bytes, entryAt.fileName, nameBytes),
      start: wide(view, entryAt.offsetHigh, entryAt.offsetLow),
      sizeBytes: wide(view, entryAt.sizeHigh, entryAt.sizeLow),
      flag: view.getUint32(entryAt.flag, true),
      headerAt: at,
    });
  }
  return entries;
}

/** Every file lies behind the list and in the package, apart from the others, under a safe name. */
function checkPlaces(
  entries: readonly Entry[],
  { count, listAt }: Header,
  packageBytes: number,
  report: Report,
): boolean {
  let end = listAt + count * entryBytes;
  let sound = true;
  const block = (...told: Parameters<Report>): void => {
    sound = false;
    report(...told);
  };
  const files = entries.filter(({ sizeBytes }) => sizeBytes > 0);
  for (const entry of [...files].sort((a, b) => a.start - b.start)) {
    const { start, sizeBytes, headerAt: offset, fileName } = entry;
    const member = nameOf(entry);
    if (start < end) {
      block('pac.overlap', `"${member}" begins inside the bytes before it`, {
        offset: offset + entryAt.offsetLow,
        member,
        expected: `${end} or later`,
        found: String(start),
      });
    }
    if (start + sizeBytes > packageBytes) {
      block('pac.entry', `"${member}" reaches beyond the end`, {
        offset: offset + entryAt.sizeLow,
        member,
        expected: `at most ${packageBytes} bytes`,
        found: `${start + sizeBytes} bytes`,
      });
    }
    end = Math.max(end, start + sizeBytes);
    const unsafe = unsafeNameReason(fileName);
    if (unsafe !== null) {
      block('pac.unsafe-name', `"${fileName}": ${unsafe}`, {
        offset: offset + entryAt.fileName,
        member,
      });
    }
  }
  return sound;
}

async function checkContentCrc(
  source: ByteSource,
  { hasCrc, contentCrc: found }: Header,
  report: Report,
): Promise<boolean> {
  if (!hasCrc) return true;
  let expected = 0;
  for await (const bytes of readRange(source, headerBytes, source.sizeBytes))
    expected = crc16(bytes, expected);
  if (expected === found) return true;
  tellCrc('pac.content-crc', headerAt.contentCrc, expected, found, report);
  return false;
}

function tellCrc(
  rule: 'pac.header-crc' | 'pac.content-crc',
  offset: number,
  expected: number,
  found: number,
  report: Report,
): void {
  const digits = (crc: number) => crc.toString(16).toUpperCase().padStart(4, '0');
  report(rule, 'the CRC-16 of the bytes is another', {
    offset,
    expected: digits(expected),
    found: digits(found),
  });
}

/** What the download tool cannot work without, and files that are announced but empty. */
function checkParts(entries: readonly Entry[], report: Report): void {
  for (const [part, what] of [
    ['FDL', 'no flash download loader (FDL): nothing can write the other files'],
    ['NV', 'no NV data: the module keeps the calibration of another firmware'],
  ] as const) {
    if (!entries.some(({ id }) => id.toUpperCase().includes(part))) {
      report('pac.missing-part', what, { offset: headerAt.count, expected: part });
    }
  }
  for (const entry of entries) {
    if (entry.flag !== 1 || entry.sizeBytes > 0) continue;
    const member = nameOf(entry);
    report('pac.empty-file', `"${member}" has 0 bytes`, {
      offset: entry.headerAt + entryAt.sizeLow,
      member,
    });
  }
}

function nameOf({ id, fileName }: Entry): string {
  return fileName === '' ? id : fileName;
}

function listOf(entries: readonly Entry[]): string {
  const shown = entries.slice(0, 8).map((entry) => (entry.id === '' ? entry.fileName : entry.id));
  return shown.join(', ') + (entries.length > shown.length ? ', …' : '');
}

/** A number whose high and low 32 bits stand apart. */
function wide(view: DataView, highAt: number, lowAt: number): number {
  return view.getUint32(highAt, true) * 2 ** 32 + view.getUint32(lowAt, true);
}

/** UTF-16LE up to the first NUL; what cannot be shown becomes "?". */
function text(bytes: Uint8Array, at: number, length: number): string {
  const view = viewOf(bytes.subarray(at, at + length));
  let value = '';
  for (let index = 0; index + 2 <= length; index += 2) {
    const unit = view.getUint16(index, true);
    if (unit === 0) break;
    value += unit < 0x20 || (unit >= 0x7f && unit < 0xa0) ? '?' : String.fromCharCode(unit);
  }
  return value;
}
