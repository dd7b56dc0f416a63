import { crc32 } from 'node:zlib';
import { ByteStream } from '../../../shared/formats/byte-stream.ts';
import type { Evidence } from '../../../shared/formats/report.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import { readCompressed, UnpackedCount } from './compressed.ts';
import { ContentFault } from './content-fault.ts';
import { InflateError, inflateRaw } from './inflate.ts';
import type { Inside, Reading } from './reading.ts';

const longestFieldBytes = 64 * 1024;
const trailerBytes = 8;
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/**
 * Reads a gzip file: header, CRC-32, length, truncation and what follows, of each member; what it
 * holds is inspected as a file of its own. Source: RFC 1952.
 */
export function readGzip(chunks: AsyncIterable<Uint8Array>, reading: Reading): Promise<Inside> {
  const unpacked = new UnpackedCount(reading, 'gzip.bomb');
  const content = (): AsyncGenerator<Uint8Array> =>
    unpack(new ByteStream(chunks), reading, unpacked);
  return readCompressed(reading, 'gzip.not-tar', { content, unpacked, checkedBy: 'CRC-32' });
}

type Fail = (rule: BundleRuleId, detail: string, evidence: Evidence) => never;

async function* unpack(
  stream: ByteStream,
  reading: Reading,
  unpacked: UnpackedCount,
): AsyncGenerator<Uint8Array> {
  const fail: Fail = (rule, detail, evidence) => {
    throw new ContentFault(reading, rule, detail, evidence);
  };
  for (let member = 1; ; member += 1) {
    const start = stream.offset;
    if (member > 1) {
      const next = await stream.peek(2);
      if (next.length === 0) return;
      if (next[0] !== 0x1f || next[1] !== 0x8b) {
        fail('gzip.trailing', `${await stream.skip()} bytes follow member ${member - 1}`, {
          offset: start,
        });
      }
    }
    const fault = await readHeader(stream);
    if (fault === 'truncated') {
      fail('gzip.truncated', 'the header is not whole', { offset: stream.offset });
    } else if (fault !== null) fail('gzip.damaged', fault, { offset: start });

    let memberBytes = 0;
    let sum = 0;
    try {
      for await (const bytes of inflateRaw(stream)) {
        memberBytes += bytes.length;
        sum = crc32(bytes, sum);
        unpacked.add(bytes.length, start);
        yield bytes;
      }
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
      if (error.code !== 'Z_BUF_ERROR')
        fail('gzip.damaged', error.message, { offset: stream.offset });
      const detail = `the content ends after ${memberBytes} unpacked bytes`;
      fail('gzip.truncated', detail, { offset: stream.offset });
    }
    const end = stream.offset;
    const trailer = Buffer.from(await stream.take(trailerBytes));
    if (trailer.length < trailerBytes) {
      const detail = `the content ends after ${memberBytes} unpacked bytes`;
      fail('gzip.truncated', detail, { offset: stream.offset });
    }
    const [storedSum, storedSize] = [trailer.readUInt32LE(0), trailer.readUInt32LE(4)];
    if (storedSum !== sum) {
      const values = { expected: storedSum.toString(16), found: sum.toString(16) };
      fail('gzip.crc', 'CRC-32 of the content', { offset: end, ...values });
    }
    if (storedSize !== memberBytes % 2 ** 32) {
      const values = { expected: String(storedSize), found: String(memberBytes) };
      fail('gzip.crc', 'length of the content', { offset: end + 4, ...values });
    }
  }
}

/** Reads a member's header; tells what is wrong with it, or null (RFC 1952 section 2.3). */
async function readHeader(stream: ByteStream): Promise<string | null> {
  const parts: Uint8Array[] = [];
  const take = async (length: number): Promise<Buffer | null> => {
    const bytes = await stream.take(length);
    parts.push(bytes);
    return bytes.length < length ? null : Buffer.from(bytes);
  };
  const fixed = await take(10);
  if (fixed === null) return 'truncated';
  const set = fixed[3] ?? 0;
  if (fixed[2] !== 8) return `unknown method ${fixed[2]}`;
  if ((set & flags.reserved) !== 0) return 'reserved flags are set';
  if ((set & flags.extra) !== 0) {
    const length = await take(2);
    if (length === null || (await take(length.readUInt16LE(0))) === null) return 'truncated';
  }
  for (const field of ['name', 'comment'] as const) {
    if ((set & flags[field]) === 0) continue;
    const bytes = await stream.peek(longestFieldBytes);
    const end = bytes.indexOf(0);
    if (end < 0) {
      return bytes.length < longestFieldBytes
        ? 'truncated'
        : `the ${field} in the header is longer than ${longestFieldBytes} bytes`;
    }
    await take(end + 1);
  }
  if ((set & flags.headerCrc) === 0) return null;
  const sum = parts.reduce((value, part) => crc32(part, value), 0) & 0xffff;
  const stored = await take(2);
  if (stored === null) return 'truncated';
  return stored.readUInt16LE(0) === sum ? null : 'CRC of the header';
}
