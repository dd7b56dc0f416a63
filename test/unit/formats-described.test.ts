import { crc32 as zlibCrc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { findText, patternFault } from '../../electron/core/bundle/linear-regex.ts';
import {
  type ChecksumKind,
  checksumBytes,
  describedFormatSchema,
} from '../../shared/domain/described-format.ts';
import type { Evidence } from '../../shared/formats/report.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { startChecksum } from '../../shared/formats/checksum.ts';
import { readDescribed, recogniseDescribed } from '../../shared/formats/described-format.ts';

/** The check values of the catalogue of parametrised CRC algorithms, and sums done by hand. */
const checkValues: Record<ChecksumKind, number> = {
  crc32: 0xcbf43926,
  'crc16-ccitt': 0x29b1,
  'crc16-xmodem': 0x31c3,
  'crc16-modbus': 0x4b37,
  sum8: 0xdd,
  sum16: 0x1dd,
  sum32: 0x1dd,
  xor8: 0x31,
};
const digits = Buffer.from('123456789');

test.each(Object.entries(checkValues))('%s of "123456789"', (kind, value) => {
  const checksum = startChecksum(kind as ChecksumKind);
  checksum.update(digits.subarray(0, 4));
  checksum.update(digits.subarray(4));
  expect(checksum.value()).toBe(value);
});

test('sums wrap at their width', () => {
  const ff = new Uint8Array(0x1_0203).fill(0xff);
  const of = (kind: ChecksumKind) => {
    const checksum = startChecksum(kind);
    checksum.update(ff);
    return checksum.value();
  };
  expect(of('sum32')).toBe(0x1_0203 * 0xff);
  expect(of('sum16')).toBe((0x1_0203 * 0xff) & 0xffff);
  expect(of('sum8')).toBe((0x1_0203 * 0xff) & 0xff);
});

const acme = {
  name: 'acme-fw',
  extensions: ['.afw'],
  magic: { text: 'AFW1' },
  fields: [
    { name: 'total', offset: 4, bytes: 4, means: 'file-size' },
    { name: 'body', offset: 8, bytes: 4, endian: 'big', means: 'size-of-rest', from: 32 },
    { name: 'kind', offset: 12, bytes: 1, means: 'constant', equals: 7 },
    { name: 'build', offset: 13, bytes: 2, means: 'number' },
  ],
  checksums: [
    { name: 'head', kind: 'crc16-modbus', offset: 30, to: 32 },
    { name: 'all', kind: 'crc32', offset: -4, to: -4 },
  ],
  version: { offset: 16, length: 12 },
};

/** A file of the format above. */
function acmeFile(body: Uint8Array = Buffer.alloc(100, 0x5a)): Buffer {
  const file = Buffer.concat([Buffer.alloc(32), body, Buffer.alloc(4)]);
  file.write('AFW1', 0, 'latin1');
  file.writeUInt32LE(file.length, 4);
  file.writeUInt32BE(body.length + 4, 8);
  file[12] = 7;
  file.writeUInt16LE(0x1234, 13);
  file.write('2.1.0', 16, 'latin1');
  return sealed(file);
}

/** With the checksums that its bytes have. */
function sealed(file: Buffer): Buffer {
  file.writeUInt16LE(0, 30);
  const head = startChecksum('crc16-modbus');
  head.update(file.subarray(0, 32));
  file.writeUInt16LE(head.value(), 30);
  file.writeUInt32LE(zlibCrc32(file.subarray(0, -4)), file.length - 4);
  return file;
}

async function read(bytes: Uint8Array, description: unknown = acme) {
  const format = describedFormatSchema.parse(description);
  const told: ({ rule: string; detail: string } & Evidence)[] = [];
  const content = await readDescribed(
    memorySource(bytes),
    format,
    (rule, detail, evidence) => told.push({ rule, detail, ...evidence }),
    findText,
  );
  return { ...content, told, rules: told.map(({ rule }) => rule) };
}

test('a file that fits is read field by field', async () => {
  const { told, version, recognised, fields, summary } = await read(acmeFile());
  expect(told).toEqual([]);
  expect({ version, recognised }).toEqual({ version: '2.1.0', recognised: true });
  expect(fields.map(({ name, offset, value, passed }) => [name, offset, value, passed])).toEqual([
    ['magic', 0, 'AFW1', true],
    ['total', 4, '136', true],
    ['body', 8, '104', true],
    ['kind', 12, '0x07', true],
    ['build', 13, '0x1234', null],
    ['head', 30, expect.any(String), true],
    ['all', 132, expect.any(String), true],
    ['version', 16, '2.1.0', true],
  ]);
  expect(summary).toBe('acme-fw: 8 fields read, 7 checked');
});

test('any changed byte is found, and where', async () => {
  const good = acmeFile();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(good.length - 1),
      fc.integer({ min: 1, max: 255 }),
      async (at, mask) => {
        const bad = Buffer.from(good);
        bad[at] = (bad[at] ?? 0) ^ mask;
        expect((await read(bad)).told.length).toBeGreaterThan(0);
      },
    ),
  );
});

