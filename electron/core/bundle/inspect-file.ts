import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import {
  type ImageSegment,
  type InspectedFile,
  maxListedSegments,
} from '../../../shared/domain/finding.ts';
import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import { hasMagic, recogniseDescribed } from '../../../shared/formats/described-format.ts';
import { hexText } from '../../../shared/formats/image-facts.ts';
import { IntelHexReader } from '../../../shared/formats/intel-hex.ts';
import { readRar } from '../../../shared/formats/rar.ts';
import { hexByte } from '../../../shared/formats/report.ts';
import { SRecordReader } from '../../../shared/formats/s-record.ts';
import { sniff, sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import { TarReader } from '../../../shared/formats/tar.ts';
import { ScriptScan, UniformScan, VersionScan } from './content-scan.ts';
import { checkDescribed } from './described-check.ts';
import { fileSource, readChunks } from './file-source.ts';
import {
  contradiction,
  isAllowedType,
  isOpaque,
  notSearchable,
  recognisedOnly,
} from './file-types.ts';
import { FindingList } from './finding-list.ts';
import { readGzip } from './gzip.ts';
import {
  abortableSource,
  checkDescribedVersion,
  readableImages,
  readImage,
} from './image-readers.ts';
import { checkMcuboot } from './mcuboot-check.ts';
import { checkRawImage, checkSegments, type MemoryRegion } from './memory-fit.ts';
import { SecretScan } from './secret-scan.ts';
import { readZip } from './zip.ts';

const largeFileBytes = 100_000_000;
const tailBytes = 512;
/** Bytes of the beginning that are kept, to compare them with those of later versions. */
const headBytes = 32;

/** What is known about the package that the file is to be part of. */
export interface FileExpectations {
  readonly fileTypes: readonly string[];
  readonly version?: string;
  readonly component?: 'module' | 'mcu';
  readonly memory?: readonly MemoryRegion[];
  /** Chip of the component, as slipway.yaml names it. */
  readonly chip?: string;
  /** Formats that slipway.yaml describes. */
  readonly formats?: readonly DescribedFormat[];
}

/** How far reading came, and when to stop. */
export interface ReadControl {
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
}

/** An inspected file, and whether the declared version was searched for and found. */
export interface FileResult {
  readonly file: InspectedFile;
  readonly findings: FindingList;
  readonly versionSearch: 'found' | 'not-found' | 'not-searched';
}

/** What the format's own checks tell besides their findings. */
interface Inside {
  readonly segments: readonly ImageSegment[];
  /** Version that the image's descriptor carries. */
  readonly version?: string;
  /** Whether the content is compressed, so that no text can be found in it. */
  readonly compressed: boolean;
}

const nothingKnown: Inside = { segments: [], compressed: false };

/** Readers that get their bytes while the file is hashed. */
interface StreamReaders {
  readonly records: SRecordReader | IntelHexReader | undefined;
  readonly tar: TarReader | undefined;
  readonly script: ScriptScan | undefined;
  /** Whether the content lies in blocks that only its reader can join. */
  readonly inBlocks: boolean;
  readonly version: VersionScan | undefined;
  readonly secrets: SecretScan | undefined;
}

/** Reads a file once in windows of 1 MiB, hashes it and runs every check that its format has. */
export async function inspectFile(
  path: string,
  name: string,
  expectations: FileExpectations,
  control: ReadControl,
): Promise<FileResult> {
  const handle = await open(path, 'r');
  try {
    return await inspectOpenFile(handle, path, name, expectations, control);
  } finally {
    await handle.close();
  }
}

async function inspectOpenFile(
  handle: FileHandle,
  path: string,
  name: string,
  expectations: FileExpectations,
  control: ReadControl,
): Promise<FileResult> {
  const { size: sizeBytes } = await handle.stat();
  const source = fileSource(handle, sizeBytes);
  const head = await source.read(0, sniffHeadBytes);
  const tail = await source.read(Math.max(0, sizeBytes - tailBytes), tailBytes);
  const described =
    sizeBytes === 0 ? null : await recogniseDescribed(name, source, expectations.formats ?? []);
  // What only has the extension of a described format is checked as what it is.
  const isDescribed = described !== null && (await hasMagic(source, described));
  const format = isDescribed ? described.name : sizeBytes === 0 ? 'empty' : sniff(head, tail);
  const findings = new FindingList();
  checkNameAndSize(name, isDescribed ? null : format, sizeBytes, expectations.fileTypes, findings);
  const deep = sizeBytes > 0 && sizeBytes <= maxFileSizeBytes;

  const searchable = deep && expectations.version !== undefined && !notSearchable.has(format);
  const version = searchable ? new VersionScan(expectations.version ?? '') : undefined;
  const secrets = deep ? new SecretScan() : undefined;
  const onData = (bytes: Uint8Array): void => {
    version?.push(bytes);
    secrets?.push(bytes);
  };
  const onMemberEnd = (member: string): void => secrets?.endPiece(member);
  const readers: StreamReaders = {
    records: deep ? recordReader(format, findings, onData) : undefined,
    tar: deep && format === 'tar' ? new TarReader(findings.add, onData, onMemberEnd) : undefined,
    script: deep && /\.py$/i.test(name) ? new ScriptScan() : undefined,
    inBlocks: format === 'uf2',
    version,
    secrets,
  };
  const sha256 = await readOnce(handle, format, readers, findings, control);
  let inside = nothingKnown;
  if (deep && described !== null) {
    const { version } = await checkDescribed(
      abortableSource(source, control.signal),
      described,
      findings,
    );
    if (version !== undefined) inside = { ...nothingKnown, version };
  }
  if (deep && !isDescribed) {
    inside = await checkInside(handle, path, name, format, sizeBytes, head, readers, expectations, {
      findings,
      control,
    });
  }
  const sameVersion =
    deep && format === 'mcuboot'
      ? await checkMcuboot(source, expectations.version, findings, control.signal)
      : null;
  secrets?.endPiece();
  secrets?.tell(findings.add);
  version?.endPiece();
  const versionSearch =
    sameVersion === null
      ? checkVersion(expectations.version, version, inside, findings)
      : sameVersion
        ? 'found'
        : 'not-searched';
  findings.add('file.hash', `${sizeBytes} bytes, SHA-256 ${sha256}`);
  const { segments } = inside;
  return {
    file: {
      name,
      sizeBytes,
      sha256,
      format,
      head: hexText(head.subarray(0, headBytes)),
      ...(segments.length > 0 ? { segments: segments.slice(0, maxListedSegments) } : {}),
      findings: [],
    },
    findings,
    versionSearch,
  };
}

/** The image's own descriptor decides; where it has none or is unclear, the text of the content. */
function checkVersion(
  declared: string | undefined,
  scan: VersionScan | undefined,
  { version: described, compressed }: Inside,
  findings: FindingList,
): FileResult['versionSearch'] {
  if (declared === undefined || scan === undefined) return 'not-searched';
  if (described !== undefined) {
    const decided = checkDescribedVersion(declared, described, findings);
    if (decided === 'same') return 'found';
    // The mismatch is told: a second finding that nothing was found would only repeat it.
    if (decided === 'other') return 'not-searched';
  }
  if (scan.hit === null) return compressed ? 'not-searched' : 'not-found';
  findings.add('identity.version-found', `"${declared}" is in the content`, { offset: scan.hit });
  return 'found';
}

function checkNameAndSize(
  name: string,
  /** Null when nothing is known of what a name promises about it. */
  format: string | null,
  sizeBytes: number,
  fileTypes: readonly string[],
  findings: FindingList,
): void {
  if (!isAllowedType(name, fileTypes)) {
    findings.add('file.type-not-allowed', `"${name}" has none of the allowed extensions`, {
      expected: fileTypes.join(' '),
      found: name,
    });
  }
  if (sizeBytes === 0) findings.add('file.empty', `"${name}" has 0 bytes`);
  if (sizeBytes > maxFileSizeBytes) {
    findings.add('file.too-large', `"${name}": only its SHA-256 was computed`, {
      expected: `at most ${maxFileSizeBytes} bytes`,
      found: `${sizeBytes} bytes`,
    });
  } else if (sizeBytes > largeFileBytes) {
    findings.add('file.large', `"${name}" has ${sizeBytes} bytes`, {
      expected: `at most ${largeFileBytes} bytes`,
      found: `${sizeBytes} bytes`,
    });
  }
  const promised = sizeBytes === 0 || format === null ? null : contradiction(name, format);
  if (promised !== null && format !== null) {
    findings.add(
      'file.type-mismatch',
      `"${name}" should be ${promised}, its content is ${format}`,
      {
        offset: 0,
        expected: promised,
        found: format,
      },
    );
  }
}

function recordReader(
  format: string,
  findings: FindingList,
  onData: (bytes: Uint8Array) => void,
): SRecordReader | IntelHexReader | undefined {
  if (format === 's-record') return new SRecordReader(findings.add, onData);
  return format === 'intel-hex' ? new IntelHexReader(findings.add, onData) : undefined;
}

async function readOnce(
  handle: FileHandle,
  format: string,
  readers: StreamReaders,
  findings: FindingList,
  control: ReadControl,
): Promise<string> {
  const hash = createHash('sha256');
  const uniform = new UniformScan();
  const raw = readers.records === undefined && readers.tar === undefined && !readers.inBlocks;
  // Their members are searched when they are unpacked.
  const packed = format === 'gzip' || format === 'zip';
  for await (const chunk of readChunks(handle)) {
    control.signal.throwIfAborted();
    hash.update(chunk);
    uniform.push(chunk);
    readers.records?.push(chunk);
    readers.tar?.push(chunk);
    readers.script?.push(chunk);
    if (raw) readers.version?.push(chunk);
    if (raw && !packed) readers.secrets?.push(chunk);
    control.onBytes(chunk.length);
  }
  const value = uniform.result();
  if (value === 0 || value === 0xff) {
    findings.add(value === 0 ? 'file.all-00' : 'file.all-ff', `every byte is ${hexByte(value)}`, {
      offset: 0,
    });
  }
  return hash.digest('hex');
}

/** Runs the checks of the format; answers what an image tells about itself. */
async function checkInside(
  handle: FileHandle,
  path: string,
  name: string,
  format: string,
  sizeBytes: number,
  head: Uint8Array,
  readers: StreamReaders,
  expectations: FileExpectations,
  { findings, control }: { readonly findings: FindingList; readonly control: ReadControl },
): Promise<Inside> {
  const memory = expectations.memory ?? [];
  const intact = (what: string): void => {
    if (!findings.blocked) findings.add('container.integrity', what);
  };
  if (readers.script !== undefined) {
    const { notTextAt, conflictLine } = readers.script.finish();
    if (notTextAt !== null) findings.add('script.not-text', `"${name}"`, { offset: notTextAt });
    if (conflictLine !== null) findings.add('script.conflict', `line ${conflictLine}`);
  }
  if (readers.records !== undefined) {
    const { segments } = readers.records.finish();
    const ranges = segments.map(({ address, bytes }) => ({
      start: address,
      sizeBytes: bytes.length,
    }));
    checkMemory(ranges, memory, findings);
    const dataBytes = ranges.reduce((sum, range) => sum + range.sizeBytes, 0);
    intact(`${format}: ${dataBytes} bytes in ${segments.length} segments, every checksum is right`);
    return { segments: ranges, compressed: false };
  }
  if (readers.tar !== undefined) {
    const members = readers.tar.finish();
    intact(`tar: ${members} members, every header checksum is right`);
  } else if (format === 'gzip') {
    const tar = /\.(tar\.gz|tgz)$/i.test(name) ? new GzippedTar(findings, readers) : null;
    const onData = (bytes: Buffer): void => {
      if (tar !== null) return tar.push(bytes);
      readers.version?.push(bytes);
      readers.secrets?.push(bytes);
    };
    const unpacked = await readGzip(handle, sizeBytes, findings.add, onData, control.signal);
    if (unpacked !== null) {
      tar?.finish();
      intact(`gzip: ${unpacked} bytes unpacked, CRC-32 and length are right`);
    }
  } else if (format === 'zip') {
    const onData = (bytes: Buffer): void => {
      readers.version?.push(bytes);
      readers.secrets?.push(bytes);
    };
    const onEnd = (member: string): void => {
      readers.version?.endPiece();
      readers.secrets?.endPiece(member);
    };
    readers.version?.endPiece();
    const members = await readZip(path, findings.add, onData, onEnd, control.signal);
    if (members !== null) intact(`zip: ${members} members, every CRC-32 is right`);
  } else if (format === 'rar') {
    const files = await readRar(fileSource(handle, sizeBytes), findings.add);
    if (files !== null) {
      findings.add('file.opaque', `rar: ${files} headers are right; the members are not unpacked`);
    }
  } else if (readableImages.has(format)) {
    const { chip, component } = expectations;
    const source = abortableSource(fileSource(handle, sizeBytes), control.signal);
    const target = { memory, ...(chip ? { chip } : {}), ...(component ? { component } : {}) };
    const onData = (bytes: Uint8Array): void => readers.version?.push(bytes);
    return (await readImage(format, source, target, findings, onData)) ?? nothingKnown;
  } else if (recognisedOnly.has(format)) {
    findings.add('format.not-checked', `recognised as ${format}`, { offset: 0 });
  } else if (isOpaque(name, format)) {
    findings.add('file.opaque', `"${name}": vendor format without a public description`);
  } else if (format === 'unknown' || format === 'cortex-m') {
    const regions = expectations.component === 'mcu' ? memory : [];
    checkRawImage(head, sizeBytes, regions, findings.add);
  }
  return nothingKnown;
}

function checkMemory(
  segments: readonly ImageSegment[],
  memory: readonly MemoryRegion[],
  findings: FindingList,
): void {
  if (memory.length > 0) checkSegments(segments, memory, findings.add);
}

/** Feeds the content of a .tar.gz to the tar reader once its beginning shows that it is one. */
class GzippedTar {
  readonly #findings: FindingList;
  readonly #tar: TarReader;
  #head: Buffer | undefined = Buffer.alloc(0);
  #isTar = false;

  constructor(findings: FindingList, { version, secrets }: StreamReaders) {
    this.#findings = findings;
    const onData = (bytes: Uint8Array): void => {
      version?.push(bytes);
      secrets?.push(bytes);
    };
    this.#tar = new TarReader(findings.add, onData, (member) => secrets?.endPiece(member));
  }

  push(bytes: Buffer): void {
    if (this.#head !== undefined) {
      this.#head = Buffer.concat([this.#head, bytes]);
      if (this.#head.length >= tailBytes) this.#decide();
    } else if (this.#isTar) this.#tar.push(bytes);
  }

  finish(): void {
    this.#decide();
    if (this.#isTar) this.#tar.finish();
  }

  #decide(): void {
    if (this.#head === undefined) return;
    const format = sniff(this.#head.subarray(0, sniffHeadBytes));
    this.#isTar = format === 'tar';
    if (this.#isTar) this.#tar.push(this.#head);
    else {
      this.#findings.add('gzip.not-tar', `the unpacked content is ${format}`, {
        expected: 'tar',
        found: format,
      });
    }
    this.#head = undefined;
  }
}
