import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import type { Finding } from '../../shared/domain/finding.ts';
import { tarOf, zip, zipOf } from '../support/archives.ts';
import { flipped, InspectBench } from '../support/inspect.ts';
import { imgtoolImage } from '../support/mcuboot-images.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const image = imgtoolImage('ecdsa');
const text = Buffer.from('readme\n');
const secret = Buffer.from('url = https://ota:Xy7-kQ92@cloud.test/fw\n');

async function findingsOf(
  name: string,
  bytes: Uint8Array,
  extra: Parameters<InspectBench['inspect']>[2] = {},
): Promise<Finding[]> {
  return (await bench.inspect(name, bytes, extra)).findings;
}

/** `rule at member` of every finding. */
async function placesOf(...args: Parameters<typeof findingsOf>): Promise<string[]> {
  const findings = await findingsOf(...args);
  return findings.map(({ rule, evidence }) =>
    evidence.member === undefined ? rule : `${rule} at ${evidence.member}`,
  );
}

describe('files in archives', () => {
  const files = [
    ['docs/readme.txt', text],
    ['fw/app.bin', image],
  ] as const;
  const parts = files.map(([name, content]) => ({ name, content }));

  it.each([
    ['a.zip', zipOf(parts)],
    ['a.tar', tarOf(files)],
    ['a.tar.gz', gzipSync(tarOf(files))],
  ])(
    '%s: an image inside is read by its own reader and told with its path',
    async (name, bytes) => {
      const places = await placesOf(name, bytes);
      expect(places).toContain('mcuboot.header at fw/app.bin');
      expect(places).toContain('container.integrity');
      const damaged = flipped(image, 40);
      const bad = name === 'a.zip' ? zip('fw/app.bin', damaged) : tarOf([['fw/app.bin', damaged]]);
      const findings = await findingsOf(name, name.endsWith('gz') ? gzipSync(bad) : bad);
      const finding = findings.find(({ rule }) => rule === 'mcuboot.hash');
      expect(finding?.evidence.member).toBe('fw/app.bin');
      expect(finding?.detail).toMatch(/^"fw\/app\.bin": /);
      // The archive itself is whole.
      expect(findings.map(({ rule }) => rule)).toContain('container.integrity');
    },
  );

  it('joins the paths of archives inside archives', async () => {
    const inner = zipOf([...parts, { name: 'wifi.txt', content: secret }]);
    const outer = tarOf([['parts/inner.zip', inner]]);
    const places = await placesOf('outer.tar', outer);
    expect(places).toContain('mcuboot.header at parts/inner.zip!/fw/app.bin');
    expect(places).toContain('secret.url-credentials at parts/inner.zip!/wifi.txt');
    expect(places).toContain('container.integrity at parts/inner.zip');
  });

  it('reads what a compressed member holds in the place of that member', async () => {
    const places = await placesOf(
      'p.zip',
      zipOf([{ name: 'fs.tar.gz', content: gzipSync(tarOf(files)) }]),
    );
    expect(places).toContain('mcuboot.header at fs.tar.gz!/fw/app.bin');
    const single = await placesOf('s.zip', zip('app.bin.gz', gzipSync(flipped(image, 40))));
    expect(single).toContain('mcuboot.hash at app.bin.gz');
  });

  it('tells damage of an inner archive at its path, and reads the members after it', async () => {
    const cut = zip('a.bin', randomBytes(3000)).subarray(0, 2000);
    const broken = gzipSync(randomBytes(3000)).subarray(0, 2000);
    const outer = tarOf([
      ['cut.zip', cut],
      ['cut.gz', broken],
      ['app.bin', image],
    ]);
    const places = await placesOf('outer.tar', outer);
    expect(places).toContain('zip.truncated at cut.zip');
    expect(places).toContain('gzip.truncated at cut.gz');
    expect(places).toContain('mcuboot.header at app.bin');
  });

  it('checks scripts and erased images by their names, and no types of members', async () => {
    const places = await placesOf(
      'mixed.zip',
      zipOf([
        { name: 'main.py', content: Buffer.from('a = 1\n<<<<<<< mine\n') },
        { name: 'erased.bin', content: Buffer.alloc(3000, 0xff) },
        { name: 'holes.dat', content: Buffer.alloc(3000) },
        { name: 'tool.exe', content: Buffer.from('no firmware type') },
        { name: 'empty.bin', content: Buffer.alloc(0) },
      ]),
    );
    expect(places).toEqual([
      'script.conflict at main.py',
      'file.all-ff at erased.bin',
      'container.integrity',
      'file.hash',
    ]);
  });

  it('holds images to the memory of an MCU, but not programs of a module', async () => {
    const record = Buffer.from('S00600004844521B\nS107000001020304EE\nS9030000FC\n');
    const memory = [{ name: 'flash', start: 0x0800_0000, sizeBytes: 4096 }];
    const bytes = zip('mcu.s19', record);
    const mcu = await placesOf('m.zip', bytes, { memory, component: 'mcu' });
    expect(mcu).toContain('image.outside-memory at mcu.s19');
    const module = await placesOf('m.zip', bytes, { memory, component: 'module' });
    expect(module).not.toContain('image.outside-memory at mcu.s19');
  });
});

describe('the declared version in archives', () => {
  const other = { name: 'net.bin', content: image };
  it('is that of one of the images, whatever the others carry', async () => {
    const places = await placesOf('v.zip', zipOf([other]), { version: '1.2.3+4' });
    expect(places).toContain('identity.version-found at net.bin');
    const wrong = await findingsOf('w.zip', zipOf([other]), { version: '2.0.0' });
    const finding = wrong.find(({ rule }) => rule === 'identity.version-differs');
    expect(finding?.evidence).toMatchObject({ member: 'net.bin', found: '1.2.3+4' });
  });

  it('may stand in the text of another member', async () => {
    const main = { name: 'main.bin', content: Buffer.from('\x80\x81 build 2.0.0 ok', 'latin1') };
    const findings = await findingsOf('t.zip', zipOf([other, main]), { version: '2.0.0' });
    const found = findings.find(({ rule }) => rule === 'identity.version-found');
    expect(found?.evidence).toEqual({ offset: 9, member: 'main.bin' });
    expect(findings.map(({ rule }) => rule)).not.toContain('identity.version-differs');
  });
});

describe('limits', () => {
  it('blocks archives that stand in more than four others, and still searches them', async () => {
    let bytes: Buffer = zipOf([{ name: 'a.txt', content: secret, level: 0 }]);
    for (let depth = 4; depth >= 1; depth -= 1) {
      bytes = zipOf([{ name: `${depth}.zip`, content: bytes, level: 0 }]);
    }
    expect(await bench.rulesOf('five.zip', bytes)).not.toContain('archive.too-deep');
    const deeper = zipOf([{ name: '0.zip', content: bytes, level: 0 }]);
    const places = await placesOf('six.zip', deeper);
    expect(places).toContain('archive.too-deep at 0.zip!/1.zip!/2.zip!/3.zip!/4.zip');
    expect(places).toContain('secret.url-credentials at 0.zip!/1.zip!/2.zip!/3.zip!/4.zip');
  });

  it('tells an image that is too large to keep, and searches it all the same', async () => {
    const large = randomBytes(33 * 1024 * 1024);
    image.copy(large);
    secret.copy(large, large.length - 100);
    const places = await placesOf('large.zip', zip('big.bin', large, 1));
    expect(places).toContain('archive.member-too-large at big.bin');
    expect(places).toContain('secret.url-credentials at big.bin');
  });
});
