import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import { writeVersionPackage } from '../../electron/core/bundle/version-package.ts';
import { readFirmwareImage } from '../../shared/formats/firmware-image.ts';

const install = 'sudo apt-get install -y srecord zip tar gzip';
let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-peers-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const context = { signal: new AbortController().signal, onProgress: () => undefined };

function peer(command: string, args: readonly string[]): string {
  try {
    return execFileSync(command, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw missing ? new Error(`${command} is missing: ${install}`) : error;
  }
}

async function verdict(name: string): Promise<string> {
  const files = [{ path: join(folder, name), name }];
  const fileTypes = ['.bin', '.s19', '.hex', '.gz', '.tar', '.zip'];
  return (await inspectFiles({ files, fileTypes }, context)).verdict;
}

describe('SRecord', () => {
  it.each([
    ['s19', ['-motorola', '--address-length=2', '--execution-start-address=0x100'], 40_000],
    ['s19', ['-motorola', '--address-length=4', '--execution-start-address=0x100'], 70_000],
    ['hex', ['-intel'], 70_000],
  ])('files that srec_cat makes as %s (%j) hold the same bytes', async (type, format, size) => {
    const bytes = randomBytes(size);
    writeFileSync(join(folder, 'in.bin'), bytes);
    const name = `out.${type}`;
    const place = ['in.bin', '-binary', '-offset', '0x100'];
    peer('srec_cat', [...place, '-o', name, ...format]);
    expect(await verdict(name)).toBe('pass');
    const { segments } = readFirmwareImage(name, readFileSync(join(folder, name)));
    expect(segments).toHaveLength(1);
    expect(segments[0]?.address).toBe(0x100);
    expect(bytes.equals(segments[0]?.bytes ?? new Uint8Array())).toBe(true);
  });

  it('and our reader refuse the same wrong checksum', async () => {
    const good = 'S00600004844521B\nS107000001020304EE\nS9030000FC\n';
    writeFileSync(join(folder, 'good.s19'), good);
    writeFileSync(join(folder, 'wrong.s19'), good.replace('EE', 'EF'));
    peer('srec_info', ['good.s19']);
    expect(await verdict('good.s19')).toBe('pass');
    expect(() => peer('srec_info', ['wrong.s19'])).toThrow(/checksum/);
    expect(await verdict('wrong.s19')).toBe('block');
  });
});

describe('nrf-intel-hex', () => {
  it('reads the same segments', () => {
    const load = createRequire(import.meta.url);
    const MemoryMap = load('nrf-intel-hex') as {
      fromHex(text: string): Map<number, Uint8Array>;
    };
    writeFileSync(join(folder, 'n.bin'), randomBytes(66_000));
    const two = ['(', 'n.bin', '-binary', '-crop', '0', '300', '1000', '66000', ')'];
    peer('srec_cat', [...two, '-offset', '0x8000000', '-o', 'n.hex', '-intel']);
    const bytes = readFileSync(join(folder, 'n.hex'));
    const theirs = [...MemoryMap.fromHex(bytes.toString())];
    const { segments } = readFirmwareImage('n.hex', bytes);
    expect(segments.map(({ address, bytes: own }) => [address, Buffer.from(own)])).toEqual(
      theirs.map(([address, own]) => [address, Buffer.from(own)]),
    );
  });
});

describe('gzip, tar and zip', () => {
  it('files of the tools pass, cut ones are refused by both', async () => {
    writeFileSync(join(folder, 'a.bin'), randomBytes(25_000).toString('hex'));
    peer('tar', ['cf', 'a.tar', 'a.bin']);
    peer('tar', ['czf', 'a.tar.gz', 'a.bin']);
    peer('zip', ['-q', 'a.zip', 'a.bin']);
    for (const [name, check] of [
      ['a.tar', ['tar', 'tf']],
      ['a.tar.gz', ['gzip', '-t']],
      ['a.zip', ['zip', '-T']],
    ] as const) {
      expect(await verdict(name)).toBe('pass');
      const cut = `cut-${name}`;
      const bytes = readFileSync(join(folder, name));
      writeFileSync(join(folder, cut), bytes.subarray(0, bytes.length / 2));
      const [command, option] = check;
      expect(() => peer(command, [option, cut])).toThrow();
      expect(await verdict(cut)).toBe('block');
    }
  });

  it('tar unpacks a version package', async () => {
    const bytes = randomBytes(1000);
    const path = join(folder, 'fw.bin');
    writeFileSync(path, bytes);
    const { createHash } = await import('node:crypto');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const file = { name: 'fw.bin', role: 'image', sizeBytes: 1000, sha256, format: 'raw' } as const;
    const outPath = join(folder, 'package.tar');
    await writeVersionPackage({ files: [{ path, file }], manifest: {}, outPath }, context);
    expect(peer('tar', ['tf', 'package.tar'])).toBe('manifest.json\nfw.bin\n');
    peer('tar', ['xf', 'package.tar', '--one-top-level=out']);
    expect(readFileSync(join(folder, 'out/fw.bin')).equals(bytes)).toBe(true);
  });
});
