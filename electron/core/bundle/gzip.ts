import { crc32, createInflateRaw } from 'node:zlib';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { readRange } from '../../../shared/formats/image-facts.ts';
import type { Report } from '../../../shared/formats/report.ts';
import { sniff, sniffHeadBytes } from '../../../shared/formats/sniff.ts';
import { TarReader } from '../../../shared/formats/tar.ts';
import { isBomb } from './limits.ts';
import { type Inside, nothingKnown, type Reading } from './reading.ts';

const longestHeaderBytes = 128 * 1024;
const trailerBytes = 8;

/**
 * Unpacks every member of a gzip file into `onData` and checks header, CRC-32, length, truncation
 * and what follows. Source: RFC 1952. Returns the unpacked size, or null after a blocking report.
 */
async function readGzip(
  source: ByteSource,
  report: Report,
  onData: (bytes: Buffer) => void,
): Promise<number | null> {
  const { sizeBytes } = source;
  let offset = 0;
  let totalBytes = 0;
  for (let member = 1; offset < sizeBytes; member += 1) {
    const header = Buffer.from(await source.read(offset, longestHeaderBytes));
    if (member > 1 && (header[0] !== 0x1f || header[1] !== 0x8b)) {
      report('gzip.trailing', `${sizeBytes - offset} bytes follow member ${member - 1}`, {
        offset,
      });
      return null;
    }
    const headerBytes = gzipHeaderBytes(header);
    if (headerBytes === null) {
      const cut = offset + header.length >= sizeBytes && header.length < longestHeaderBytes;
      if (cut) report('gzip.truncated', 'the header is not whole', { offset: sizeBytes });
      else report('gzip.damaged', 'broken header', { offset });
      return null;
    }
    let memberBytes = 0;
    let sum = 0;
    const outcome = await inflate(source, offset + headerBytes, (bytes) => {
      memberBytes += bytes.length;
      sum = crc32(bytes, sum);
      if (isBomb(totalBytes + memberBytes, sizeBytes)) return false;
      onData(bytes);
      return true;
    });
    totalBytes += memberBytes;
    if (outcome.stopped) {
      report('gzip.bomb', `${sizeBytes} bytes unpack to more than ${totalBytes} bytes`, { offset });
      return null;
    }
    const end = offset + headerBytes + outcome.consumedBytes;
    if (
      outcome.errorCode === 'Z_BUF_ERROR' ||
      (!outcome.errorCode && end + trailerBytes > sizeBytes)
    ) {
      report('gzip.truncated', `the content ends after ${memberBytes} unpacked bytes`, {
        offset: sizeBytes,
      });
      return null;
    }
    if (outcome.errorCode !== null) {
      report('gzip.damaged', `the compressed data is broken (${outcome.errorCode})`, {
        offset: end,
      });
      return null;
    }
    const trailer = Buffer.from(await source.read(end, trailerBytes));
    const stored = [trailer.readUInt32LE(0), trailer.readUInt32LE(4)] as const;
    if (stored[0] !== sum || stored[1] !== memberBytes % 2 ** 32) {
      const isCrc = stored[0] !== sum;
      report('gzip.crc', isCrc ? 'CRC-32 of the content' : 'length of the content', {
        offset: isCrc ? end : end + 4,
        expected: isCrc ? stored[0].toString(16) : String(stored[1]),
        found: isCrc ? sum.toString(16) : String(memberBytes),
      });
      return null;
    }
    offset = end + trailerBytes;
  }
  return totalBytes;
}

/** Length of the header, or null when it is cut or broken (RFC 1952 section 2.3). */
function gzipHeaderBytes(bytes: Buffer): number | null {
  const flags = bytes[3] ?? 0xff;
  if (bytes.length < 10 || bytes[2] !== 8 || (flags & 0xe0) !== 0) return null;
  let at = 10;
  if (flags & 4) {
    if (bytes.length < at + 2) return null;
    at += 2 + bytes.readUInt16LE(at);
  }
  for (const bit of [8, 16]) {
    if (flags & bit) {
      const end = bytes.indexOf(0, at);
      if (end < 0) return null;
      at = end + 1;
    }
  }
  if (flags & 2) at += 2;
  return at <= bytes.length ? at : null;
}

interface Inflated {
  readonly consumedBytes: number;
  readonly errorCode: string | null;
  /** `onData` returned false. */
  readonly stopped: boolean;
}

/** Inflates one raw deflate stream; tells exactly where it ended. */
async function inflate(
  source: ByteSource,
  from: number,
  onData: (bytes: Buffer) => boolean,
): Promise<Inflated> {
  const engine = createInflateRaw({ chunkSize: 256 * 1024 });
  let over = false;
  let stopped = false;
  let errorCode: string | null = null;
  const done = new Promise<void>((resolve) => {
    engine.once('end', resolve);
    engine.once('close', resolve);
    engine.once('error', (error: NodeJS.ErrnoException) => {
      errorCode = error.code ?? error.message;
      resolve();
    });
  }).then(() => {
    over = true;
  });
  engine.on('data', (bytes: Buffer) => {
    if (stopped || onData(bytes)) return;
    stopped = true;
    engine.destroy();
  });
  for await (const chunk of readRange(source, from, source.sizeBytes)) {
    await Promise.race([done, new Promise((resolve) => engine.write(chunk, resolve))]);
    if (over || stopped) break;
  }
  if (!over && !stopped) engine.end();
  await done;
  const consumedBytes = engine.bytesWritten;
  engine.destroy();
  return { consumedBytes, errorCode, stopped };
}

/** Reads a gzip file and what it holds; a name that promises a tar is held to it. */
export async function readGzipContent(source: ByteSource, reading: Reading): Promise<Inside> {
  const { name, findings, onContent } = reading;
  const tar = /\.(tar\.gz|tgz)$/i.test(name) ? new GzippedTar(reading) : null;
  const unpacked = await readGzip(source, findings.add, (bytes) => {
    if (tar === null) onContent(bytes);
    else tar.push(bytes);
  });
  if (unpacked === null) return nothingKnown;
  tar?.finish();
  findings.intact(`gzip: ${unpacked} bytes unpacked, CRC-32 and length are right`);
  return nothingKnown;
}

/** Feeds the content of a .tar.gz to the tar reader once its beginning shows that it is one. */
class GzippedTar {
  readonly #reading: Reading;
  readonly #tar: TarReader;
  #head: Buffer | undefined = Buffer.alloc(0);
  #isTar = false;

  constructor(reading: Reading) {
    this.#reading = reading;
    const { findings, onContent, onMemberEnd } = reading;
    this.#tar = new TarReader(findings.add, onContent, onMemberEnd);
  }

  push(bytes: Buffer): void {
    if (this.#head !== undefined) {
      this.#head = Buffer.concat([this.#head, bytes]);
      if (this.#head.length >= sniffHeadBytes) this.#decide();
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
      this.#reading.findings.add('gzip.not-tar', `the unpacked content is ${format}`, {
        expected: 'tar',
        found: format,
      });
    }
    this.#head = undefined;
  }
}
