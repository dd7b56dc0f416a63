import { readBigEndianVarint } from './big-endian-varint.ts';
import type { ByteSource } from './byte-source.ts';
import { DeltaDamage, tellDelta, withDeltaFindings } from './delta-facts.ts';
import { hexText, type ImageFacts } from './image-facts.ts';
import type { Report } from './report.ts';
import { ContentEnd, NumberTooLarge } from './source-cursor.ts';

const longestName = 260;
/** The name and eleven numbers of at most ten bytes. */
const mostHeaderBytes = longestName + 1 + 11 * 10;
const mostStepBytes = 64 * 1024 * 1024;
const compressors: ReadonlySet<string> = new Set([
  '',
  'zlib',
  'zstd',
  'bz2',
  'pbz2',
  'lzma',
  'lzma2',
  'lz4',
  'brotli',
  'tuz',
  'ldef',
  '7zXZ',
]);
/** First bytes of the compressors' streams, where they have a fixed beginning. */
const beginnings: ReadonlyMap<string, RegExp> = new Map([
  ['zstd', /^28b52ffd/],
  ['bz2', /^425a683[1-9]/],
]);
/** The streams of HDIFF13 in their order. */
export const hdiffStreams = ['cover', 'run-length control', 'run-length', 'new data'] as const;

/** One stream of such a patch, offset and sizes in bytes. */
export interface HdiffStream {
  readonly name: string;
  readonly offset: number;
  /** As it lies in the patch. */
  readonly sizeBytes: number;
  readonly plainSizeBytes: number;
  readonly isPacked: boolean;
}

/** The header of an HDiffPatch patch, offsets and sizes in bytes. */
export interface HdiffHead {
  readonly type: 'HDIFF13' | 'HDIFFSF20' | 'HDIFF19';
  readonly compressor: string;
  readonly targetAt: number;
  /** Null for a patch of folders (HDIFF19), which is only recognised. */
  readonly content: HdiffContent | null;
}

/** What a patch of one image says of itself. */
export interface HdiffContent {
  readonly targetBytes: number;
  readonly sourceBytes: number;
  readonly covers: number;
  /** Four of HDIFF13, one of HDIFFSF20; they lie end to end. */
  readonly streams: readonly HdiffStream[];
}

/**
 * Reads the header at the beginning of a file of so many bytes.
 * Source: HDiffPatch, libHDiffPatch/HPatch/patch.c.
 * @throws ContentEnd | NumberTooLarge | DeltaDamage
 */
export function readHdiffHead(head: Uint8Array, fileBytes: number): HdiffHead {
  let at = 0;
  const nextByte = (): number => {
    const byte = head[at];
    if (byte === undefined) throw new ContentEnd(fileBytes);
    at += 1;
    return byte;
  };
  const number = (): number => {
    const start = at;
    try {
      return readBigEndianVarint(nextByte);
    } catch (error) {
      if (error instanceof RangeError) throw new NumberTooLarge(start);
      throw error;
    }
  };
  const [type = '', compressor = ''] = readName(nextByte).split('&');
  const targetAt = at;
  if (type === 'HDIFF19') return { type, compressor, targetAt, content: null };
  if (type !== 'HDIFF13' && type !== 'HDIFFSF20') throw new DeltaDamage(`type "${type}"`, 0);
  if (!/^[A-Za-z0-9_.]{0,24}$/.test(compressor))
    throw new DeltaDamage('the name of the compressor is no name', type.length + 1);
  const [targetBytes, sourceBytes, covers] = [number(), number(), number()];
  if (type === 'HDIFFSF20') checkStep(at, number(), targetBytes);
  const sized = (type === 'HDIFF13' ? hdiffStreams : ['only']).map((name) => {
    const sizesAt = at;
    const [plainSizeBytes, packedBytes] = [number(), number()];
    const isPacked = packedBytes > 0;
    if (isPacked && type === 'HDIFF13' && compressor === '')
      throw new DeltaDamage(`the ${name} stream is compressed, but by nothing`, sizesAt);
    const sizeBytes = isPacked ? packedBytes : plainSizeBytes;
    return { name, sizeBytes, plainSizeBytes, isPacked };
  });
  let offset = at;
  const streams = sized.map((stream) => {
    const placed = { ...stream, offset };
    offset += stream.sizeBytes;
    return placed;
  });
  if (offset > fileBytes) throw new ContentEnd(fileBytes);
  if (offset < fileBytes) throw new DeltaDamage('bytes follow the last stream', offset);
  return { type, compressor, targetAt, content: { targetBytes, sourceBytes, covers, streams } };
}

function checkStep(stepAt: number, stepBytes: number, targetBytes: number): void {
  if (stepBytes > Math.max(targetBytes, mostStepBytes))
    throw new DeltaDamage(`a step needs ${stepBytes} bytes of memory`, stepAt);
}

/** Type and compressor, ended by NUL. */
function readName(nextByte: () => number): string {
  let name = '';
  for (let byte = nextByte(); byte !== 0; byte = nextByte()) {
    name += String.fromCharCode(byte);
    if (name.length > longestName)
      throw new DeltaDamage('the name of the compressor has no end', 0);
  }
  return name;
}

/**
 * Reads the header of an HDiffPatch patch, HDIFF13 (four streams) or HDIFFSF20 (one stream): the
 * lengths of the streams end with the file. Patches of folders (HDIFF19) are only recognised.
 * Returns null after a blocking report.
 */
export async function readHdiffHeader(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const read = await withDeltaFindings('HDIFF', report, async () => {
    const bytes = Uint8Array.from(await source.read(0, mostHeaderBytes));
    const head = readHdiffHead(bytes, source.sizeBytes);
    for (const stream of head.content?.streams ?? [])
      if (stream.isPacked) await checkBeginning(source, stream, head.compressor);
    return head;
  });
  if (read === null) return null;
  const { type, compressor, targetAt, content } = read;
  if (content === null) {
    report('patch.not-applied', `${type}: a patch of folders`, { offset: 0 });
    return { summary: `${type}: recognised`, segments: [], compressed: true };
  }
  const { covers, targetBytes, sourceBytes } = content;
  const details = [`${covers} copies`, compressor === '' ? 'not compressed' : compressor];
  const facts = tellDelta({ format: type, targetBytes, sourceBytes, targetAt, details }, report);
  if (facts !== null && !compressors.has(compressor)) {
    report('patch.private-compression', `"${compressor}"`, {
      offset: type.length + 1,
      found: compressor,
    });
  }
  return facts;
}

async function checkBeginning(
  source: ByteSource,
  { name, offset }: HdiffStream,
  compressor: string,
): Promise<void> {
  const expected = beginnings.get(compressor);
  if (expected === undefined || expected.test(hexText(await source.read(offset, 4)))) return;
  throw new DeltaDamage(`the ${name} stream is not ${compressor}`, offset);
}
