import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, describe, expect, it } from 'vitest';
import { Budget, InspectionEnd } from '../../electron/core/bundle/limits.ts';
import { entryPath } from '../../electron/worker/run-task.ts';
import { runMeasured } from '../bench/measure.ts';
import { tarHeader, tarSize, zipOf, type ZipPart } from '../support/archives.ts';
import { flipped, InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const text = Buffer.from('some content of a member\n');
const part: ZipPart = { name: 'a.txt', content: text };
/** Far more than any of these takes, so that a busy machine does not fail them. */
const mostMs = 30_000;

async function quickRules(name: string, bytes: Uint8Array): Promise<string[]> {
  const startMs = performance.now();
  const rules = await bench.rulesOf(name, bytes);
  expect(performance.now() - startMs).toBeLessThan(mostMs);
  expect(rules).toContain('file.hash');
  return rules;
}

/** Verdict, rules, time and memory of the whole command on one file. */
function command(path: string) {
  const cli = [process.execPath, entryPath('cli'), 'bundle', 'inspect', path, '--json'];
  const { stdout, peakRssBytes, elapsedMs } = runMeasured('sh', [
    '-c',
    '"$@" || [ $? -eq 1 ]',
    'sh',
    ...cli,
  ]);
  const { files } = JSON.parse(stdout) as { files: { findings: { rule: string }[] }[] };
  const rules = files[0]?.findings.map(({ rule }) => rule) ?? [];
  expect(peakRssBytes).toBeLessThan(256 * 1024 * 1024);
  expect(elapsedMs).toBeLessThan(60_000);
  return rules;
}

const zip64 = (sizeBytes: number, packedBytes: number): Buffer => {
  const field = Buffer.alloc(20);
  field.writeUInt16LE(1, 0);
  field.writeUInt16LE(16, 2);
  field.writeBigUInt64LE(BigInt(sizeBytes), 4);
  field.writeBigUInt64LE(BigInt(packedBytes), 12);
  return field;
};
const packed = deflateRawSync(text).length;
const far = 0xffff_ffff;
const terabytes = { sizeBytes: far, packedBytes: far, extra: zip64(2 ** 42, packed) };
const descriptor = (sum: number, packedBytes: number, sizeBytes: number): Buffer => {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(sum, 4);
  bytes.writeUInt32LE(packedBytes, 8);
  bytes.writeUInt32LE(sizeBytes, 12);
  return bytes;
};

describe('zip files that lie', () => {
  it.each([
    ['zip.header-mismatch', 'name', { local: { name: 'b.txt' } }],
    ['zip.header-mismatch', 'CRC-32', { local: { crc32: 1 } }],
    ['zip.header-mismatch', 'size', { local: { sizeBytes: 3 } }],
    ['zip.header-mismatch', 'packed size', { local: { packedBytes: 3 } }],
    ['zip.header-mismatch', 'method', { local: { method: 0 } }],
    ['zip.header-mismatch', 'encryption', { local: { flags: 1 } }],
    [
      'zip.header-mismatch',
      'zip64 sizes',
      { local: { sizeBytes: far, packedBytes: far, extra: zip64(5, 5) } },
    ],
    [
      'zip.header-mismatch',
      'descriptor',
      { local: { flags: 8 }, central: { flags: 8 }, after: descriptor(1, packed, text.length) },
    ],
    [
      'zip.damaged',
      'a size that is too small',
      { local: { sizeBytes: 3 }, central: { sizeBytes: 3 } },
    ],
    [
      'zip.damaged',
      'a size that is too large',
      { local: { sizeBytes: 99 }, central: { sizeBytes: 99 } },
    ],
    ['zip.header-mismatch', 'a zip64 field that is missing', { central: { sizeBytes: far } }],
    ['zip.crc', 'CRC-32 in both', { local: { crc32: 1 }, central: { crc32: 1 } }],
    ['zip.method', 'an unknown method', { local: { method: 99 }, central: { method: 99 } }],
    ['zip.encrypted', 'encryption in both', { local: { flags: 1 }, central: { flags: 1 } }],
    ['zip.hidden', 'bytes of no member', { after: Buffer.alloc(40, 'x') }],
    ['zip.bomb', 'a zip64 size of terabytes', { local: terabytes, central: terabytes }],
  ] as const)('%s: %s', async (rule, _what, lies: Partial<ZipPart>) => {
    const rules = await quickRules('lie.zip', zipOf([{ ...part, ...lies }]));
    expect(rules).toContain(rule);
  });

  it('members with true zip64 fields and descriptors pass', async () => {
    const { crc32 } = await import('node:zlib');
    const sum = crc32(text);
    const bytes = zipOf([
      { ...part, local: { sizeBytes: far, packedBytes: far, extra: zip64(text.length, packed) } },
      {
        name: 'b',
        content: text,
        local: { flags: 8, crc32: 0, sizeBytes: 0, packedBytes: 0 },
        central: { flags: 8 },
        after: descriptor(sum, packed, text.length),
      },
    ]);
    expect(await quickRules('true.zip', bytes)).toEqual(['container.integrity', 'file.hash']);
  });

  it.each([
    ['../up', 'zip.unsafe-name'],
    ['/etc/passwd', 'zip.unsafe-name'],
    ['C:/windows', 'zip.unsafe-name'],
    ['a\\..\\b', 'zip.unsafe-name'],
    ['aux.txt', 'zip.unsafe-name'],
    ['a\0b', 'zip.unsafe-name'],
  ])('the name %j is told as %s', async (name, rule) => {
    expect(await quickRules('name.zip', zipOf([{ ...part, name }]))).toContain(rule);
  });

  it.each([4, 6, 8, 10, 12, 16])('a flip in the end record at %i is told', async (at) => {
    const bytes = zipOf([part, { ...part, name: 'b.txt' }]);
    const rules = await quickRules('end.zip', flipped(bytes, bytes.length - 22 + at));
    expect(
      rules.some((rule) => rule.startsWith('zip.')),
      rules.join(' '),
    ).toBe(true);
  });
});

describe('bombs', () => {
  it('members that share their bytes are not unpacked', async () => {
    const kernel = Buffer.alloc(1_000_000);
    const parts = [
      { name: '0', content: kernel },
      ...Array.from({ length: 500 }, (_, index) => ({
        name: `${index + 1}`,
        content: Buffer.alloc(0),
        central: { crc32: 0, sizeBytes: kernel.length, packedBytes: 1000, offset: 0 },
      })),
    ];
    expect(await quickRules('overlap.zip', zipOf(parts))).toContain('zip.overlap');
  });

  it('bombs in archives in archives are stopped where they are', async () => {
    const inner = gzipSync(Buffer.alloc(60_000_000));
    const zips = zipOf([{ name: 'z.gz', content: inner }]);
    const rules = await quickRules('nested.zip', zipOf([{ name: 'a.zip', content: zips }]));
    expect(rules.some((rule) => rule === 'gzip.bomb' || rule === 'zip.bomb')).toBe(true);
  });

  it('many small archives in each other share one budget', () => {
    const told: string[] = [];
    const budget = new Budget((rule) => told.push(rule));
    for (let gigabytes = 0; gigabytes < 4; gigabytes += 1) budget.countUnpacked(2 ** 28);
    expect(() => budget.countUnpacked(1)).toThrow(InspectionEnd);
    const members = new Budget((rule) => told.push(rule));
    expect(() => {
      for (;;) members.countMember();
    }).toThrow(InspectionEnd);
    expect(told).toEqual(['archive.limit', 'archive.limit']);
  });
});

describe('headers that do not end', () => {
  it.each([
    ['name', 8],
    ['comment', 16],
  ])('a gzip %s of megabytes is refused', async (_field, flag) => {
    const bytes = Buffer.concat([
      Buffer.from([0x1f, 0x8b, 8, flag, 0, 0, 0, 0, 0, 3]),
      Buffer.alloc(9_000_000, 'n'),
    ]);
    expect(await quickRules('name.gz', bytes)).toContain('gzip.damaged');
  });

  it('the CRC of a gzip header is held', async () => {
    const { crc32 } = await import('node:zlib');
    const plain = gzipSync(text);
    const header = Buffer.from(plain.subarray(0, 10));
    header[3] = 2;
    const sum = Buffer.alloc(2);
    sum.writeUInt16LE(crc32(header) & 0xffff);
    const whole = Buffer.concat([header, sum, plain.subarray(10)]);
    expect(await quickRules('crc.gz', whole)).toContain('container.integrity');
    expect(await quickRules('crc.gz', flipped(whole, 5))).toContain('gzip.damaged');
  });
});

describe('archives of very many members', () => {
  it('a tar of 200,000 is left after 100,000, in little memory', () => {
    const path = join(bench.folder, 'many.tar');
    const file = openSync(path, 'w');
    for (let at = 0; at < 200_000; at += 1000) {
      const headers = Array.from({ length: 1000 }, (_, index) =>
        tarHeader(`members/${at + index}`, tarSize(0), '0'),
      );
      writeSync(file, Buffer.concat(headers));
    }
    closeSync(file);
    expect(command(path)).toContain('archive.limit');
  });

  it('a tar with names of 60 kB is left at 16 MiB of names', async () => {
    const blocks = Array.from({ length: 300 }, (_, index) => {
      const name = Buffer.alloc(60_416, `n${index}`);
      return Buffer.concat([
        tarHeader('L', tarSize(name.length), 'L'),
        name,
        tarHeader('a', tarSize(0), '0'),
      ]);
    });
    expect(await quickRules('names.tar', Buffer.concat(blocks))).toContain('archive.limit');
  });

  it('a zip of 60,000 is refused before anything is unpacked, in little memory', () => {
    const path = join(bench.folder, 'many.zip');
    const content = Buffer.alloc(0);
    writeFileSync(
      path,
      zipOf(
        Array.from({ length: 60_000 }, (_, index) => ({ name: `m/${index}`, content, level: 0 })),
      ),
    );
    expect(command(path)).toContain('archive.limit');
  });

  it('archives in each other of nearly the most that is kept stay in little memory', () => {
    const path = join(bench.folder, 'kept.zip');
    const noise = Buffer.alloc(30_000_000);
    for (let at = 0; at < noise.length; at += 4)
      noise.writeUInt32LE(Math.imul(at, 2_654_435_761) >>> 0, at);
    noise.write('\x7fELF', 0, 'latin1');
    const inner = zipOf([{ name: 'a.elf', content: noise, level: 0 }]);
    const middle = zipOf([{ name: 'b.zip', content: inner, level: 0 }]);
    writeFileSync(
      path,
      zipOf([
        { name: 'c.zip', content: middle, level: 0 },
        { name: 'd.zip', content: middle, level: 0 },
      ]),
    );
    expect(command(path)).toContain('archive.member-too-large');
  });
});