test.each<[string, (file: Buffer) => Buffer, string, object]>([
  ['another magic', (file) => file.fill('X', 0, 1), 'format.magic', { offset: 0 }],
  ['nothing but a magic', (file) => file.subarray(0, 20), 'format.too-short', { offset: 20 }],
  [
    'a cut file',
    (file) => sealed(file.subarray(0, 100)),
    'format.size',
    { offset: 4, expected: '100 bytes', found: '136 bytes' },
  ],
  [
    'a length that lies',
    (file) => {
      file.writeUInt32BE(5, 8);
      return sealed(file);
    },
    'format.size',
    { offset: 8, expected: '104 bytes', found: '5 bytes' },
  ],
  [
    'another constant',
    (file) => {
      file[12] = 8;
      return sealed(file);
    },
    'format.constant',
    { offset: 12, expected: '0x07', found: '0x08' },
  ],
  ['a flipped bit', (file) => file.fill(0x5b, 60, 61), 'format.checksum', { offset: 132 }],
  [
    'no version',
    (file) => sealed(file.fill(0xff, 16, 28)),
    'format.version-missing',
    { offset: 16, found: '\\xff'.repeat(12) },
  ],
])('%s', async (_what, change, rule, evidence) => {
  const { told } = await read(change(acmeFile()));
  expect(told).toContainEqual(expect.objectContaining({ rule, ...evidence }));
});

test('padding follows the content up to what is counted from the end', async () => {
  const padded = {
    name: 'padded',
    magic: { hex: '50 41 44 44' },
    fields: [{ name: 'size', offset: 4, bytes: 2, means: 'size-of-rest' }],
    checksums: [{ kind: 'sum8', offset: -1, from: 6, to: 'size' }],
    padding: 0xff,
  };
  const file = Buffer.concat([
    Buffer.from('PADD\x03\x00abc', 'latin1'),
    Buffer.alloc(50, 0xff),
    Buffer.from([(0x61 + 0x62 + 0x63) & 0xff]),
  ]);
  expect((await read(file, padded)).told).toEqual([]);
  const foreign = Buffer.from(file);
  foreign[40] = 0;
  expect((await read(foreign, padded)).told).toMatchObject([
    { rule: 'format.padding', offset: 40, expected: 'ff', found: '00' },
  ]);
  const long = Buffer.from(file);
  long.writeUInt16LE(1000, 4);
  // The checksum covers what the size tells: when that is wrong, only that is told.
  expect((await read(long, padded)).rules).toEqual(['format.size']);
});

test('a numeric version is written from its most significant byte', async () => {
  const format = (endian: string) => ({
    name: 'numbered',
    magic: { text: 'NUMB' },
    fields: [{ name: 'v', offset: 4, bytes: 4, endian, means: 'version' }],
  });
  const file = Buffer.from('NUMB\x01\x02\x00\x1f', 'latin1');
  expect((await read(file, format('big'))).version).toBe('1.2.0.31');
  expect((await read(file, format('little'))).version).toBe('31.0.2.1');
});

test('a pattern finds the version in its window only, at its offset', async () => {
  const format = (from: number) => ({
    name: 'searched',
    magic: { text: 'FIND' },
    version: { pattern: 'FW=(\\d+\\.\\d+\\.\\d+)', from, length: 40 },
  });
  const file = Buffer.from(`FIND${'\xff\0'.repeat(10)}FW=3.2.1\0${'x'.repeat(100)}`, 'latin1');
  const found = await read(file, format(0));
  expect(found.version).toBe('3.2.1');
  expect(found.fields.at(-1)).toMatchObject({ offset: 27, hex: '332e322e31' });
  expect((await read(file, format(60))).rules).toEqual(['format.version-missing']);
  expect((await read(file, format(-40))).rules).toEqual(['format.version-missing']);
});

test('an 8-byte size beyond every number is a wrong size, not an error', async () => {
  const format = {
    name: 'wide',
    magic: { text: 'WIDE' },
    fields: [{ name: 'size', offset: 4, bytes: 8, means: 'file-size' }],
    padding: 0,
  };
  const file = Buffer.from(`WIDE${'\xff'.repeat(8)}`, 'latin1');
  expect((await read(file, format)).told).toMatchObject([
    { rule: 'format.size', expected: '12 bytes', found: '18446744073709551615 bytes' },
  ]);
});

test('of formats that share an extension, the magic decides', async () => {
  const formats = [
    { name: 'one', extensions: ['.fwx'], magic: { text: 'ONE1' } },
    { name: 'two', extensions: ['.fwx'], magic: { text: 'TWO2' } },
    { name: 'anywhere', magic: { text: 'ANYW' } },
  ].map((format) => describedFormatSchema.parse(format));
  const nameOf = async (name: string, text: string) =>
    (await recogniseDescribed(name, memorySource(Buffer.from(text)), formats))?.name;
  expect(await nameOf('A.FWX', 'TWO2')).toBe('two');
  expect(await nameOf('a.fwx', 'neither')).toBe('one');
  expect(await nameOf('a.bin', 'TWO2')).toBeUndefined();
  expect(await nameOf('a.bin', 'ANYWHERE')).toBe('anywhere');
  expect(await nameOf('.fwx', 'TWO2')).toBeUndefined();
});

