import type { ByteSource } from './byte-source.ts';
import { DeltaDamage, tellDelta, withDeltaFindings } from './delta-facts.ts';
import { hexText, type ImageFacts } from './image-facts.ts';
import type { Report } from './report.ts';
import { SourceCursor } from './source-cursor.ts';

const longestName = 260;
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

interface Sizes {
  readonly targetBytes: number;
  readonly sourceBytes: number;
  readonly covers: number;
}

/**
 * Reads the header of an HDiffPatch patch, HDIFF13 (four streams) or HDIFFSF20 (one stream): the
 * lengths of the streams end with the file. Patches of folders (HDIFF19) are only recognised.
 * Returns null after a blocking report. Source: HDiffPatch, libHDiffPatch/HPatch/patch.c.
 */
export async function readHdiffHeader(
  source: ByteSource,
  report: Report,
): Promise<ImageFacts | null> {
  const read = await withDeltaFindings('HDIFF', report, async () => {
    const cursor = new SourceCursor(source);
    const [type = '', compressor = ''] = (await readName(cursor)).split('&');
    if (type === 'HDIFF19') return { type, compressor, targetAt: cursor.offset, sizes: null };
    if (type !== 'HDIFF13' && type !== 'HDIFFSF20') throw new DeltaDamage(`type "${type}"`, 0);
    if (!/^[A-Za-z0-9_.]{0,24}$/.test(compressor))
      throw new DeltaDamage('the name of the compressor is no name', type.length + 1);
    await cursor.prepare();
    const targetAt = cursor.offset;
    const sizes = await (type === 'HDIFF13' ? readStreams : readSingleStream)(
      source,
      cursor,
      compressor,
    );
    return { type, compressor, targetAt, sizes };
  });
  if (read === null) return null;
  const { type, compressor, targetAt, sizes } = read;
  if (sizes === null) {
    report('patch.not-applied', `${type}: a patch of folders`, { offset: 0 });
    return { summary: `${type}: recognised`, segments: [], compressed: true };
  }
  const { covers, targetBytes, sourceBytes } = sizes;
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

/** Type and compressor, ended by NUL. */
async function readName(cursor: SourceCursor): Promise<string> {
  let name = '';
  for (;;) {
    await cursor.prepare();
    const byte = cursor.byte();
    if (byte === 0) return name;
    name += String.fromCharCode(byte);
    if (name.length > longestName)
      throw new DeltaDamage('the name of the compressor has no end', 0);
  }
}

async function readStreams(
  source: ByteSource,
  cursor: SourceCursor,
  compressor: string,
): Promise<Sizes> {
  const targetBytes = cursor.bigEndianVarint();
  const sourceBytes = cursor.bigEndianVarint();
  const covers = cursor.bigEndianVarint();
  const streams = ['cover', 'run-length control', 'run-length', 'new data'].map((name) => {
    const offset = cursor.offset;
    const plainBytes = cursor.bigEndianVarint();
    const packedBytes = cursor.bigEndianVarint();
    if (packedBytes > 0 && compressor === '')
      throw new DeltaDamage(`the ${name} stream is compressed, but by nothing`, offset);
    return { name, packed: packedBytes > 0, sizeBytes: packedBytes > 0 ? packedBytes : plainBytes };
  });
  for (const { name, packed, sizeBytes } of streams) {
    if (packed) await checkBeginning(source, cursor.offset, name, compressor);
    cursor.skip(sizeBytes);
  }
  if (cursor.leftBytes > 0) throw new DeltaDamage('bytes follow the last stream', cursor.offset);
  return { targetBytes, sourceBytes, covers };
}

async function readSingleStream(
  source: ByteSource,
  cursor: SourceCursor,
  compressor: string,
): Promise<Sizes> {
  const targetBytes = cursor.bigEndianVarint();
  const sourceBytes = cursor.bigEndianVarint();
  const covers = cursor.bigEndianVarint();
  const stepAt = cursor.offset;
  const stepBytes = cursor.bigEndianVarint();
  if (stepBytes > Math.max(targetBytes, 64 * 1024 * 1024))
    throw new DeltaDamage(`a step needs ${stepBytes} bytes of memory`, stepAt);
  const plainBytes = cursor.bigEndianVarint();
  const packedBytes = cursor.bigEndianVarint();
  if (packedBytes > 0) await checkBeginning(source, cursor.offset, 'only', compressor);
  cursor.skip(packedBytes > 0 ? packedBytes : plainBytes);
  if (cursor.leftBytes > 0) throw new DeltaDamage('bytes follow the stream', cursor.offset);
  return { targetBytes, sourceBytes, covers };
}

async function checkBeginning(
  source: ByteSource,
  offset: number,
  name: string,
  compressor: string,
): Promise<void> {
  const expected = beginnings.get(compressor);
  if (expected === undefined || expected.test(hexText(await source.read(offset, 4)))) return;
  throw new DeltaDamage(`the ${name} stream is not ${compressor}`, offset);
}
