import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import { defaultFileTypes } from '../../shared/domain/limits.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-inspect-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const context = { signal: new AbortController().signal, onProgress: () => undefined };
const fileTypes = [...defaultFileTypes, '.hex'];

function put(name: string, bytes: Uint8Array | string): { path: string; name: string } {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return { path, name };
}

async function rulesOf(name: string, bytes: Uint8Array | string, extra = {}): Promise<string[]> {
  const input = { files: [put(name, bytes)], fileTypes, ...extra };
  const report = await inspectFiles(input, context);
  return report.files.flatMap((file) => file.findings.map(({ rule }) => rule));
}

/** Makes an archive with Python's own library. */
function python(code: string): void {
  execFileSync('python3', ['-W', 'ignore', '-c', code], { cwd: folder });
}

function sRecord(type: number, address: number, data: number[]): string {
  const width = [2, 2, 3, 4, 0, 2, 3, 4, 3, 2][type] ?? 2;
  const bytes = [data.length + width + 1];
  for (let at = width - 1; at >= 0; at -= 1) bytes.push((address >>> (8 * at)) & 0xff);
  bytes.push(...data);
  bytes.push(~bytes.reduce((sum, byte) => sum + byte, 0) & 0xff);
  const hex = bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return `S${type}${hex.join('')}\n`;
}
const header = sRecord(0, 0, [0x68, 0x69]);
const end = sRecord(7, 0x0800_0000, []);
const data = sRecord(3, 0x0800_0000, [1, 2, 3, 4]);

it.each([
  [['a.bin_1', 'a.bin_2'], null],
  [['a.bin_1'], null],
  [['a.bin_2'], '"a.bin_2" is there without .bin_1'],
  [['a.bin_1', 'b.bin_3'], '"b.bin_3" is there without .bin_2'],
  [['a.mini_1', 'b.mini_2'], null],
  [['a.mini_1'], '"a.mini_1" is there without .mini_2'],
  [['a.bin_0'], '"a.bin_0" is there without .bin_1'],
  [['a.bin_9999'], '"a.bin_9999" is there without .bin_1, .bin_2, .bin_3, .bin_4, .bin_5'],
])('tells the missing part among %j', async (names, detail) => {
  const files = names.map((name, index) => put(name, `content ${index}`));
  const report = await inspectFiles({ files, fileTypes: ['.bin_9', ...fileTypes] }, context);
  const found = report.files.flatMap((file) => file.findings);
  const told = found.find(({ rule }) => rule === 'package.part-missing');
  expect(told?.detail ?? null).toBe(detail);
});

it('tells where the bytes of a record file lie, and lists no more than 256 segments', async () => {
  const far = sRecord(3, 0x0800_1000, [5]);
  const { files } = await inspectFiles(
    { files: [put('two.s19', header + data + far + end)], fileTypes },
    context,
  );
  expect(files[0]?.segments).toEqual([
    { start: 0x0800_0000, sizeBytes: 4 },
    { start: 0x0800_1000, sizeBytes: 1 },
  ]);
  const scattered = Array.from({ length: 300 }, (_, index) =>
    sRecord(3, index * 16, [index & 255]),
  );
  const report = await inspectFiles(
    { files: [put('many.s19', header + scattered.join('') + end)], fileTypes },
    context,
  );
  expect(report.files[0]?.segments).toHaveLength(256);
});