test.each<[string, object, RegExp]>([
  [
    'neither extension nor magic',
    { magic: undefined, extensions: [] },
    /"extensions" or a "magic"/,
  ],
  ['a short magic alone', { extensions: [], magic: { hex: '4d5a' } }, /at least 4 bytes/],
  ['hex and text', { magic: { hex: '00', text: 'a' } }, /either "hex" or "text"/],
  ['half a byte', { magic: { hex: '4d5' } }, /pairs of hexadecimal/],
  ['a built-in name', { name: 'zip' }, /built-in format/],
  ['a key that is none', { feilds: [] }, /feilds/],
  [
    'a field of 3 bytes',
    { fields: [{ name: 'a', offset: 0, bytes: 3, means: 'number' }] },
    /bytes/,
  ],
  [
    'a field beyond the end',
    { fields: [{ name: 'a', offset: -2, bytes: 4, means: 'number' }] },
    /beyond the end/,
  ],
  [
    'a constant without a value',
    { fields: [{ name: 'a', offset: 0, bytes: 4, means: 'constant' }] },
    /"equals"/,
  ],
  [
    'a constant that does not fit',
    { fields: [{ name: 'a', offset: 0, bytes: 1, means: 'constant', equals: 256 }] },
    /larger than the field/,
  ],
  [
    'an unknown size',
    { checksums: [{ kind: 'sum8', offset: 0, to: 'nothing' }], fields: [] },
    /no field that means a size/,
  ],
  ['padding without a size', { padding: 0, fields: [], checksums: [] }, /where padding begins/],
  [
    'two versions',
    { fields: [{ name: 'v', offset: 0, bytes: 4, means: 'version' }] },
    /more than once/,
  ],
  ['a window too large', { version: { pattern: '(a)', length: 70_000 } }, /65536|offset/],
])('a description with %s is refused', (_what, change, why) => {
  const parsed = describedFormatSchema.safeParse({ ...acme, ...change });
  const issues = parsed.error?.issues ?? [];
  expect(issues.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n')).toMatch(
    why,
  );
});

test('no description makes the reader throw or read outside the file', async () => {
  const offset = fc.oneof(fc.integer({ min: -80, max: 80 }), fc.integer({ min: -9e7, max: 9e7 }));
  const description = fc.record(
    {
      name: fc.constant('any'),
      magic: fc.constant({ text: 'ANYW' }),
      fields: fc.array(
        fc.record({
          name: fc.constantFrom('a', 'b', 'c'),
          offset,
          bytes: fc.constantFrom(1, 2, 4, 8),
          endian: fc.constantFrom('little', 'big'),
          means: fc.constantFrom('file-size', 'size-of-rest', 'number', 'version'),
        }),
        { maxLength: 3 },
      ),
      checksums: fc.array(
        fc.record({
          kind: fc.constantFrom(...Object.keys(checksumBytes)),
          offset,
          from: offset,
          to: fc.oneof(offset, fc.constantFrom('a', 'b', 'c')),
        }),
        { maxLength: 3 },
      ),
      version: fc.oneof(
        fc.record({ offset, length: fc.integer({ min: 1, max: 256 }) }),
        fc.record({ pattern: fc.constant('([0-9.]+)'), from: offset }),
      ),
      padding: fc.integer({ min: 0, max: 255 }),
    },
    { requiredKeys: ['name', 'magic'] },
  );
  let used = 0;
  await fc.assert(
    fc.asyncProperty(description, fc.uint8Array({ maxLength: 120 }), async (one, rest) => {
      const parsed = describedFormatSchema.safeParse(one);
      if (!parsed.success) return;
      used += 1;
      const { fields } = await read(Buffer.concat([Buffer.from('ANYW'), rest]), one);
      for (const field of fields) expect(field.offset).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 2000 },
  );
  expect(used).toBeGreaterThan(200);
});

test.each([
  ['(a+)+$', `${'a'.repeat(65_535)}b`],
  ['(?:(?:a{1,15}){1,15})(a)?$', `${'a'.repeat(65_535)}!`],
  ['((?:[a-z]+)*)+!', 'abc'.repeat(21_845)],
  ['((?:a|aa)+)$', `${'a'.repeat(65_535)}!`],
  ['(.*)(?:.*)(?:.*)=', 'x'.repeat(65_536)],
])('the pattern %s is linear where backtracking would never end', (pattern, text) => {
  expect(patternFault(pattern)).toBeNull();
  const startedMs = performance.now();
  expect(findText(pattern, text)).toBeNull();
  expect(performance.now() - startedMs).toBeLessThan(20_000);
});

test.each([
  ['(a', /missing closing/],
  ['a', /0 capturing groups/],
  ['(a)(b)', /2 capturing groups/],
  ['(a)(?=b)', /\(\?=/],
  ['((?:[ab]|[bc]){1,900})#', /too large: \d+ steps, at most 512/],
])('the pattern %s is refused', (pattern, why) => {
  expect(patternFault(pattern)).toMatch(why);
});
