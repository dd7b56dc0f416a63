import { Readable } from 'node:stream';
import { crc32 } from 'node:zlib';
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { foldedName, unsafeNameReason } from '../../../shared/formats/member-name.ts';
import { readRange } from '../../../shared/formats/image-facts.ts';
import type { Report } from '../../../shared/formats/report.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { isBomb } from './limits.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

const mostMembers = 10_000;
const symbolicLink = 0xa000;
const fileTypeMask = 0xf000;
const encryptedFlag = 1;
const descriptorFlag = 8;

/** What a message of yauzl 3 means in our rules; the first match counts. */
const meanings: readonly (readonly [RegExp, BundleRuleId])[] = [
  [/multi-disk/i, 'zip.multi-disk'],
  [/encrypt/i, 'zip.encrypted'],
  [/comment length|extra bytes/i, 'zip.trailing'],
  [/absolute path|relative path|invalid characters/i, 'zip.unsafe-name'],
  [/compression method/i, 'zip.method'],
  [/truncated|unexpected EOF|overflows file bounds|Z_BUF_ERROR|unexpected end/i, 'zip.truncated'],
];

interface Member {
  readonly entry: Entry;
  readonly start: number;
  readonly end: number;
}

/** Lets yauzl read from a source. */
class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return Readable.from(readRange(this.#source, start, end));
  }
}

/** Reads a zip and hands on the content of its members. */
export async function readZipMembers(source: ByteSource, reading: Reading): Promise<Inside> {
  const { findings, onContent, onMemberEnd, signal } = reading;
  const members = await readZip(source, findings.add, onContent, onMemberEnd, signal);
  if (members !== null) findings.intact(`zip: ${members} members, every CRC-32 is right`);
  return nothingKnown;
}

/**
 * Reads every member of a zip without writing anything: structure by yauzl, and on top CRC-32,
 * agreement of local and central headers, duplicates, overlaps and the unpacked size.
 * Source: PKWARE APPNOTE 6.3.10. Returns the number of members, or null after a blocking report.
 */
async function readZip(
  source: ByteSource,
  report: Report,
  onData: (bytes: Buffer) => void,
  onMemberEnd: (name: string) => void,
  signal: AbortSignal,
): Promise<number | null> {
  let blocked = false;
  const block: Report = (rule, detail, evidence) => {
    blocked = true;
    report(rule, detail, evidence);
  };
  let zip: ZipFile | undefined;
  try {
    zip = await fromRandomAccessReaderPromise(new SourceReader(source), source.sizeBytes, {
      lazyEntries: true,
      autoClose: false,
      strictFileNames: true,
      validateEntrySizes: true,
    });
    const members = await readMembers(zip, block, signal);
    if (members.length === 0 && !blocked) report('zip.no-members', 'no member in the directory');
    checkOverlaps(members, block);
    // Overlapping members are how a small file becomes endless work: do not unpack it.
    if (blocked) return null;
    let totalBytes = 0;
    for (const { entry, start } of members) {
      signal.throwIfAborted();
      totalBytes += entry.uncompressedSize;
      if (isBomb(totalBytes, zip.fileSize)) {
        block('zip.bomb', `${zip.fileSize} bytes unpack to ${totalBytes} bytes or more`, {
          offset: start,
          member: entry.fileName,
        });
        return null;
      }
      await checkData(zip, entry, start, block, onData);
      onMemberEnd(entry.fileName);
    }
    return blocked ? null : members.length;
  } catch (error) {
    signal.throwIfAborted();
    tellError(error, block);
    return null;
  } finally {
    zip?.close();
  }
}

function tellError(error: unknown, report: Report, evidence: Parameters<Report>[2] = {}): void {
  const { code, message } = error as NodeJS.ErrnoException;
  if (['EIO', 'EACCES', 'ENOENT', 'EPERM', 'EMFILE'].includes(code ?? '')) throw error;
  const text = `${code ?? ''} ${message}`;
  const rule = meanings.find(([pattern]) => pattern.test(text))?.[1] ?? 'zip.damaged';
  report(rule, message, evidence);
}

