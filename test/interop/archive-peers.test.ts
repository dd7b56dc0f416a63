import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRarHeaders } from '../../shared/formats/rar.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { flipped, InspectBench } from '../support/inspect.ts';
import { peer } from '../support/peers.ts';
import { rarSample } from '../support/rar-samples.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());
const at = (...parts: string[]): string => join(bench.folder, ...parts);
const longName = `fw/${'long-'.repeat(30)}/image-ü.bin`;

beforeAll(() => {
  mkdirSync(at(longName, '..'), { recursive: true });
  writeFileSync(at(longName), randomBytes(3000));
  writeFileSync(at('fw/readme.txt'), 'hello\n'.repeat(500));
  writeFileSync(at('fw/empty'), '');
});

/** Runs a program in the folder with the files; it must end well. */
async function make(command: string, debian: string): Promise<void> {
  const [tool = ''] = command.split(' ');
  const script = `command -v ${tool} >/dev/null || exit 127; ${command}`;
  const { code, stderr } = await peer('sh', ['-c', `cd ${bench.folder} && ${script}`]);
  if (code === 127) throw new Error(`${tool} is missing: apt-get install ${debian}`);
  if (code !== 0) throw new Error(`${command}: ${stderr}`);
}
const rulesOf = (name: string, bytes: Uint8Array = readFileSync(at(name))): Promise<string[]> =>
  bench.rulesOf(name, bytes, { fileTypes: ['.tar', '.zip', '.rar', '.gz', '.xz', '.zst'] });

describe('tar', () => {
  it.each([
    ['GNU tar, pax', 'tar --format=pax -cf a.tar fw', 'tar'],
    ['GNU tar, gnu', 'tar --format=gnu -cf a.tar fw', 'tar'],
    ['GNU tar, with a label', 'tar -V release -cf a.tar fw', 'tar'],
    ['bsdtar, pax', 'bsdtar --format=pax -cf a.tar fw', 'libarchive-tools'],
    ['bsdtar, gnutar', 'bsdtar --format=gnutar -cf a.tar fw', 'libarchive-tools'],
    ['bsdtar, ustar', 'bsdtar --format=ustar -cf a.tar fw', 'libarchive-tools'],
    ['bsdtar, v7', 'bsdtar --format=v7tar -cf a.tar fw/readme.txt fw/empty', 'libarchive-tools'],
  ])('%s: passes', async (_what, command, debian) => {
    await make(command, debian);
    expect(await rulesOf('a.tar')).toEqual(['container.integrity', 'file.hash']);
  });

  it.each([
    ['--format=gnu --sparse'],
    ['--format=pax --sparse --sparse-version=0.0'],
    ['--format=pax --sparse --sparse-version=0.1'],
    ['--format=pax --sparse --sparse-version=1.0'],
  ])('sparse files of GNU tar %s are told as not checked, and nothing else', async (options) => {
    writeFileSync(at('holes'), 'begin');
    truncateSync(at('holes'), 3_000_000);
    writeFileSync(at('holes'), 'end', { flag: 'a' });
    await make(`tar ${options} -cf s.tar holes fw`, 'tar');
    expect(await rulesOf('s.tar')).toEqual(['tar.sparse', 'container.integrity', 'file.hash']);
  });

  it.each([
    ['gz', 'tar -czf a.tar.gz fw'],
    ['xz', 'tar -cJf a.tar.xz fw'],
    ['zst', 'tar --zstd -cf a.tar.zst fw'],
  ])('a tar.%s passes', async (extension, command) => {
    await make(command, 'tar xz-utils zstd');
    const rules = await rulesOf(`a.tar.${extension}`);
    expect(rules).toEqual(['container.integrity', 'file.hash']);
  });

  it('what bsdtar refuses is refused', async () => {
    await make('tar --format=ustar -cf f.tar fw/readme.txt fw/empty', 'tar');
    const bytes = readFileSync(at('f.tar'));
    for (const offset of [0, 101, 120, 125, 130, 148, 257, 300]) {
      const wrong = flipped(bytes, offset);
      writeFileSync(at('wrong.tar'), wrong);
      const theirs = await peer('bsdtar', ['-tf', at('wrong.tar')], 'libarchive-tools');
      const rules = await rulesOf('f.tar', wrong);
      const ours = rules.some((rule) => /^tar\.|type-mismatch/.test(rule));
      if (theirs.code !== 0) expect(ours, `byte ${offset}: ${rules.join(' ')}`).toBe(true);
    }
  });
});

