import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flipped, InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const kernel = Buffer.from(Array.from({ length: 5003 }, (_, index) => ((index * 97) >> 2) & 0xff));

interface SourceOptions {
  readonly fdt?: string;
  readonly preferred?: string;
  readonly hash?: string;
}

function treeSource({ fdt = 'fdt-1', preferred = 'conf-1', hash = 'sha256' }: SourceOptions = {}) {
  const hashes = hash === '' ? '' : `hash-1 { algo = "crc32"; }; hash-2 { algo = "${hash}"; };`;
  return `/dts-v1/;
/ {
  description = "pump 7.8.9";
  #address-cells = <1>;
  images {
    kernel-1 {
      description = "kernel"; data = /incbin/("kernel"); type = "kernel"; arch = "arm";
      os = "linux"; compression = "none"; load = <0x80008000>; entry = <0x80008000>;
      ${hashes}
    };
    fdt-1 {
      description = "tree"; data = /incbin/("board.dtb"); type = "flat_dt"; arch = "arm";
      compression = "none"; hash-1 { algo = "sha1"; };
    };
  };
  configurations {
    default = "${preferred}";
    conf-1 { kernel = "kernel-1"; fdt = "${fdt}"; };
  };
};`;
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { cwd: bench.folder, stdio: 'pipe' });
}

/** Makes a FIT image with U-Boot's own tool. */
function mkimage(options: SourceOptions = {}, ...args: string[]): Buffer {
  writeFileSync(join(bench.folder, 'image.its'), treeSource(options));
  run('mkimage', '-f', 'image.its', ...args, 'image.itb');
  return readFileSync(join(bench.folder, 'image.itb'));
}

let whole: Buffer = Buffer.alloc(0);
let external: Buffer = Buffer.alloc(0);
let tree: Buffer = Buffer.alloc(0);
beforeAll(() => {
  writeFileSync(join(bench.folder, 'kernel'), kernel);
  writeFileSync(
    join(bench.folder, 'board.dts'),
    '/dts-v1/; / { compatible = "maker,pump", "st,stm32mp1"; memory { reg = <0 1>; }; };',
  );
  run('dtc', '-I', 'dts', '-O', 'dtb', '-o', 'board.dtb', 'board.dts');
  tree = readFileSync(join(bench.folder, 'board.dtb'));
  whole = mkimage();
  external = mkimage({}, '-E');
});

/** Where a text or the bytes of a value lie in the image. */
function find(image: Buffer, wanted: Buffer | string): number {
  const at = image.indexOf(wanted);
  expect(at).toBeGreaterThan(0);
  return at;
}

function withWord(image: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(image);
  copy.writeUInt32BE(value >>> 0, offset);
  return copy;
}

