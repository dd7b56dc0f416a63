import { problem } from '../domain/problem.ts';
import { IntelHexReader } from './intel-hex.ts';
import { throwingReport } from './report.ts';
import { SRecordReader } from './s-record.ts';
import { sniff, sniffHeadBytes } from './sniff.ts';

/** An image ready to be written to a chip. */
export interface FirmwareImage {
  readonly format: 's-record' | 'intel-hex' | 'raw';
  /** Merged and ascending; `address` is null for a raw image, whose place the caller knows. */
  readonly segments: readonly {
    readonly address: number | null;
    readonly bytes: Uint8Array;
  }[];
}

/** Containers that would brick a chip if written as they are. */
const notAnImage: ReadonlySet<string> = new Set([
  'elf',
  'uf2',
  'zip',
  'rar',
  'tar',
  'gzip',
  'xz',
  'zstd',
  'bsdiff40',
  'bsdiff43',
  'vcdiff',
  'hdiff',
  'detools',
  'hpatchlite',
]);

/**
 * Reads an S-record, Intel HEX or raw image; anything that is damaged or not an image is refused
 * with the line and column or the offset.
 */
export function readFirmwareImage(name: string, bytes: Uint8Array): FirmwareImage {
  if (bytes.length === 0) {
    throw problem(
      'file.empty',
      'The image is empty',
      `${name} has 0 bytes.`,
      'Export it again.',
      'gate',
    );
  }
  const format = sniff(bytes.subarray(0, sniffHeadBytes));
  const report = throwingReport(name);
  if (format === 's-record' || format === 'intel-hex') {
    const reader = format === 's-record' ? new SRecordReader(report) : new IntelHexReader(report);
    reader.push(bytes);
    return { format, segments: reader.finish().segments };
  }
  const extension = /\.(s19|s28|s37|mot|srec|hex|ihex)$/i.exec(name)?.[0];
  if (notAnImage.has(format) || extension !== undefined) {
    throw problem(
      'file.type-mismatch',
      'This is not a firmware image',
      `${name}, offset 0: the content is ${format}.`,
      'Pick the raw binary, S-record or Intel HEX image.',
      'gate',
    );
  }
  return { format: 'raw', segments: [{ address: null, bytes }] };
}