async function readMembers(zip: ZipFile, report: Report, signal: AbortSignal): Promise<Member[]> {
  const members: Member[] = [];
  const names = new Set<string>();
  for await (const entry of zip.eachEntry()) {
    signal.throwIfAborted();
    const evidence = { offset: entry.relativeOffsetOfLocalHeader, member: entry.fileName };
    if (members.length >= mostMembers) {
      report('zip.bomb', `over ${mostMembers} members`, evidence);
      break;
    }
    const unsafe = unsafeNameReason(entry.fileName);
    if (unsafe !== null) report('zip.unsafe-name', `"${entry.fileName}": ${unsafe}`, evidence);
    const folded = foldedName(entry.fileName);
    if (names.has(folded)) report('zip.duplicate', `"${entry.fileName}" appears again`, evidence);
    names.add(folded);
    if (((entry.externalFileAttributes >>> 16) & fileTypeMask) === symbolicLink) {
      report('zip.link', `"${entry.fileName}" is a symbolic link`, evidence);
    }
    if (entry.isEncrypted()) report('zip.encrypted', `"${entry.fileName}"`, evidence);
    if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
      report('zip.method', `"${entry.fileName}": method ${entry.compressionMethod}`, evidence);
    }
    const member = await readLocalHeader(zip, entry, report);
    if (member !== null) members.push(member);
  }
  return members;
}

/** The local header must say what the central directory says: readers differ in which they trust. */
async function readLocalHeader(zip: ZipFile, entry: Entry, report: Report): Promise<Member | null> {
  const offset = entry.relativeOffsetOfLocalHeader;
  const evidence = { offset, member: entry.fileName };
  try {
    const local = await zip.readLocalFileHeaderPromise(entry);
    const hasDescriptor = (local.generalPurposeBitFlag & descriptorFlag) !== 0;
    const zip64 = local.compressedSize === 0xffff_ffff || local.uncompressedSize === 0xffff_ffff;
    const pairs: [field: string, central: string | number, local: string | number][] = [
      ['name', entry.fileNameRaw.toString('latin1'), local.fileName.toString('latin1')],
      ['method', entry.compressionMethod, local.compressionMethod],
      [
        'encryption flag',
        entry.generalPurposeBitFlag & encryptedFlag,
        local.generalPurposeBitFlag & encryptedFlag,
      ],
    ];
    if (!hasDescriptor) {
      pairs.push(['CRC-32', entry.crc32, local.crc32]);
      if (!zip64) {
        pairs.push(['packed size', entry.compressedSize, local.compressedSize]);
        pairs.push(['size', entry.uncompressedSize, local.uncompressedSize]);
      }
    }
    for (const [field, central, found] of pairs) {
      if (central === found) continue;
      report('zip.header-mismatch', `"${entry.fileName}": ${field} differs from the directory`, {
        ...evidence,
        expected: String(central),
        found: String(found),
      });
    }
    return { entry, start: offset, end: local.fileDataStart + entry.compressedSize };
  } catch (error) {
    tellError(error, report, evidence);
    return null;
  }
}

function checkOverlaps(members: readonly Member[], report: Report): void {
  const sorted = [...members].sort((a, b) => a.start - b.start);
  if (sorted[0] !== undefined && sorted[0].start > 0) {
    report('zip.trailing', `${sorted[0].start} bytes stand before the first member`, { offset: 0 });
  }
  let end = 0;
  for (const member of sorted) {
    if (member.start < end) {
      report('zip.overlap', `"${member.entry.fileName}" begins inside another member`, {
        offset: member.start,
        member: member.entry.fileName,
        expected: `${end} or later`,
        found: String(member.start),
      });
    }
    end = Math.max(end, member.end);
  }
}

async function checkData(
  zip: ZipFile,
  entry: Entry,
  offset: number,
  report: Report,
  onData: (bytes: Buffer) => void,
): Promise<void> {
  let sum = 0;
  const evidence = { offset, member: entry.fileName };
  try {
    const stream = await zip.openReadStreamPromise(entry);
    for await (const bytes of stream as AsyncIterable<Buffer>) {
      sum = crc32(bytes, sum);
      onData(bytes);
    }
  } catch (error) {
    tellError(error, (rule, detail) => {
      const inside = rule === 'zip.truncated' ? 'zip.damaged' : rule;
      report(inside, `"${entry.fileName}": ${detail}`, evidence);
    });
    return;
  }
  if (sum !== entry.crc32) {
    report('zip.crc', `"${entry.fileName}": CRC-32`, {
      ...evidence,
      expected: entry.crc32.toString(16).padStart(8, '0'),
      found: sum.toString(16).padStart(8, '0'),
    });
  }
}
