import { IntelHexReader } from '../../../shared/formats/intel-hex.ts';
import { readRar } from '../../../shared/formats/rar.ts';
import type { Report } from '../../../shared/formats/report.ts';
import { SRecordReader } from '../../../shared/formats/s-record.ts';
import { sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import { isOpaque, recognisedOnly } from './file-types.ts';
import { readGzipContent } from './gzip.ts';
import { readableImages, readImage } from './image-readers.ts';
import { checkMcuboot } from './mcuboot-check.ts';
import { checkRawImage, checkSegments } from './memory-fit.ts';
import { type FormatReader, nothingKnown } from './reading.ts';
import { readTarMembers } from './tar-members.ts';
import { compareVersions } from './version-check.ts';
import { readZipMembers } from './zip.ts';

/** Formats whose bytes are compressed: no version can be found in them. */
const compressed = new Set(['xz', 'zstd', 'bsdiff40', 'bsdiff43', 'vcdiff', 'hdiff']);

/** A format that is recognised by its signature only. */
const recognised = (format: string): FormatReader => ({
  search: compressed.has(format) ? 'compressed' : 'bytes',
  read: async (_source, { findings }) => {
    findings.add('format.not-checked', `recognised as ${format}`, { offset: 0 });
    return nothingKnown;
  },
});

const opaque: FormatReader = {
  search: 'bytes',
  read: async (_source, { name, findings }) => {
    findings.add('file.opaque', `"${name}": vendor format without a public description`);
    return nothingKnown;
  },
};

const rawImage: FormatReader = {
  search: 'bytes',
  read: async (source, { expectations: { component, memory = [] }, findings }) => {
    const head = await source.read(0, sniffHeadBytes);
    const regions = component === 'mcu' ? memory : [];
    checkRawImage(head, source.sizeBytes, regions, findings.add);
    return nothingKnown;
  },
};

/** Text: only the name can promise more, and the pipeline checks scripts by their name. */
const text: FormatReader = { search: 'bytes' };

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
    if (version === undefined || declared === undefined) return { segments, compressed };
    const described = {
      detail: `the image's descriptor says "${version}"`,
      evidence: { expected: declared, found: version },
      relation: compareVersions(declared, version),
    };
    return { segments, compressed, version: described };
  },
});

const mcuboot: FormatReader = {
  search: 'bytes',
  read: async (source, { expectations, findings, signal }) => {
    const version = await checkMcuboot(source, expectations.version, findings, signal);
    return version === null ? nothingKnown : { ...nothingKnown, version };
  },
};

const rar: FormatReader = {
  search: 'compressed',
  read: async (source, { findings }) => {
    const files = await readRar(source, findings.add);
    if (files !== null) {
      findings.add('file.opaque', `rar: ${files} headers are right; the members are not unpacked`);
    }
    return nothingKnown;
  },
};

type RecordReader = new (
  report: Report,
  onData: (bytes: Uint8Array) => void,
) => SRecordReader | IntelHexReader;

const records = (Reader: RecordReader): FormatReader => ({
  search: 'content',
  stream: async (chunks, { format, expectations: { memory = [] }, findings, onContent }) => {
    const reader = new Reader(findings.add, onContent);
    for await (const chunk of chunks) reader.push(chunk);
    const segments = reader.finish().segments.map(({ address, bytes }) => ({
      start: address,
      sizeBytes: bytes.length,
    }));
    if (memory.length > 0) checkSegments(segments, memory, findings.add);
    const dataBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    findings.intact(
      `${format}: ${dataBytes} bytes in ${segments.length} segments, every checksum is right`,
    );
    return { segments, compressed: false };
  },
});

/** Every format that {@link sniff} tells, and how its content is checked. */
const table: ReadonlyMap<string, FormatReader> = new Map([
  ...[...readableImages].map((format) => [format, image(format)] as const),
  ...[...recognisedOnly].map((format) => [format, recognised(format)] as const),
  ['s-record', records(SRecordReader)],
  ['intel-hex', records(IntelHexReader)],
  ['tar', { search: 'content', stream: readTarMembers }],
  ['gzip', { search: 'content', read: readGzipContent }],
  ['zip', { search: 'content', read: readZipMembers }],
  ['rar', rar],
  ['mcuboot', mcuboot],
  ['cortex-m', rawImage],
  ['unknown', rawImage],
  ['text', text],
  ['python', text],
]);

/** How content of a format is checked; a name that only its vendor understands comes first. */
export function readerOf(name: string, format: string): FormatReader {
  const reader = isOpaque(name, format) ? opaque : table.get(format);
  if (reader === undefined) throw new Error(`no reader for format ${format}`);
  return reader;
}
