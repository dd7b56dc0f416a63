import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { tarOf } from '../support/archives.ts';
import { flipped, InspectBench } from '../support/inspect.ts';
import { peer } from '../support/peers.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());
const fileTypes = ['.xz', '.zst'];
const secret = 'url = https://ota:Xy7-kQ92@cloud.test/fw\n';
/** Text that compresses well, and part of this program that does not. */
const content = Buffer.concat([
  Buffer.from('firmware 4.5.6 '.repeat(2000)),
  readFileSync(process.execPath).subarray(5_000_000, 5_100_000),
  Buffer.from(secret),
]);

/** Runs a compressor on bytes and answers the file that it wrote. */
async function made(tool: string, args: readonly string[], bytes: Uint8Array, debian: string) {
  const path = join(bench.folder, `in-${Math.random().toString(16).slice(2)}`);
  const out = `${path}.out`;
  writeFileSync(path, bytes);
  const command = `exec ${tool} ${args.join(' ')} -c ${path} > ${out}`;
  const { code, stderr } = await peer('sh', [
    '-c',
    `command -v ${tool} >/dev/null || exit 127; ${command}`,
  ]);
  if (code === 127) throw new Error(`${tool} is missing: apt-get install ${debian}`);
  if (code !== 0) throw new Error(stderr);
  return readFileSync(out);
}
const xz = (args: readonly string[], bytes: Uint8Array = content) =>
  made('xz', args, bytes, 'xz-utils');

const rulesOf = (name: string, bytes: Uint8Array, extra = {}) =>
  bench.rulesOf(name, bytes, { fileTypes, ...extra });

describe('xz', () => {
  it.each([
    ['crc32', 'CRC-32 is right'],
    ['crc64', 'CRC-64 is right'],
    ['sha256', 'SHA-256 is right'],
    ['none', 'it has no checksum'],
  ])('files with the check %s pass, and their content is searched', async (check, told) => {
    const bytes = await xz([`--check=${check}`]);
    const file = await bench.inspect('a.xz', bytes, { fileTypes, version: '4.5.6' });
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'container.integrity',
      'secret.url-credentials',
      'identity.version-found',
      'file.hash',
    ]);
    expect(file.findings[0]?.detail).toBe(`xz: ${content.length} bytes unpacked, ${told}`);
  });

  it('files in blocks, in several streams and with padding between them pass', async () => {
    const blocks = await xz(['--block-size=20KiB', '-T2']);
    const [one, two] = [
      await xz([], Buffer.from('one')),
      await xz(['--check=crc32'], Buffer.from('two')),
    ];
    for (const bytes of [
      blocks,
      Buffer.concat([one, two]),
      Buffer.concat([one, Buffer.alloc(8), two, Buffer.alloc(4)]),
      await xz([], Buffer.alloc(0)),
    ]) {
      const rules = await rulesOf('b.xz', bytes);
      expect(rules).toContain('container.integrity');
      expect(rules.filter((rule) => rule.startsWith('xz.'))).toEqual([]);
    }
  });

  it('a tar.xz is opened, and one that holds no tar is told', async () => {
    const tar = tarOf([['etc/wifi.txt', Buffer.from(secret)]]);
    const { findings } = await bench.inspect('fs.tar.xz', await xz([], tar), { fileTypes });
    const finding = findings.find(({ rule }) => rule === 'secret.url-credentials');
    expect(finding?.evidence.member).toBe('etc/wifi.txt');
    expect(await rulesOf('no.tar.xz', await xz([]))).toContain('xz.not-tar');
  });

  it('other filters and large dictionaries are told as not unpacked, never as a pass', async () => {
    for (const args of [['--x86', '--lzma2'], ['--delta', '--lzma2'], ['--lzma2=dict=128MiB']]) {
      const rules = await rulesOf('f.xz', await xz(args));
      expect(rules, args.join(' ')).toEqual(['xz.not-unpacked', 'file.hash']);
    }
    const inner = await xz([], await xz([]));
    expect(await rulesOf('two.xz', inner)).toContain('xz.not-unpacked');
  });

  it('an absurd dictionary costs nothing', async () => {
    const bytes = await xz([]);
    // The size of the dictionary is the last byte before the padding of the block header.
    const at = bytes.indexOf(Buffer.from([0x21, 0x01])) + 2;
    bytes[at] = 40;
    const end = 12 + ((bytes[12] ?? 0) + 1) * 4 - 4;
    const { crc32 } = await import('node:zlib');
    bytes.writeUInt32LE(crc32(bytes.subarray(12, end)), end);
    const { findings } = await bench.inspect('d.xz', bytes, { fileTypes });
    const finding = findings.find(({ rule }) => rule === 'xz.not-unpacked');
    expect(finding?.evidence.found).toBe('4294967295 bytes');
  });

  it('a bomb is stopped', async () => {
    const bytes = await xz(['-9'], Buffer.alloc(50_000_000));
    expect(await rulesOf('bomb.xz', bytes)).toContain('xz.bomb');
  });

  it('a flip of any byte and a cut at any place are refused, as by xz', async () => {
    const bytes = await xz(['--block-size=2KiB', '-T2'], content.subarray(29_000, 33_000));
    const path = join(bench.folder, 'flip.xz');
    for (let at = 0; at < bytes.length; at += at < 60 || at > bytes.length - 80 ? 1 : 97) {
      const rules = await rulesOf('flip.xz', flipped(bytes, at, 0x10));
      const blocked = rules.filter((rule) => /^xz\.|type-mismatch/.test(rule));
      expect(blocked, `byte ${at}: ${rules.join(' ')}`).toHaveLength(1);
    }
    writeFileSync(path, flipped(bytes, 100, 0x10));
    expect((await peer('xz', ['-t', path], 'xz-utils')).code).not.toBe(0);
    for (let size = 13; size < bytes.length; size += 61) {
      expect(await rulesOf('cut.xz', bytes.subarray(0, size)), `${size}`).toContain('xz.truncated');
    }
    expect(await rulesOf('more.xz', Buffer.concat([bytes, Buffer.from('more')]))).toContain(
      'xz.trailing',
    );
    expect(await rulesOf('pad.xz', Buffer.concat([bytes, Buffer.alloc(3)]))).toContain(
      'xz.trailing',
    );
  });
});

