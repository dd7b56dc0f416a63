import type { ImageSegment } from '../domain/finding.ts';
import type { ImageIdentity } from '../domain/image-identity.ts';
import type { ByteSource } from './byte-source.ts';
import type { Processor } from './processor.ts';

/** What a reader learned about an image that it could read to its end. */
export interface ImageFacts {
  /** What was checked, for the finding that tells that all is well. */
  readonly summary: string;
  /** Where the bytes go in the target's memory; empty when the image names no addresses. */
  readonly segments: readonly ImageSegment[];
  /** Version of the product as the image's own descriptor tells it. */
  readonly version?: string;
  /** Processors that the machine code inside runs on. */
  readonly processor?: Processor;
  /** What else the image says about itself: hardware, signature, counter, date. */
  readonly identity?: Omit<ImageIdentity, 'version'>;
  /** Whether a text inside cannot be searched because the content is compressed. */
  readonly compressed: boolean;
}

/** Hashes and the CRC-32 of zip, whose digest is big-endian. */
export type HashAlgorithm = 'crc32' | 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512';

/** A hash that is fed in pieces. */
export interface ContentHash {
  update(bytes: Uint8Array): void;
  digest(): Uint8Array;
}

/** Begins a hash; injected, because this folder knows no platform. */
export type StartHash = (algorithm: HashAlgorithm) => ContentHash;

const windowBytes = 1024 * 1024;

/** Yields the bytes `from..to` of a source in windows of 1 MiB, fewer at the end of the content. */
export async function* readRange(
  source: ByteSource,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  for (let offset = from; offset < to; ) {
    const bytes = await source.read(offset, Math.min(windowBytes, to - offset));
    if (bytes.length === 0) return;
    offset += bytes.length;
    yield bytes;
  }
}

/** Offset of the first byte from `from` on that is neither 00 nor FF, or null: padding is one of the two. */
export async function firstForeignByte(source: ByteSource, from: number): Promise<number | null> {
  let offset = from;
  for await (const bytes of readRange(source, from, source.sizeBytes)) {
    const at = bytes.findIndex((byte) => byte !== 0 && byte !== 0xff);
    if (at >= 0) return offset + at;
    offset += bytes.length;
  }
  return null;
}

/** A view on exactly these bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Lower-case hexadecimal digits. */
export function hexText(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** A text field that ends at its first NUL; what is not printable ASCII becomes "?". */
export function fieldText(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  const used = end < 0 ? bytes : bytes.subarray(0, end);
  return Array.from(used, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?',
  ).join('');
}
