import type { ByteSource } from './byte-source.ts';
import { crc32 } from './crc32.ts';
import {
  fieldText,
  firstForeignByte,
  type ImageFacts,
  readRange,
  type StartHash,
  viewOf,
} from './image-facts.ts';
import { hexAddress, type Report } from './report.ts';

const headerBytes = 64;
const mostParts = 256;

const systems: ReadonlyMap<number, string> = new Map([
  [2, 'NetBSD'],
  [5, 'Linux'],
  [14, 'VxWorks'],
  [17, 'U-Boot'],
  [18, 'RTEMS'],
  [25, 'OpenSBI'],
  [26, 'Arm Trusted Firmware'],
]);
const architectures: ReadonlyMap<number, string> = new Map([
  [2, 'Arm'],
  [3, 'x86'],
  [5, 'MIPS'],
  [6, 'MIPS64'],
  [7, 'PowerPC'],
  [9, 'SuperH'],
  [14, 'NIOS-II'],
  [18, 'AVR32'],
  [20, 'Sandbox'],
  [22, 'Arm64'],
  [23, 'ARC'],
  [24, 'x86-64'],
  [25, 'Xtensa'],
  [26, 'RISC-V'],
]);
const types: ReadonlyMap<number, string> = new Map([
  [1, 'standalone program'],
  [2, 'kernel'],
  [3, 'RAM disk'],
  [4, 'multi-file'],
  [5, 'firmware'],
  [6, 'script'],
  [7, 'filesystem'],
  [8, 'device tree'],
  [14, 'kernel without load address'],
]);
const compressions: ReadonlyMap<number, string> = new Map([
  [0, 'not compressed'],
  [1, 'gzip'],
  [2, 'bzip2'],
  [3, 'LZMA'],
  [4, 'LZO'],
  [5, 'LZ4'],
  [6, 'zstd'],
]);
const multiFile = 4;

function named(names: ReadonlyMap<number, string>, id: number, kind: string): string {
  return names.get(id) ?? `${kind} ${id}`;
}

/**
 * Reads a legacy U-Boot image: CRC-32 of the header and of the data, the size, and the parts of a
 * multi-file image. Returns null after a blocking report.
 * Source: U-Boot, include/image.h (`struct legacy_img_hdr`); all numbers are big-endian.
 */
export async function readUimage(
  source: ByteSource,
  report: Report,
  startHash: StartHash,
): Promise<ImageFacts | null> {
  const header = Uint8Array.from(await source.read(0, headerBytes));
  if (header.length < headerBytes) {
    report('uimage.truncated', 'the header is not whole', { offset: header.length });
    return null;
  }
  const view = viewOf(header);
  const headerCrc = view.getUint32(4);
  view.setUint32(4, 0);
  if (!sameCrc(crc32(header), headerCrc, 4, 'uimage.header-crc', report)) return null;
  const sizeBytes = view.getUint32(12);
  const end = headerBytes + sizeBytes;
  if (end > source.sizeBytes) {
    report('uimage.truncated', 'the data reaches beyond the end', {
      offset: 12,
      expected: `${end} bytes`,
      found: `${source.sizeBytes} bytes`,
    });
    return null;
  }
  const hash = startHash('crc32');
  for await (const bytes of readRange(source, headerBytes, end)) hash.update(bytes);
  const dataCrc = viewOf(hash.digest()).getUint32(0);
  if (!sameCrc(dataCrc, view.getUint32(24), 24, 'uimage.data-crc', report)) return null;
  const type = view.getUint8(30);
  if (type === multiFile && !(await checkParts(source, sizeBytes, report))) return null;
  const load = view.getUint32(16);
  const compression = view.getUint8(31);
  const compressed = compression !== 0;
  report(
    'uimage.header',
    [
      `"${fieldText(header.subarray(32))}"`,
      named(systems, view.getUint8(28), 'system'),
      named(architectures, view.getUint8(29), 'architecture'),
      named(types, type, 'type'),
      named(compressions, compression, 'compression'),
      `load ${hexAddress(load)}`,
      `entry ${hexAddress(view.getUint32(20))}`,
    ].join(', '),
    { offset: 28 },
  );
  const foreign = await firstForeignByte(source, end);
  if (foreign !== null) {
    report('uimage.rest', `${source.sizeBytes - end} bytes follow the image`, { offset: foreign });
  }
  const builtSec = view.getUint32(8);
  return {
    ...(builtSec === 0 ? {} : { identity: { builtAt: new Date(builtSec * 1000).toISOString() } }),
    summary: `uImage: ${sizeBytes} bytes of data, header and data CRC-32 are right`,
    // Where compressed data goes is known, but not how much memory it takes there.
    segments: compressed || load === 0 || sizeBytes === 0 ? [] : [{ start: load, sizeBytes }],
    compressed,
  };
}

function sameCrc(
  expected: number,
  found: number,
  offset: number,
  rule: 'uimage.header-crc' | 'uimage.data-crc',
  report: Report,
): boolean {
  if (expected === found) return true;
  report(rule, 'the CRC-32 of the bytes is another', {
    offset,
    expected: hexAddress(expected),
    found: hexAddress(found),
  });
  return false;
}

/** A multi-file image begins with the sizes of its parts, closed by 0; each part is padded to 4 bytes. */
async function checkParts(source: ByteSource, sizeBytes: number, report: Report): Promise<boolean> {
  const list = await source.read(headerBytes, Math.min(sizeBytes, (mostParts + 1) * 4));
  const view = viewOf(list);
  let sum = 0;
  for (let at = 0; at + 4 <= list.length; at += 4) {
    const part = view.getUint32(at);
    if (part !== 0) {
      sum += part + ((4 - (part % 4)) % 4);
      continue;
    }
    // The last part need not be padded.
    const most = at + 4 + sum;
    if (most - 3 <= sizeBytes) return true;
    report('uimage.parts', 'the parts are larger than the data', {
      offset: headerBytes,
      expected: `at most ${sizeBytes} bytes`,
      found: `${most} bytes`,
    });
    return false;
  }
  report('uimage.parts', 'the list of part sizes has no end', { offset: headerBytes });
  return false;
}