describe('zstd', () => {
  const zstd = (args: readonly string[], bytes: Uint8Array = content) =>
    made('zstd', args, bytes, 'zstd');

  it.each([
    [['-1'], 'XXH64 is right'],
    [['-19'], 'XXH64 is right'],
    [['--no-check'], 'it has no checksum'],
    [['--no-content-size'], 'XXH64 is right'],
  ])('files made with %j pass, and their content is searched', async (args, told) => {
    const bytes = await zstd(args);
    const file = await bench.inspect('a.zst', bytes, { fileTypes, version: '4.5.6' });
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'container.integrity',
      'secret.url-credentials',
      'identity.version-found',
      'file.hash',
    ]);
    expect(file.findings[0]?.detail).toBe(`zstd: ${content.length} bytes unpacked, ${told}`);
  });

  it('files of one byte, of several frames and with skippable frames pass', async () => {
    const skippable = Buffer.from('502a4d180300000061626300', 'hex').subarray(0, 11);
    const one = await zstd([], Buffer.from('x'));
    for (const bytes of [
      one,
      await zstd([], Buffer.alloc(0)),
      await zstd(['--no-check'], Buffer.from('x')),
      await zstd([], Buffer.alloc(300_000, 'ab')),
      Buffer.concat([one, await zstd([])]),
      Buffer.concat([skippable, one, skippable]),
    ]) {
      const rules = await rulesOf('b.zst', bytes);
      expect(rules).toContain('container.integrity');
      expect(rules.filter((rule) => rule.startsWith('zstd.'))).toEqual([]);
    }
  });

  it('a tar.zst is opened, and one that holds no tar is told', async () => {
    const tar = tarOf([['etc/wifi.txt', Buffer.from(secret)]]);
    const { findings } = await bench.inspect('fs.tar.zst', await zstd([], tar), { fileTypes });
    const finding = findings.find(({ rule }) => rule === 'secret.url-credentials');
    expect(finding?.evidence.member).toBe('etc/wifi.txt');
    expect(await rulesOf('no.tar.zst', await zstd([]))).toContain('zstd.not-tar');
  });

  it('absurd windows and dictionaries are told as not unpacked, never as a pass', async () => {
    // A window of 3.75 TiB: exponent 31, mantissa 7.
    const absurd = Buffer.from('28b52ffd00ff010000', 'hex');
    const { findings } = await bench.inspect('w.zst', absurd, { fileTypes });
    const finding = findings.find(({ rule }) => rule === 'zstd.not-unpacked');
    expect(finding?.evidence.found).toBe(`${2 ** 41 * (1 + 7 / 8)} bytes`);
    const dictionary = Buffer.from('28b52ffd010007010000', 'hex');
    expect(await rulesOf('d.zst', dictionary)).toContain('zstd.not-unpacked');
  });

  it('a bomb is stopped', async () => {
    const bytes = await zstd(['-19'], Buffer.alloc(50_000_000));
    expect(await rulesOf('bomb.zst', bytes)).toContain('zstd.bomb');
  });

  it('a flip of any byte and a cut at any place are refused, as by zstd', async () => {
    const bytes = await zstd(['-19'], content.subarray(29_000, 33_000));
    const path = join(bench.folder, 'flip.zst');
    for (let at = 0; at < bytes.length; at += at < 40 || at > bytes.length - 20 ? 1 : 29) {
      const rules = await rulesOf('flip.zst', flipped(bytes, at, 0x10));
      const told = rules.filter((rule) => /^zstd\.|type-mismatch/.test(rule));
      writeFileSync(path, flipped(bytes, at, 0x10));
      const { code } = await peer('zstd', ['-q', '-t', path], 'zstd');
      if (code !== 0) expect(told, `byte ${at}: ${rules.join(' ')}`).toHaveLength(1);
    }
    for (let size = 9; size < bytes.length; size += 61) {
      expect(await rulesOf('cut.zst', bytes.subarray(0, size)), `${size}`).toContain(
        'zstd.truncated',
      );
    }
    const more = Buffer.concat([bytes, Buffer.from('more bytes')]);
    expect(await rulesOf('more.zst', more)).toContain('zstd.trailing');
  });
});
