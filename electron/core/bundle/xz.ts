import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ByteStream } from '../../../shared/formats/byte-stream.ts';
import { Crc64 } from '../../../shared/formats/crc64.ts';
import { hexText } from '../../../shared/formats/image-facts.ts';
import type { Evidence } from '../../../shared/formats/report.ts';
import {
  lzma2HeaderBytes,
  makeXzFrame,
  makeXzIndex,
  readLzma2Chunk,
  readXzBlock,
  readXzFooter,
  readXzHeader,
  type XzCheck,
  XzFault,
  xzPartBytes,
  type XzRecord,
} from '../../../shared/formats/xz.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { readCompressed, UnpackedCount } from './compressed.ts';
import { ContentFault } from './content-fault.ts';
import type { Inside, Reading } from './reading.ts';
import { mostDictionaryBytes, unpackXzStream, XzEngineError } from './xz-engine.ts';

const mostBlocks = 100_000;

/**
 * Reads an xz file: every part of the container by our own walk, the data by an engine, and the
 * check of each block on what it unpacks to. Source: the .xz file format 1.2.1.
 */
export function readXz(chunks: AsyncIterable<Uint8Array>, reading: Reading): Promise<Inside> {
  const walk = new XzWalk(new ByteStream(chunks), reading);
  return readCompressed(reading, 'xz.not-tar', walk);
}

class XzWalk {
  readonly #stream: ByteStream;
  readonly #reading: Reading;
  readonly unpacked: UnpackedCount;
  #checks = new Set<string>();

  constructor(stream: ByteStream, reading: Reading) {
    this.#stream = stream;
    this.#reading = reading;
    this.unpacked = new UnpackedCount(reading, 'xz.bomb');
  }

  /** What the content was checked with. */
  get checkedBy(): string {
    return [...this.#checks].join(' and ');
  }

  async *content(): AsyncGenerator<Uint8Array> {
    if (this.#reading.around.includes('xz')) {
      this.#fail('xz.not-unpacked', 'it stands in another xz file', 0);
    }
    for (let streams = 0; ; streams += 1) {
      if (streams > 0 && !(await this.#hasNext())) return;
      const check = await this.#part(xzPartBytes.streamHeader, readXzHeader, 'stream header');
      this.#checks.add(check.name);
      const records: XzRecord[] = [];
      for (;;) {
        const [sizeByte] = await this.#stream.peek(1);
        if (sizeByte === 0) break;
        if (records.length === mostBlocks) {
          this.#fail('archive.limit', `xz: over ${mostBlocks} blocks`, this.#stream.offset);
        }
        yield* this.#block(((sizeByte ?? 0) + 1) * 4, check, records);
      }
      await this.#end(check, records);
    }
  }

  /** Whether another stream follows; the zeros between streams come in fours. Section 2.2. */
  async #hasNext(): Promise<boolean> {
    const start = this.#stream.offset;
    for (;;) {
      const four = await this.#stream.peek(4);
      if (four.length === 0) return false;
      if (four.some((byte) => byte !== 0) || four.length < 4) break;
      await this.#stream.take(4);
    }
    const offset = this.#stream.offset;
    const next = await this.#stream.peek(6);
    if (hexText(next) === 'fd377a585a00') return true;
    const what = `${await this.#stream.skip()} bytes follow the stream that ends at ${start}`;
    return this.#fail('xz.trailing', what, offset);
  }

  async *#block(
    headerBytes: number,
    check: XzCheck,
    records: XzRecord[],
  ): AsyncGenerator<Uint8Array> {
    const start = this.#stream.offset;
    let raw = new Uint8Array();
    const block = await this.#part(
      headerBytes,
      (bytes) => {
        raw = Uint8Array.from(bytes);
        return readXzBlock(bytes);
      },
      'block header',
    );
    if (block.otherFilters.length > 0) {
      const filters = block.otherFilters.map((id) => `0x${id.toString(16)}`).join(', ');
      this.#fail('xz.not-unpacked', `unsupported filter ${filters}`, start);
    }
    if (block.dictionaryBytes > mostDictionaryBytes) {
      this.#fail('xz.not-unpacked', 'size of the dictionary', start, {
        expected: `at most ${mostDictionaryBytes} bytes`,
        found: `${block.dictionaryBytes} bytes`,
      });
    }
    const sum = makeSum(check);
    let sizeBytes = 0;
    const data = new BlockData(this.#stream, raw, (offset) => this.#cut(offset));
    try {
      for await (const bytes of unpackXzStream(data.packed())) {
        sizeBytes += bytes.length;
        sum?.update(bytes);
        this.unpacked.add(bytes.length, start);
        yield bytes;
      }
    } catch (error) {
      if (error instanceof XzFault) this.#fail('xz.damaged', error.message, this.#stream.offset);
      if (!(error instanceof XzEngineError)) throw error;
      const rule = error.isLimit ? 'xz.not-unpacked' : 'xz.damaged';
      this.#fail(rule, 'the compressed data cannot be decoded', this.#stream.offset);
    }
    const { packedBytes } = data;
    this.#expect('packed size in the block header', block.packedBytes, packedBytes, start);
    this.#expect('size in the block header', block.sizeBytes, sizeBytes, start);
    await this.#padding(-packedBytes & 3);
    await this.#check(check, sum?.digest());
    records.push({ unpaddedBytes: headerBytes + packedBytes + check.sizeBytes, sizeBytes });
  }

  async #padding(length: number): Promise<void> {
    const offset = this.#stream.offset;
    const bytes = await this.#stream.take(length);
    if (bytes.length < length) this.#cut(this.#stream.offset);
    if (bytes.some((byte) => byte !== 0)) this.#fail('xz.damaged', 'block padding', offset);
  }

  async #check(check: XzCheck, actual: Uint8Array | undefined): Promise<void> {
    const offset = this.#stream.offset;
    const stored = await this.#stream.take(check.sizeBytes);
    if (stored.length < check.sizeBytes) this.#cut(this.#stream.offset);
    if (actual === undefined || hexText(actual) === hexText(stored)) return;
    const values = { expected: hexText(stored), found: hexText(actual) };
    this.#fail('xz.check', `${check.name} of the content`, offset, values);
  }

  /** Index and footer must repeat what was read before them. */
  async #end(check: XzCheck, records: readonly XzRecord[]): Promise<void> {
    const start = this.#stream.offset;
    const index = makeXzIndex(records);
    const found = await this.#stream.take(index.length);
    const wrong = found.findIndex((byte, at) => byte !== index[at]);
    if (wrong >= 0) {
      this.#fail('xz.damaged', 'the index differs from the blocks', start + wrong);
    }
    if (found.length < index.length) this.#cut(this.#stream.offset);
    const end = this.#stream.offset;
    const footer = await this.#part(xzPartBytes.streamFooter, readXzFooter, 'stream footer');
    this.#expect('check in the stream footer', footer.check.id, check.id, end + 8);
    this.#expect(
      'size of the index in the stream footer',
      footer.indexBytes,
      index.length,
      end + 4,
    );
  }

  #expect(what: string, stored: number | undefined, actual: number, offset: number): void {
    if (stored === undefined || stored === actual) return;
    this.#fail('xz.damaged', what, offset, { expected: String(stored), found: String(actual) });
  }

  async #part<T>(length: number, read: (bytes: Uint8Array) => T, what: string): Promise<T> {
    const offset = this.#stream.offset;
    const bytes = await this.#stream.take(length);
    if (bytes.length < length) return this.#cut(this.#stream.offset);
    try {
      return read(bytes);
    } catch (error) {
      if (!(error instanceof XzFault)) throw error;
      return this.#fail('xz.damaged', `${what}: ${error.message}`, offset + error.at);
    }
  }

  #cut(offset: number): never {
    return this.#fail(
      'xz.truncated',
      `it ends after ${this.unpacked.sizeBytes} unpacked bytes`,
      offset,
    );
  }

  #fail(rule: BundleRuleId, what: string, offset: number, values: Evidence = {}): never {
    throw new ContentFault(this.#reading, rule, what, { offset, ...values });
  }
}

