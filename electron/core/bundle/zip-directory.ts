import {
  type Entry,
  fromRandomAccessReaderPromise,
  type LocalFileHeader,
  RandomAccessReader,
  type ZipFile,
} from 'yauzl';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { foldedName, unsafeNameReason } from '../../../shared/formats/member-name.ts';
import type { Evidence, Report } from '../../../shared/formats/report.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { checkZipEnd } from './zip-end.ts';

const mostMembers = 10_000;
const mostDirectoryBytes = 16 * 1024 * 1024;
const symbolicLink = 0xa000;
const fileTypeMask = 0xf000;
const encryptedFlag = 1;
const descriptorFlag = 8;
const zip64Field = 1;
/** 6.3, of APPNOTE 6.3.10. */
const newestVersion = 63;
const longestDescriptorBytes = 24;

/** What a message of yauzl 3 means in our rules; the first match counts. */
const meanings: readonly (readonly [RegExp, BundleRuleId])[] = [
  [/multi-disk/i, 'zip.multi-disk'],
  [/encrypt/i, 'zip.encrypted'],
  [/comment length|extra bytes/i, 'zip.trailing'],
  [/absolute path|relative path|invalid characters/i, 'zip.unsafe-name'],
  [/compression method/i, 'zip.method'],
  [/truncated|unexpected EOF|overflows file bounds/i, 'zip.truncated'],
];

/** A member whose headers are in order. */
export interface ZipMember {
  readonly name: string;
  readonly isFolder: boolean;
  readonly isDeflated: boolean;
  readonly crc32: number;
  readonly packedBytes: number;
  readonly sizeBytes: number;
  /** Of the local header. */
  readonly start: number;
  readonly dataStart: number;
  /** Whether CRC-32 and sizes are repeated behind the data. */
  readonly hasDescriptor: boolean;
}

/** Lets yauzl read from a source, and keeps why reading failed: that is not about the file. */
class SourceReader extends RandomAccessReader {
  readonly #source: ByteSource;
  failure: unknown;

  constructor(source: ByteSource) {
    super();
    this.#source = source;
  }

  override read(
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    callback: (error: Error | null) => void,
  ): void {
    const done = (bytes: Uint8Array): void => {
      buffer.set(bytes, offset);
      callback(bytes.length < length ? new Error('unexpected EOF') : null);
    };
    this.#source.read(position, length).then(done, (error: unknown) => {
      this.failure = error;
      callback(error as Error);
    });
  }
}

/**
 * Reads the directory and the local headers of a zip: structure by yauzl, and on top agreement of
 * local and central headers and of the end record, duplicates, overlaps and hidden bytes. Returns
 * the members in file order, or null after a blocking report. Source: PKWARE APPNOTE 6.3.10.
 */
export async function readZipDirectory(
  source: ByteSource,
  report: Report,
): Promise<readonly ZipMember[] | null> {
  let isBlocked = false;
  const block: Report = (rule, detail, evidence) => {
    isBlocked = true;
    report(rule, detail, evidence);
  };
  const reader = new SourceReader(source);
  let zip: ZipFile | undefined;
  try {
    zip = await fromRandomAccessReaderPromise(reader, source.sizeBytes, {
      lazyEntries: true,
      autoClose: false,
      strictFileNames: true,
      validateEntrySizes: true,
    });
    const { members, directoryBytes } = await readMembers(zip, block);
    members.sort((a, b) => a.start - b.start);
    checkOverlaps(members, block);
    if (isBlocked) return null;
    if (members.length === 0) report('zip.no-members', 'no member in the directory');
    const counted = { members: members.length, directoryBytes, commentBytes: zip.comment.length };
    tellGaps(members, await checkZipEnd(source, counted, block), report);
    return isBlocked ? null : members;
  } catch (error) {
    if (reader.failure !== undefined) throw reader.failure;
    tellError(error, report);
    return null;
  } finally {
    zip?.close();
  }
}

function tellError(error: unknown, report: Report, evidence: Evidence = {}): void {
  const { message } = error as Error;
  const rule = meanings.find(([pattern]) => pattern.test(message))?.[1] ?? 'zip.damaged';
  report(rule, message, evidence);
}