describe('names, sizes and plain content', () => {
  const image = Buffer.from(Array.from({ length: 5000 }, (_, index) => (index * 31 + 128) & 0xff));
  it.each([
    ['empty.bin', Buffer.alloc(0), 'file.empty'],
    ['ff.bin', Buffer.alloc(2_500_000, 0xff), 'file.all-ff'],
    ['zero.bin_1', Buffer.alloc(3000), 'file.all-00'],
    ['a.exe', image, 'file.type-not-allowed'],
    ['elf.bin', Buffer.concat([Buffer.from('7f454c46', 'hex'), image]), 'file.type-mismatch'],
    ['record.bin', header + data + end, 'file.type-mismatch'],
    ['not.zip', image, 'file.type-mismatch'],
    ['vendor.pack', image, 'file.opaque'],
    ['text.mini_1', 'any text\n', 'file.opaque'],
    ['bad.py', Buffer.from([0x69, 0, 0xff]), 'script.not-text'],
    ['merge.py', 'a = 1\n<<<<<<< mine\n', 'script.conflict'],
  ])('%s breaks %s', async (name, bytes, rule) => {
    expect(await rulesOf(name, bytes)).toContain(rule);
  });

  it('passes a raw image and tells its hash', async () => {
    expect(await rulesOf('fine.bin', image)).toEqual(['file.hash']);
  });

  it('accepts one other byte at the end of an erased image', async () => {
    const bytes = Buffer.alloc(2_500_000, 0xff);
    bytes[1_500_000] = 1;
    expect(await rulesOf('almost.bin', bytes)).toEqual(['content.mostly-blank', 'file.hash']);
  });

  it('blocks the sixth file and still reports every file', async () => {
    const files = [1, 2, 3, 4, 5, 6].map((n) => put(`n${n}.bin`, Buffer.from([200, n, 7])));
    const report = await inspectFiles({ files, fileTypes }, context);
    expect(report.verdict).toBe('block');
    expect(report.files).toHaveLength(6);
    const blocked = report.files.map((file) => file.findings.map(({ rule }) => rule));
    expect(blocked[5]).toContain('package.too-many-files');
    expect(blocked[4]).not.toContain('package.too-many-files');
  });

  it('blocks 101 MiB and warns above 100 decimal megabytes', async () => {
    const big = put('big.bin', 'x');
    truncateSync(big.path, 101 * 1024 * 1024);
    const large = put('large.bin', 'x');
    truncateSync(large.path, 100_000_001);
    const report = await inspectFiles({ files: [big, large], fileTypes }, context);
    expect(report.files[0]?.findings.map(({ rule }) => rule)).toContain('file.too-large');
    expect(report.files[1]?.findings.map(({ rule }) => rule)).toContain('file.large');
    rmSync(big.path);
    rmSync(large.path);
  });

  it('warns of equal parts', async () => {
    const files = [put('p.bin_1', image), put('p.bin_2', image)];
    const report = await inspectFiles({ files, fileTypes }, context);
    expect(report.verdict).toBe('warn');
  });
});

describe('declared version', () => {
  it('is found across a window border, but not inside a longer number', async () => {
    const version = '1.0.0';
    const at = (offset: number, text: string): Buffer => {
      const bytes = Buffer.alloc(3_000_000, 0xaa);
      bytes.write(text, offset, 'ascii');
      return bytes;
    };
    const found = 'identity.version-found';
    for (const offset of [0, 1_048_573, 1_048_576, 2_999_994]) {
      expect(await rulesOf('v.bin', at(offset, 'v1.0.0'), { version })).toContain(found);
    }
    for (const text of ['11.0.0', '1.0.01', '1.0.0.2', '2.1.0.0']) {
      for (const offset of [100, 1_048_573]) {
        const rules = await rulesOf('v.bin', at(offset, text), { version });
        expect(rules, text).toContain('identity.version-not-found');
      }
    }
  });

  it('is found in the text of an S0 record, which warns when it names another one', async () => {
    const named = (text: string) => sRecord(0, 0, [...Buffer.from(text)]) + data + end;
    const rules = await rulesOf('v.s19', named('pump-2.3.4.elf'), { version: '2.3.4' });
    expect(rules).toContain('identity.version-found');
    const other = await rulesOf('v.s19', named('pump-2.3.5.elf'), { version: '2.3.4' });
    expect(other).toContain('s-record.header-version');
    expect(other).not.toContain('identity.version-found');
    for (const text of ['HDR', 'pump-2.3.4.elf'])
      expect(await rulesOf('v.s19', named(text))).not.toContain('s-record.header-version');
  });

  it('is found inside S-record data and inside a gzip member', async () => {
    const text = [...Buffer.from('fw 2.3.4 ok')];
    const record = header + sRecord(3, 0, text.slice(0, 5)) + sRecord(3, 5, text.slice(5)) + end;
    const rules = await rulesOf('v.s19', record, { version: '2.3.4' });
    expect(rules).toContain('identity.version-found');
    const packed = gzipSync('fw 2.3.4 ok');
    expect(await rulesOf('v.gz', packed, { version: '2.3.4' })).toContain('identity.version-found');
  });
});

