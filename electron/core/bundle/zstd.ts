import { Decompress } from 'fzstd';
import xxhash from 'xxhash-wasm';
import { ByteStream } from '../../../shared/formats/byte-stream.ts';
import { sumText } from '../../../shared/formats/crc32.ts';
import type { Evidence } from '../../../shared/formats/report.ts';
import {
  longestZstdHeaderBytes,
  readZstdBlock,
  readZstdFrame,
  skippableBytes,
  type ZstdFrame,
} from '../../../shared/formats/zstd.ts';
import { endlessWeights } from '../../../shared/formats/zstd-weights.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { readCompressed, UnpackedCount } from './compressed.ts';
import { ContentFault } from './content-fault.ts';
import type { Inside, Reading } from './reading.ts';

/**
 * What every decoder should accept (RFC 8878 section 3.1.1.1.2). The engine moves its whole window
 * for each block: with a larger one, a small file could keep it busy for minutes.
 */
const mostWindowBytes = 8 * 1024 * 1024;

/**
 * Reads a zstd file: frames and blocks by our own walk, each block's data by an engine, and sizes
 * and XXH64 on what it unpacks to. Source: RFC 8878.
 */
export function readZstd(chunks: AsyncIterable<Uint8Array>, reading: Reading): Promise<Inside> {
  return readCompressed(reading, 'zstd.not-tar', new ZstdWalk(new ByteStream(chunks), reading));
}

class ZstdWalk {
  readonly #stream: ByteStream;
  readonly #reading: Reading;
  readonly unpacked: UnpackedCount;
  #isChecked = true;
  /** Of the frame that was read last. */
  #checksum = 0;

  constructor(stream: ByteStream, reading: Reading) {
    this.#stream = stream;
    this.#reading = reading;
    this.unpacked = new UnpackedCount(reading, 'zstd.bomb');
  }

  /** What the content was checked with; one frame without a checksum leaves it open. */
  get checkedBy(): string {
    return this.#isChecked ? 'XXH64' : 'none';
  }

  async *content(): AsyncGenerator<Uint8Array> {
    const { create64 } = await xxhash();
    for (let frames = 0; ; frames += 1) {
      const head = await this.#stream.peek(longestZstdHeaderBytes);
      if (head.length === 0 && frames > 0) return;
      const skipped = skippableBytes(head);
      if (skipped === null) yield* this.#frame(head, create64());
      else {
        // The data of a user: no content.
        if ((await this.#stream.skip(skipped)) < skipped) this.#cut();
      }
    }
  }

  async *#frame(head: Uint8Array, sum: Sum): AsyncGenerator<Uint8Array> {
    const start = this.#stream.offset;
    const frame = readZstdFrame(head);
    if (frame === 'incomplete') return this.#cut();
    if ('fault' in frame) {
      return this.#fail(start === 0 ? 'zstd.damaged' : 'zstd.trailing', frame.fault, start);
    }
    if (frame.dictionaryId !== 0) {
      this.#fail('zstd.not-unpacked', `it needs dictionary ${frame.dictionaryId}`, start);
    }
    if (frame.windowBytes > mostWindowBytes) {
      this.#fail('zstd.not-unpacked', 'size of the window', start, {
        expected: `at most ${mostWindowBytes} bytes`,
        found: `${frame.windowBytes} bytes`,
      });
    }
    let sizeBytes = 0;
    for await (const bytes of this.#blocks(frame)) {
      sizeBytes += bytes.length;
      sum.update(bytes);
      this.unpacked.add(bytes.length, start);
      yield bytes;
    }
    const { contentBytes } = frame;
    if (contentBytes !== undefined && contentBytes !== sizeBytes) {
      const values = { expected: String(contentBytes), found: String(sizeBytes) };
      this.#fail('zstd.damaged', 'size in the frame header', start, values);
    }
    if (!frame.hasChecksum) {
      this.#isChecked = false;
      return;
    }
    const offset = this.#stream.offset - 4;
    const found = sumText(Number(sum.digest() & 0xffff_ffffn));
    const expected = sumText(this.#checksum);
    if (found !== expected) {
      this.#fail('zstd.checksum', 'XXH64 of the content', offset, { expected, found });
    }
  }

  /** Hands the blocks to the engine one by one, so that each call unpacks 128 KiB at most. */
  async *#blocks(frame: ZstdFrame): AsyncGenerator<Uint8Array> {
    const unpacked: Uint8Array[] = [];
    const engine = new Decompress((bytes) => {
      if (bytes.length > 0) unpacked.push(bytes);
    });
    engine.push(await this.#take(frame.headerBytes));
    for (let isLast = false; !isLast; ) {
      const offset = this.#stream.offset;
      const header = await this.#take(3);
      const block = readZstdBlock(header, frame);
      if (block.fault !== null) this.#fail('zstd.damaged', block.fault, offset);
      ({ isLast } = block);
      const data = await this.#take(block.packedBytes);
      const endless = block.isCompressed ? endlessWeights(data) : null;
      if (endless !== null) this.#fail('zstd.damaged', endless, offset);
      const checksum = await this.#take(isLast && frame.hasChecksum ? 4 : 0);
      if (checksum.length > 0) this.#checksum = Buffer.from(checksum).readUInt32LE();
      try {
        engine.push(header);
        engine.push(Buffer.concat([data, checksum]), isLast);
      } catch {
        this.#fail('zstd.damaged', 'the compressed data cannot be decoded', offset);
      }
      yield* unpacked.splice(0);
    }
  }

  async #take(length: number): Promise<Uint8Array> {
    const bytes = await this.#stream.take(length);
    return bytes.length < length ? this.#cut() : bytes;
  }

  #cut(): never {
    const what = `it ends after ${this.unpacked.sizeBytes} unpacked bytes`;
    return this.#fail('zstd.truncated', what, this.#stream.offset);
  }

  #fail(rule: BundleRuleId, what: string, offset: number, values: Evidence = {}): never {
    throw new ContentFault(this.#reading, rule, what, { offset, ...values });
  }
}

interface Sum {
  update(bytes: Uint8Array): unknown;
  digest(): bigint;
}