describe('FIT images and device trees', () => {
  it('passes images of mkimage with data inside and behind the tree', async () => {
    for (const [image, name] of [
      [whole, 'inside.itb'],
      [external, 'behind.itb'],
    ] as const) {
      const file = await bench.inspect(name, image, { version: '7.8.9' });
      expect(file.findings.map(({ rule }) => rule)).toEqual([
        'container.integrity',
        'identity.version-found',
        'file.hash',
      ]);
      expect(file.findings[0]?.detail).toBe('FIT: 2 images, 3 hashes are right');
      expect(file.segments).toEqual([{ start: 0x8000_8000, sizeBytes: kernel.length }]);
    }
  });

  it('passes a device tree and tells its boards', async () => {
    const { findings } = await bench.inspect('board.dtb', tree);
    expect(findings.map(({ rule }) => rule)).toEqual(['container.integrity', 'file.hash']);
    expect(findings[0]?.detail).toContain('2 nodes, every block lies inside, for maker,pump, st,');
  });

  it('tells the boards of a tree, of the trees inside an image and of its configurations', async () => {
    const boards = async (name: string, bytes: Buffer) =>
      (await bench.inspect(name, bytes)).identity?.hardware?.map(({ value }) => value);
    expect(await boards('board.dtb', tree)).toEqual(['maker,pump', 'st,stm32mp1']);
    expect(await boards('inside.itb', whole)).toEqual(['maker,pump', 'st,stm32mp1']);
    expect(await boards('behind.itb', external)).toEqual(['maker,pump', 'st,stm32mp1']);
    const named = treeSource().replace('conf-1 {', 'conf-1 { compatible = "maker,valve";');
    writeFileSync(join(bench.folder, 'named.its'), named);
    run('mkimage', '-f', 'named.its', 'named.itb');
    const image = readFileSync(join(bench.folder, 'named.itb'));
    expect(await boards('named.itb', image)).toEqual(['maker,valve', 'maker,pump', 'st,stm32mp1']);
  });

  it('tells when it was built, and that it is not signed', async () => {
    const { identity } = await bench.inspect('inside.itb', whole);
    expect(identity?.signed).toBe(false);
    expect(Math.abs(Date.parse(identity?.builtAt ?? '') - Date.now())).toBeLessThan(3_600_000);
  });

  it('names the image, the offset, and both values of a wrong hash', async () => {
    const image = flipped(whole, find(whole, kernel) + 4000);
    const { findings } = await bench.inspect('a.itb', image);
    const wrong = findings.filter(({ rule }) => rule === 'fit.hash');
    const stored = createHash('sha256').update(kernel).digest();
    expect(wrong.map(({ detail }) => detail)).toEqual([
      'crc32 of image "kernel-1"',
      'sha256 of image "kernel-1"',
    ]);
    expect(wrong[1]?.evidence).toMatchObject({
      member: 'kernel-1',
      offset: find(whole, stored),
      found: stored.toString('hex'),
    });
  });

  it.each([
    ['fit.truncated', () => whole.subarray(0, 39)],
    ['fit.truncated', () => whole.subarray(0, -1)],
    ['fit.truncated', () => external.subarray(0, -8)],
    ['fit.hash', () => flipped(external, find(external, kernel) + 4000)],
    ['fit.damaged', () => withWord(whole, 8, whole.length)],
    ['fit.damaged', () => withWord(whole, 8, 57)],
    ['fit.damaged', () => withWord(whole, 12, whole.length - 2)],
    ['fit.damaged', () => withWord(whole, 24, 99)],
    ['fit.damaged', () => withWord(whole, 36, 64)],
    ['fit.damaged', () => withWord(whole, whole.readUInt32BE(8), 7)],
    ['fit.damaged', () => withWord(whole, whole.readUInt32BE(8) + 12, 0x7fff_ffff)],
    ['fit.damaged', () => withWord(whole, whole.readUInt32BE(8) + 16, 0x7fff_ffff)],
    ['fit.missing-image', () => mkimage({ fdt: 'fdt-9' })],
    ['fit.default', () => mkimage({ preferred: 'conf-9' })],
    ['fit.no-hash', () => mkimage({ hash: '' })],
    ['fit.rest', () => Buffer.concat([whole, Buffer.from('more')])],
    ['fit.hash-not-checked', () => withText(whole, 'sha256\0', 'sha999\0')],
    ['fit.no-data', () => withText(whole, 'data\0', 'dada\0')],
  ])('tells %s', async (rule, make) => {
    const rules = await bench.rulesOf('a.itb', make());
    expect(rules).toContain(rule);
  });

  it('says of a signature that it was not checked', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    writeFileSync(join(bench.folder, 'dev.key'), pem);
    const node = 'signature-1 { algo = "sha256,rsa2048"; key-name-hint = "dev"; };';
    const text = treeSource().replace('hash-1 { algo = "sha1"; };', `$& ${node}`);
    writeFileSync(join(bench.folder, 'image.its'), text);
    run('mkimage', '-f', 'image.its', 'unsigned.itb');
    const unsigned = readFileSync(join(bench.folder, 'unsigned.itb'));
    expect(await bench.rulesOf('a.itb', unsigned)).not.toContain('fit.signature');
    run('mkimage', '-f', 'image.its', '-k', '.', '-r', 'signed.itb');
    const signed = readFileSync(join(bench.folder, 'signed.itb'));
    expect((await bench.inspect('a.itb', signed)).identity?.signed).toBe(true);
    expect(await bench.rulesOf('a.itb', signed)).toEqual([
      'fit.signature',
      'container.integrity',
      'file.hash',
    ]);
  });

  it('stops at data that many hashes would read again and again', async () => {
    const nodes = Array.from({ length: 40 }, (_, index) => `hash-${index} { algo = "crc32"; };`);
    const text = treeSource({ hash: '' }).replace('entry = <0x80008000>;', nodes.join(' '));
    writeFileSync(join(bench.folder, 'image.its'), text);
    run('mkimage', '-f', 'image.its', 'many.itb');
    const rules = await bench.rulesOf('a.itb', readFileSync(join(bench.folder, 'many.itb')));
    expect(rules).toContain('fit.hash-not-checked');
  });
});

/** Replaces a text of the structure or strings; a longer one takes the padding behind it. */
function withText(image: Buffer, from: string, to: string): Buffer {
  const copy = Buffer.from(image);
  copy.write(to, find(image, from), 'latin1');
  return copy;
}