describe('S-record and Intel HEX', () => {
  it('passes a good file inside memory and blocks one outside', async () => {
    const memory = [{ name: 'flash', start: 0x0800_0000, sizeBytes: 4 }];
    const good = await rulesOf('good.s19', header + data + end, { memory });
    expect(good).toEqual(['image.fits-memory', 'container.integrity', 'file.hash']);
    const outside = header + sRecord(3, 0x0800_0001, [1, 2, 3, 4]) + end;
    expect(await rulesOf('out.s19', outside, { memory })).toContain('image.outside-memory');
  });

  it('names line and offset of a wrong checksum', async () => {
    const wrong = `${data.slice(0, -3)}00\n`;
    const files = [put('sum.s19', header + wrong + end)];
    const report = await inspectFiles({ files, fileTypes }, context);
    const finding = report.files[0]?.findings.find(({ rule }) => rule === 's-record.checksum');
    expect(finding?.detail).toMatch(/^line 2, column 21/);
    expect(finding?.evidence.offset).toBe(header.length + 20);
    expect(finding?.evidence.found).toBe('00');
    expect(report.verdict).toBe('block');
  });

  it.each([
    ['s-record.length', header + `${data.slice(0, -3)}\n` + end],
    ['s-record.syntax', `${header}S30G00\n${data}${end}`],
    ['s-record.type', `${header}S403000000\n${data}${end}`],
    ['s-record.count', header + data + sRecord(5, 2, []) + end],
    ['s-record.after-end', header + end + data],
    ['s-record.overlap', header + data + sRecord(3, 0x0800_0002, [9]) + end],
    ['s-record.redundant', header + data + sRecord(3, 0x0800_0002, [3]) + end],
    ['s-record.no-data', header + end],
    ['s-record.no-end', header + data],
    ['s-record.no-header', data + end],
    ['s-record.mixed', header + data + sRecord(1, 0, [1]) + end],
    ['s-record.order', header + data + sRecord(3, 0, [1]) + end],
    ['s-record.end-mismatch', header + data + sRecord(9, 0, [])],
  ])('tells %s', async (rule, text) => {
    expect(await rulesOf('x.s19', text)).toContain(rule);
  });

  const good = ':0400000001020304F2\n';
  const last = ':00000001FF\n';
  it.each([
    ['container.integrity', good + last],
    ['intel-hex.checksum', good + ':0400040001020304F2\n' + last],
    ['intel-hex.length', good + ':04000400010203F2\n' + last],
    ['intel-hex.syntax', good + 'hello\n' + last],
    ['intel-hex.type', good + ':0000000AF6\n' + last],
    ['intel-hex.no-end', good],
    ['intel-hex.after-end', good + last + ':0400040001020304EE\n'],
    ['intel-hex.overlap', good + ':0100010009F5\n' + last],
    ['intel-hex.redundant', good + ':0100010002FC\n' + last],
  ])('tells %s', async (rule, text) => {
    expect(await rulesOf('x.hex', text)).toContain(rule);
  });
});

