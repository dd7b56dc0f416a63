import { compareWithDescribed } from '../../../shared/domain/identity/described-version.ts';
import { ByteStream } from '../../../shared/formats/byte-stream.ts';
import type { Segment } from '../../../shared/formats/image-builder.ts';
import { IntelHexReader } from '../../../shared/formats/intel-hex.ts';
import type { Report } from '../../../shared/formats/report.ts';
import { SRecordReader } from '../../../shared/formats/s-record.ts';
import { sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import { isPackDescription, readPackDescription } from './cmsis-pack.ts';
import { isOpaque } from './file-types.ts';
import { readGzip } from './gzip.ts';
import { readableImages, readImage } from './image-readers.ts';
import { checkMcuboot } from './mcuboot-check.ts';
import { checkRawImage, checkSegments } from './memory-fit.ts';
import { readPythonScript } from './python-script.ts';
import { readRar } from './rar.ts';
import { type FormatReader, nothingKnown, type Reading } from './reading.ts';
import { readTarMembers } from './tar-members.ts';
import type { DescribedVersion } from './version-check.ts';
import { readZip } from './zip.ts';

const opaque: FormatReader = {
  search: 'bytes',
  read: async (_source, { name, findings }) => {
    findings.add('file.opaque', `"${name}": vendor format without a public description`);
    return nothingKnown;
  },
};

const rawImage: FormatReader = {
  search: 'bytes',
  stream: async (chunks, { expectations: { component, memory = [] }, findings }) => {
    const stream = new ByteStream(chunks);
    const head = await stream.peek(sniffHeadBytes);
    await stream.skip();
    const regions = component === 'mcu' ? memory : [];
    checkRawImage(head, stream.offset, regions, findings.add);
    return nothingKnown;
  },
};

/** Text: only the name can promise more. */
const text: FormatReader = { search: 'bytes' };
const script: FormatReader = { search: 'bytes', read: readPythonScript };
const packDescription: FormatReader = { search: 'bytes', read: readPackDescription };

/** Formats that break the content into blocks: only the reader can join them. */
const inBlocks = new Set(['uf2']);

const image = (format: string): FormatReader => ({
  search: inBlocks.has(format) ? 'content' : 'bytes',
  read: async (source, { expectations, findings, onContent }) => {
    const { version: declared, chip, component, memory = [] } = expectations;
    const target = { memory, ...(chip ? { chip } : {}), ...(component ? { component } : {}) };
    const facts = await readImage(format, source, target, findings, onContent);
    if (facts === null) return nothingKnown;
    const { segments, compressed, version } = facts;
    const identity = { ...facts.identity, ...(version === undefined ? {} : { version }) };
    const saysSomething = Object.keys(identity).length > 0;
    const inside = { segments, compressed, ...(saysSomething ? { identity } : {}) };
    if (version === undefined || declared === undefined) return inside;
    const described = {
      detail: `the image's descriptor says "${version}"`,
      evidence: { expected: declared, found: version },
      relation: compareWithDescribed(declared, version),
    };
    return { ...inside, version: described };
  },
});

const mcuboot: FormatReader = {
  search: 'bytes',
  read: (source, { expectations, findings }) => checkMcuboot(source, expectations, findings),
};

type RecordReader = new (
  report: Report,
  onData: (bytes: Uint8Array) => void,
) => SRecordReader | IntelHexReader;

/** The S0 record often holds the name of the file that the records were made from, with its version. */
function versionOfHeader(
  header: string | null,
  { expectations: { version: declared }, findings }: Reading,
): DescribedVersion | undefined {
  if (header === null || declared === undefined) return undefined;
  const detail = `the S0 record says "${header}"`;
  const evidence = { expected: declared, found: header };
  const relation = compareWithDescribed(declared, header);
  if (relation === 'other') findings.add('s-record.header-version', detail, evidence);
  return relation !== 'other' && header.includes(declared)
    ? { detail, evidence, relation: 'same' }
    : undefined;
}

const records = (Reader: RecordReader): FormatReader => ({
  search: 'content',
  decodesInMemory: true,
  stream: async (chunks, reading) => {
    const { format, expectations, findings, onContent } = reading;
    const { memory = [] } = expectations;
    const reader = new Reader(findings.add, onContent);
    for await (const chunk of chunks) reader.push(chunk);
    const content: { readonly segments: readonly Segment[]; readonly header?: string | null } =
      reader.finish();
    const segments = content.segments.map(({ address, bytes }) => ({
      start: address,
      sizeBytes: bytes.length,
    }));
    if (memory.length > 0) checkSegments(segments, memory, findings.add);
    const dataBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    findings.intact(
      `${format}: ${dataBytes} bytes in ${segments.length} segments, every checksum is right`,
    );
    const version = versionOfHeader(content.header ?? null, reading);
    return { segments, compressed: false, ...(version === undefined ? {} : { version }) };
  },
});

// Their engines are loaded only for a file that needs them: every inspection would wait for that.
const xz: FormatReader = {
  search: 'content',
  holdsMembers: true,
  stream: async (...args) => (await import('./xz.ts')).readXz(...args),
};
const zstd: FormatReader = {
  search: 'content',
  holdsMembers: true,
  stream: async (...args) => (await import('./zstd.ts')).readZstd(...args),
};

/** Every format that {@link sniff} tells, and how its content is checked. */
const table: ReadonlyMap<string, FormatReader> = new Map([
  ...[...readableImages].map((format) => [format, image(format)] as const),
  ['s-record', records(SRecordReader)],
  ['intel-hex', records(IntelHexReader)],
  ['tar', { search: 'content', holdsMembers: true, stream: readTarMembers }],
  ['gzip', { search: 'content', holdsMembers: true, stream: readGzip }],
  ['xz', xz],
  ['zstd', zstd],
  ['zip', { search: 'content', holdsMembers: true, read: readZip }],
  ['rar', { search: 'content', holdsMembers: true, read: readRar }],
  ['mcuboot', mcuboot],
  ['cortex-m', rawImage],
  ['unknown', rawImage],
  ['empty', text],
  ['text', text],
  ['python', text],
]);

/** How content of a format is checked; a name that only its vendor understands comes first. */
export function readerOf(name: string, format: string): FormatReader {
  const reader = isOpaque(name, format)
    ? opaque
    : (readerOfText(name, format) ?? table.get(format));
  if (reader === undefined) throw new Error(`no reader for format ${format}`);
  return reader;
}

function readerOfText(name: string, format: string): FormatReader | undefined {
  if (format !== 'text' && format !== 'python') return undefined;
  if (/\.py$/i.test(name)) return script;
  return isPackDescription(name) ? packDescription : undefined;
}
