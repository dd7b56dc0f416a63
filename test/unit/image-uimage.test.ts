import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flipped, InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const content = Buffer.from(
  Array.from({ length: 3001 }, (_, index) => ((index * index) >> 3) & 0xff),
);

/** Makes an image with U-Boot's own tool. */
function mkimage(...args: string[]): Buffer {
  const out = join(bench.folder, 'made.img');
  execFileSync('mkimage', [...args, out], { cwd: bench.folder, stdio: 'pipe' });
  return readFileSync(out);
}

const kernel = ['-A', 'arm', '-O', 'linux', '-a', '0x80008000', '-e', '0x80008040'] as const;
let whole: Buffer = Buffer.alloc(0);
let multi: Buffer = Buffer.alloc(0);
let packed: Buffer = Buffer.alloc(0);
beforeAll(() => {
  writeFileSync(join(bench.folder, 'data'), content);
  writeFileSync(join(bench.folder, 'data.gz'), gzipSync(content));
  whole = mkimage(...kernel, '-T', 'kernel', '-C', 'none', '-n', 'pump 4.5.6', '-d', 'data');
  packed = mkimage(...kernel, '-T', 'kernel', '-C', 'gzip', '-n', 'pump', '-d', 'data.gz');
  multi = mkimage(...kernel, '-T', 'multi', '-C', 'none', '-n', 'two', '-d', 'data:data.gz');
});

/** Changes the header and makes its CRC right again. */
function withHeader(image: Buffer, change: (header: Buffer) => void): Buffer {
  const copy = Buffer.from(image);
  change(copy);
  copy.writeUInt32BE(0, 4);
  copy.writeUInt32BE(crc32(copy.subarray(0, 64)), 4);
  return copy;
}

/** Changes the data and makes both CRCs right again. */
function withData(image: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(image);
  change(copy);
  return withHeader(copy, (header) => header.writeUInt32BE(crc32(copy.subarray(64)), 24));
}

describe('uImage files', () => {
  it('passes images of mkimage and tells what the header says', async () => {
    const file = await bench.inspect('kernel.bin', whole, { version: '4.5.6' });
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'uimage.header',
      'container.integrity',
      'identity.version-found',
      'file.hash',
    ]);
    expect(file.findings[0]?.detail).toBe(
      '"pump 4.5.6", Linux, Arm, kernel, not compressed, load 0x80008000, entry 0x80008040',
    );
    expect(file.segments).toEqual([{ start: 0x8000_8000, sizeBytes: 3001 }]);
    for (const image of [packed, multi]) {
      expect(await bench.rulesOf('other.bin', image)).toEqual([
        'uimage.header',
        'container.integrity',
        'file.hash',
      ]);
    }
  });

  it('does not blame compressed data for hiding the version', async () => {
    const rules = await bench.rulesOf('packed.bin', packed, { version: '4.5.6' });
    expect(rules).not.toContain('identity.version-not-found');
    const plain = await bench.rulesOf('plain.bin', whole, { version: '9.9.9' });
    expect(plain).toContain('identity.version-not-found');
  });

  it('passes padding and tells other bytes behind the data', async () => {
    const padded = Buffer.concat([whole, Buffer.alloc(3000, 0xff)]);
    expect(await bench.rulesOf('padded.bin', padded)).not.toContain('uimage.rest');
    const more = Buffer.concat([padded, Buffer.from('hsqs')]);
    expect(await bench.rulesOf('more.bin', more)).toContain('uimage.rest');
  });

  it.each([
    ['uimage.truncated', () => whole.subarray(0, 63)],
    ['uimage.truncated', () => whole.subarray(0, -1)],
    ['uimage.header-crc', () => flipped(whole, 4)],
    ['uimage.header-crc', () => flipped(whole, 40)],
    ['uimage.data-crc', () => flipped(whole, 64)],
    ['uimage.data-crc', () => flipped(whole, whole.length - 1, 0x80)],
    ['uimage.data-crc', () => withHeader(whole, (bytes) => bytes.writeUInt32BE(2999, 12))],
    ['uimage.parts', () => withHeader(whole, (bytes) => bytes.writeUInt8(4, 30))],
    ['uimage.parts', () => withData(multi, (bytes) => bytes.writeUInt32BE(9000, 64))],
  ])('tells %s', async (rule, bytes) => {
    const rules = await bench.rulesOf('a.bin', bytes());
    expect(rules).toContain(rule);
    expect(rules).not.toContain('container.integrity');
  });
});