describe('archives', () => {
  it('passes zip, tar and tar.gz of Python and blocks their cut and damaged copies', async () => {
    python(`
import zipfile, tarfile, io, os
blob = bytes(range(256)) * 40
z = zipfile.ZipFile('ok.zip','w',zipfile.ZIP_DEFLATED); z.writestr('a.bin', blob); z.writestr('d/b.bin', os.urandom(3000)); z.close()
z = zipfile.ZipFile('stored.zip','w'); z.writestr('a.bin', blob); z.close()
for n, m in (('ok.tar','w'),('ok.tar.gz','w:gz')):
  t = tarfile.open(n, m)
  for name in ('a.bin', 'x'*150 + '/b.bin'):
    i = tarfile.TarInfo(name); i.size = len(blob); t.addfile(i, io.BytesIO(blob))
  t.close()
`);
    const { readFileSync } = await import('node:fs');
    for (const [name, cut] of [
      ['ok.zip', 'zip.truncated'],
      ['ok.tar', 'tar.truncated'],
      ['ok.tar.gz', 'gzip.truncated'],
    ] as const) {
      const bytes = readFileSync(join(folder, name));
      expect(await rulesOf(name, bytes)).toEqual(['container.integrity', 'file.hash']);
      const cutAt = name === 'ok.tar' ? 5000 : bytes.length - 30;
      expect(await rulesOf(`cut-${name}`, bytes.subarray(0, cutAt))).toContain(cut);
    }
    const stored = readFileSync(join(folder, 'stored.zip'));
    stored[100] = (stored[100] ?? 0) ^ 1;
    expect(await rulesOf('flip.zip', stored)).toContain('zip.crc');
    const tar = readFileSync(join(folder, 'ok.tar'));
    tar[1] = 0x7a;
    expect(await rulesOf('flip.tar', tar)).toContain('tar.damaged');
    const gz = readFileSync(join(folder, 'ok.tar.gz'));
    const badCrc = Buffer.from(gz);
    badCrc[gz.length - 8] = (gz[gz.length - 8] ?? 0) ^ 1;
    expect(await rulesOf('crc.tar.gz', badCrc)).toContain('gzip.crc');
    const more = Buffer.concat([gz, Buffer.from('more')]);
    expect(await rulesOf('more.tar.gz', more)).toContain('gzip.trailing');
    const two = Buffer.concat([gzipSync('one'), gzipSync('two')]);
    expect(await rulesOf('two.gz', two)).toContain('container.integrity');
    expect(await rulesOf('text.tar.gz', gzipSync('no tar'))).toContain('gzip.not-tar');
    expect(await rulesOf('bomb.gz', gzipSync(Buffer.alloc(5_000_000)))).toContain('gzip.bomb');
    const local = readFileSync(join(folder, 'ok.zip'));
    local[30] = 0x62;
    expect(await rulesOf('local.zip', local)).toContain('zip.header-mismatch');
  });

  it('blocks traversal, links, duplicates and bombs', async () => {
    python(`
import zipfile, tarfile, io
def z(n, f):
  a = zipfile.ZipFile(n,'w',zipfile.ZIP_DEFLATED); f(a); a.close()
z('up.zip', lambda a: a.writestr('../x', 'y'))
z('twice.zip', lambda a: (a.writestr('a', 'y'), a.writestr('A', 'y')))
z('bomb.zip', lambda a: a.writestr('a', bytes(5000000)))
i = zipfile.ZipInfo('l'); i.create_system = 3; i.external_attr = 0o120777 << 16
z('link.zip', lambda a: a.writestr(i, '/etc/passwd'))
t = tarfile.open('up.tar','w'); t.addfile(tarfile.TarInfo('../x')); t.close()
t = tarfile.open('twice.tar','w'); t.addfile(tarfile.TarInfo('x')); t.addfile(tarfile.TarInfo('x')); t.close()
l = tarfile.TarInfo('l'); l.type = tarfile.SYMTYPE; l.linkname = '/etc/passwd'
t = tarfile.open('link.tar','w'); t.addfile(l); t.close()
`);
    for (const [name, rule] of [
      ['up.zip', 'zip.unsafe-name'],
      ['twice.zip', 'zip.duplicate'],
      ['bomb.zip', 'zip.bomb'],
      ['link.zip', 'zip.link'],
      ['up.tar', 'tar.unsafe-name'],
      ['twice.tar', 'tar.duplicate'],
      ['link.tar', 'tar.link'],
    ] as const) {
      const files = [{ path: join(folder, name), name }];
      const report = await inspectFiles({ files, fileTypes }, context);
      expect(report.files[0]?.findings.map((finding) => finding.rule)).toContain(rule);
    }
  });
});