describe('zip', () => {
  it.each([
    ['Info-ZIP', 'rm -f a.zip; zip -qr a.zip fw', 'zip'],
    ['Info-ZIP, stored', 'rm -f a.zip; zip -0qr a.zip fw', 'zip'],
    ['Info-ZIP, with a comment', 'rm -f a.zip; zip -qr a.zip fw; echo note | zip -qz a.zip', 'zip'],
    ['Info-ZIP, as a stream', 'zip -qr - fw | cat > a.zip', 'zip'],
    ['Info-ZIP, zip64', 'cat fw/readme.txt | zip -q - - | cat > a.zip', 'zip'],
    ['bsdtar', 'bsdtar --format=zip -cf a.zip fw', 'libarchive-tools'],
    [
      'Python, zip64',
      `python3 -c "import zipfile; z = zipfile.ZipFile('a.zip', 'w'); f = z.open('x', 'w', force_zip64=True); f.write(b'data'); f.close(); z.close()"`,
      'python3',
    ],
  ])('%s: passes, as unzip -t says', async (_what, command, debian) => {
    await make(command, debian);
    await make('unzip -tqq a.zip', 'unzip');
    const rules = await rulesOf('a.zip');
    expect(rules.filter((rule) => rule !== 'file.hash')).toEqual(['container.integrity']);
  });

  it('what unzip refuses is refused', async () => {
    await make('rm -f f.zip; zip -qj f.zip fw/readme.txt fw/empty', 'zip');
    const bytes = readFileSync(at('f.zip'));
    for (let offset = 4; offset < bytes.length; offset += 11) {
      const wrong = flipped(bytes, offset, 0x40);
      writeFileSync(at('wrong.zip'), wrong);
      const { code } = await peer('unzip', ['-tqq', at('wrong.zip')], 'unzip');
      const rules = await rulesOf('f.zip', wrong);
      const ours = rules.some((rule) => /^zip\.|type-mismatch/.test(rule));
      // 1 is a warning, about a time for example.
      if (code > 1) expect(ours, `byte ${offset}: ${rules.join(' ')}`).toBe(true);
    }
  });
});

describe('rar', () => {
  // Solid archives of RAR 3 are not read by bsdtar.
  it.each(['rar3Subfolders', 'rar5Crc', 'rar5Solid', 'rar5Subfolders'] as const)(
    '%s has the members that bsdtar lists',
    async (sample) => {
      const bytes = rarSample(sample);
      writeFileSync(at('s.rar'), bytes);
      const theirs = await peer('bsdtar', ['-tf', at('s.rar')], 'libarchive-tools');
      expect(theirs.code).toBe(0);
      const members = await readRarHeaders(memorySource(bytes), () => undefined);
      const names = theirs.stdout.trimEnd().split('\n');
      expect(members).toHaveLength(names.length);
      const plain = names.filter((name) => /^[\w./-]+$/.test(name));
      const ours = members?.map(({ name }) => name);
      for (const name of plain) expect(ours).toContain(name.replace(/\/$/, ''));
    },
  );
});

it('names formats as `file` does', async () => {
  await make('tar -cf n.tar fw && gzip -kf n.tar && xz -kf n.tar && zstd -qkf n.tar', 'xz-utils');
  await make('rm -f n.zip; zip -qr n.zip fw', 'zip');
  writeFileSync(at('n.rar'), rarSample('rar5Crc'));
  for (const [name, ours, theirs] of [
    ['n.tar', 'tar', 'application/x-tar'],
    ['n.tar.gz', 'gzip', 'application/gzip'],
    ['n.tar.xz', 'xz', 'application/x-xz'],
    ['n.tar.zst', 'zstd', 'application/zstd'],
    ['n.zip', 'zip', 'application/zip'],
    ['n.rar', 'rar', 'application/x-rar'],
  ] as const) {
    const { stdout } = await peer('file', ['-b', '--mime-type', at(name)]);
    expect(stdout.trim()).toBe(theirs);
    expect((await bench.inspect(name, readFileSync(at(name)))).format).toBe(ours);
  }
});