async function readMembers(
  zip: ZipFile,
  report: Report,
): Promise<{ readonly members: ZipMember[]; readonly directoryBytes: number }> {
  const members: ZipMember[] = [];
  const names = new Set<string>();
  let directoryBytes = 0;
  let entries = 0;
  for await (const entry of zip.eachEntry()) {
    const { fileName: name, relativeOffsetOfLocalHeader: offset } = entry;
    const evidence = { offset, member: name };
    directoryBytes += 46 + entry.fileNameLength + entry.extraFieldLength + entry.fileCommentLength;
    entries += 1;
    // Entries without a member count too: each costs a look for its local header.
    if (entries > mostMembers || directoryBytes > mostDirectoryBytes) {
      const over =
        entries > mostMembers
          ? `${mostMembers} members`
          : `${mostDirectoryBytes} bytes of directory`;
      report('archive.limit', `zip: over ${over}`, evidence);
      break;
    }
    const unsafe = unsafeNameReason(name);
    if (unsafe !== null) report('zip.unsafe-name', `"${name}": ${unsafe}`, evidence);
    const folded = foldedName(name);
    if (names.has(folded)) report('zip.duplicate', `"${name}" appears again`, evidence);
    names.add(folded);
    if (((entry.externalFileAttributes >>> 16) & fileTypeMask) === symbolicLink) {
      report('zip.link', `"${name}" is a symbolic link`, evidence);
    }
    if (entry.isEncrypted()) report('zip.encrypted', `"${name}"`, evidence);
    if (entry.compressionMethod !== 0 && entry.compressionMethod !== 8) {
      report('zip.method', `"${name}": method ${entry.compressionMethod}`, evidence);
    }
    const version = entry.versionNeededToExtract & 0xff;
    if (version > newestVersion) {
      const found = `${Math.floor(version / 10)}.${version % 10}`;
      report('zip.method', `"${name}" needs version ${found} of the format`, evidence);
    }
    const member = await readLocalHeader(zip, entry, report);
    if (member !== null) members.push(member);
  }
  return { members, directoryBytes };
}

/** The local header must say what the central directory says: readers differ in which they trust. */
async function readLocalHeader(
  zip: ZipFile,
  entry: Entry,
  report: Report,
): Promise<ZipMember | null> {
  const { fileName: name, relativeOffsetOfLocalHeader: start, crc32 } = entry;
  const { compressedSize: packedBytes, uncompressedSize: sizeBytes } = entry;
  const evidence = { offset: start, member: name };
  try {
    const local = await zip.readLocalFileHeaderPromise(entry);
    const hasDescriptor = (local.generalPurposeBitFlag & descriptorFlag) !== 0;
    const pairs: [field: string, central: string | number, local: string | number][] = [
      ['name', entry.fileNameRaw.toString('latin1'), local.fileName.toString('latin1')],
      ['method', entry.compressionMethod, local.compressionMethod],
      [
        'encryption flag',
        entry.generalPurposeBitFlag & encryptedFlag,
        local.generalPurposeBitFlag & encryptedFlag,
      ],
    ];
    const sizes = localSizes(local);
    if (!hasDescriptor) {
      pairs.push(['CRC-32', crc32, local.crc32]);
      pairs.push(['packed size', packedBytes, sizes.packed], ['size', sizeBytes, sizes.unpacked]);
    }
    for (const [field, central, found] of pairs) {
      if (central === found) continue;
      report('zip.header-mismatch', `"${name}": ${field} differs from the directory`, {
        ...evidence,
        expected: String(central),
        found: String(found),
      });
    }
    return {
      name,
      isFolder: name.endsWith('/'),
      isDeflated: entry.compressionMethod === 8,
      crc32,
      packedBytes,
      sizeBytes,
      start,
      dataStart: local.fileDataStart,
      hasDescriptor,
    };
  } catch (error) {
    tellError(error, report, evidence);
    return null;
  }
}

/** Sizes of a local header; those of a zip64 member stand in its extra field (APPNOTE 4.5.3). @throws Error when that one is broken */
function localSizes(local: LocalFileHeader): { unpacked: number; packed: number } {
  const sizes = { unpacked: local.uncompressedSize, packed: local.compressedSize };
  const { extraField } = local;
  for (let at = 0; at + 4 <= extraField.length; ) {
    const size = extraField.readUInt16LE(at + 2);
    if (at + 4 + size > extraField.length) throw new Error('a local extra field is not whole');
    const field = extraField.subarray(at + 4, at + 4 + size);
    if (extraField.readUInt16LE(at) === zip64Field) {
      let from = 0;
      for (const key of ['unpacked', 'packed'] as const) {
        if (sizes[key] !== 0xffff_ffff || from + 8 > field.length) continue;
        sizes[key] = Number(field.readBigUInt64LE(from));
        from += 8;
      }
    }
    at += 4 + size;
  }
  return sizes;
}

/** Members must stand one behind the other, from the beginning of the file. */
function checkOverlaps(members: readonly ZipMember[], block: Report): void {
  const first = members[0]?.start ?? 0;
  if (first > 0) {
    block('zip.trailing', `${first} bytes stand before the first member`, { offset: 0 });
  }
  let end = 0;
  for (const { name, start, dataStart, packedBytes } of members) {
    if (start < end) {
      const values = { expected: `${end} or later`, found: String(start) };
      const evidence = { offset: start, member: name, ...values };
      block('zip.overlap', `"${name}" begins inside another member`, evidence);
    }
    end = Math.max(end, dataStart + packedBytes);
  }
}

/** Bytes between members, or between the last one and the directory, are seen by nobody. */
function tellGaps(members: readonly ZipMember[], directoryStart: number, warn: Report): void {
  for (const [index, { dataStart, packedBytes, hasDescriptor }] of members.entries()) {
    // No header tells which form a descriptor has: 12 to 24 bytes.
    const end = dataStart + packedBytes + (hasDescriptor ? longestDescriptorBytes : 0);
    const gap = (members[index + 1]?.start ?? directoryStart) - end;
    if (gap > 0) warn('zip.hidden', `${gap} bytes belong to no member`, { offset: end });
  }
}