/** The LZMA2 data of one block, framed as a stream of its own without a check. */
class BlockData {
  readonly #stream: ByteStream;
  readonly #header: Uint8Array;
  readonly #cut: (offset: number) => never;
  packedBytes = 0;

  constructor(stream: ByteStream, header: Uint8Array, cut: (offset: number) => never) {
    this.#stream = stream;
    this.#header = header;
    this.#cut = cut;
  }

  async *packed(): AsyncGenerator<Uint8Array> {
    yield makeXzFrame(4).header;
    yield this.#header;
    const start = this.#stream.offset;
    let sizeBytes = 0;
    for (;;) {
      const [control] = await this.#stream.peek(1);
      if (control === undefined) return this.#cut(this.#stream.offset);
      const headerBytes = lzma2HeaderBytes(control);
      const header = await this.#stream.take(headerBytes);
      if (header.length < headerBytes) return this.#cut(this.#stream.offset);
      yield header;
      if (control === 0) break;
      const chunk = readLzma2Chunk(header);
      sizeBytes += chunk.sizeBytes;
      const [first] = await this.#stream.peek(1);
      // The range coder begins with a zero, which decoders shift out unseen.
      if (control >= 0x80 && first !== 0 && first !== undefined) throw new XzFault('LZMA data');
      const end = this.#stream.offset + chunk.packedBytes;
      yield* this.#stream.pieces(chunk.packedBytes);
      if (this.#stream.offset < end) return this.#cut(this.#stream.offset);
    }
    this.packedBytes = this.#stream.offset - start;
    const unpaddedBytes = this.#header.length + this.packedBytes;
    const index = makeXzIndex([{ unpaddedBytes, sizeBytes }]);
    yield new Uint8Array(-this.packedBytes & 3);
    yield index;
    yield makeXzFrame(index.length).footer;
  }
}

interface Sum {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

/** Computes the check of a block, undefined when there is none to compute. */
function makeSum({ name }: XzCheck): Sum | undefined {
  if (name === 'CRC-64') return new Crc64();
  if (name === 'SHA-256') {
    const hash = createHash('sha256');
    return { update: (bytes) => void hash.update(bytes), digest: () => hash.digest() };
  }
  if (name !== 'CRC-32') return undefined;
  let sum = 0;
  return {
    update: (bytes) => {
      sum = crc32(bytes, sum);
    },
    digest: () => {
      const bytes = Buffer.alloc(4);
      bytes.writeUInt32LE(sum);
      return bytes;
    },
  };
}
