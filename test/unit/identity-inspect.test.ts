import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Component, MemoryRegion, Product } from '../../shared/domain/product.ts';
import { espImage } from '../support/esp-images.ts';
import { product as describedProduct, released } from '../support/identity.ts';
import { InspectBench } from '../support/inspect.ts';
import { imgtoolImage } from '../support/mcuboot-images.ts';
import { peer } from '../support/peers.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());
const at = (name: string): string => `${bench.folder}/${name}`;

/** Inspects bytes as a build of the component of a product. */
function inspect(
  name: string,
  bytes: Uint8Array,
  changes: {
    readonly product?: Partial<Product>;
    readonly own?: Partial<Component>;
    readonly history?: ReturnType<typeof released>[];
    readonly now?: string;
    readonly foreignTexts?: { readonly text: string; readonly owner: string }[];
  } = {},
) {
  const product = describedProduct(changes.product, changes.own);
  const [component] = product.components;
  if (component === undefined) throw new Error('the product has no component');
  return bench.inspect(name, bytes, {
    version: '1.1.0',
    component: component.type,
    ...(component.memory ? { memory: component.memory } : {}),
    ...(component.chip ? { chip: component.chip } : {}),
    identity: {
      product,
      component,
      version: '1.1.0',
      history: changes.history ?? [],
      foreignTexts: changes.foreignTexts ?? [],
      now: changes.now ?? new Date().toISOString(),
    },
  });
}
const rulesOf = async (...args: Parameters<typeof inspect>): Promise<string[]> =>
  (await inspect(...args)).findings.map(({ rule }) => rule);

describe('certificates that openssl made', () => {
  const kinds = {
    'rsa.crt': ['rsa:2048'],
    'ec.crt': ['ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'],
    'ed.crt': ['ed25519'],
  } as const;
  const certificates = new Map<string, { pem: Buffer; der: Buffer }>();
  beforeAll(async () => {
    for (const [name, kind] of Object.entries(kinds)) {
      const subject = ['-subj', `/CN=${name.replace('.crt', '')}`, '-days', '30'];
      const files = ['-keyout', at(`${name}.key`), '-out', at(name)];
      await peer('openssl', ['req', '-x509', '-nodes', '-newkey', ...kind, ...subject, ...files]);
      await peer('openssl', [
        'x509',
        '-in',
        at(name),
        '-outform',
        'DER',
        '-out',
        at(`${name}.der`),
      ]);
      certificates.set(name, { pem: readFileSync(at(name)), der: readFileSync(at(`${name}.der`)) });
    }
  });
  const program = (seed: number): Buffer =>
    Buffer.from(
      Array.from({ length: 600_000 }, (_, index) => (index * 131 + seed + (index >> 7)) & 0xff),
    );
  const days = (count: number): string =>
    new Date(Date.now() + count * 86_400_000).toISOString().slice(0, 10);

  it.each(Object.keys(kinds).flatMap((name) => [[name, 'der'] as const, [name, 'pem'] as const]))(
    '%s as %s is found where it lies, and compared with the support period',
    async (name, form) => {
      const certificate = certificates.get(name)?.[form] ?? Buffer.alloc(0);
      expect(certificate.length).toBeGreaterThan(200);
      const before = program(7);
      const bytes = Buffer.concat([before, certificate, program(3)]);
      const file = await inspect('app.bin', bytes, { product: { supportEnds: days(90) } });
      const found = file.findings.filter(({ rule }) => rule.startsWith('identity.cert'));
      expect(found).toMatchObject([
        {
          rule: 'identity.certificate-expires',
          verdict: 'warn',
          evidence: { offset: before.length, expected: `valid until ${days(90)}` },
        },
      ]);
      expect(found[0]?.detail).toContain(name.replace('.crt', ''));
      const short = { product: { supportEnds: days(20) } };
      expect((await rulesOf('app.bin', bytes, short)).join()).not.toContain('certificate');
      expect(
        await rulesOf('app.bin', bytes, { ...short, now: `${days(40)}T00:00:00.000Z` }),
      ).toContain('identity.certificate-expired');
      expect((await rulesOf('app.bin', bytes)).join()).not.toContain('certificate');
    },
  );

  it('are found once, escaped as in a C program, and in a member of an archive', async () => {
    const { pem = Buffer.alloc(0), der = Buffer.alloc(0) } = certificates.get('ec.crt') ?? {};
    const escaped = Buffer.from(pem.toString().replaceAll('\n', '\\n"\n  "'));
    const late = { product: { supportEnds: days(90) } };
    const inProgram = await rulesOf('app.bin', escaped, late);
    expect(inProgram).toContain('identity.certificate-expires');
    const many = Buffer.concat([escaped, Buffer.alloc(9), der, pem]);
    const file = await inspect('app.bin', many, late);
    expect(file.findings.filter(({ rule }) => /certificate/.test(rule))).toHaveLength(1);
    const packed = await inspect('app.gz', gzipSync(many), late);
    expect(packed.findings.filter(({ rule }) => /certificate/.test(rule))).toHaveLength(1);
  });

  it('cost bounded time when nearly everything looks like one', async () => {
    const { der = Buffer.alloc(0) } = certificates.get('ed.crt') ?? {};
    const broken = Buffer.from(der);
    broken.fill(0, 20, 60);
    const copies = Buffer.concat(Array.from({ length: 12_000 }, () => broken));
    const started = performance.now();
    const rules = await rulesOf('app.bin', copies, { product: { supportEnds: days(90) } });
    expect(performance.now() - started).toBeLessThan(5000);
    expect(rules).toContain('identity.certificates-unread');
  });
});

describe('texts of the product', () => {
  const own = { productTexts: ['Pump controller'] };
  const foreignTexts = [{ text: 'Valve controller', owner: 'VALVE-3 MCU' }];
  it.each([
    ['Pump controller 1.1.0', 'identity.product-text'],
    ['Valve controller 1.1.0', 'identity.other-product'],
    ['controller 1.1.0', 'identity.product-text-missing'],
  ])('%s: %s', async (text, rule) => {
    const wide = Buffer.from(text, 'utf16le');
    for (const bytes of [
      Buffer.from(`....${text}....`),
      Buffer.concat([Buffer.alloc(3), wide, Buffer.alloc(9)]),
    ]) {
      const rules = await rulesOf('app.bin', bytes, { own, foreignTexts });
      expect(rules.filter((id) => /product/.test(id))).toEqual([rule]);
    }
  });

  it('are found in archives, and unknown in what nobody can unpack', async () => {
    const bytes = gzipSync(Buffer.from('Pump controller 1.1.0'));
    expect(await rulesOf('app.gz', bytes, { own })).toContain('identity.product-text');
    const encrypted = imgtoolImage('encrypted');
    expect(await rulesOf('app.bin', encrypted, { own })).toContain('identity.product-text-unknown');
  });
});

describe('what images say about themselves', () => {
  const image = (options: object = {}) =>
    espImage({ version: '1.1.0', ...options } as Parameters<typeof espImage>[0]);
  it('an ESP image: version, secure version, date and that it is not signed', async () => {
    const built = ['Nov  4 2026', '08:09:10'] as const;
    const { identity } = await inspect('app.bin', image({ built }));
    expect(identity).toEqual({
      version: '1.1.0',
      signed: false,
      securityCounter: 7,
      builtAt: '2026-11-04T08:09:10.000Z',
    });
    expect((await inspect('app.bin', image())).identity).not.toHaveProperty('builtAt');
  });

  it('a build of the future is told even where no product is known', async () => {
    const rules = (year: string) =>
      bench.rulesOf('app.bin', image({ built: [`Jan  1 ${year}`, '00:00:00'] }));
    expect(await rules('2099')).toContain('identity.build-date-future');
    expect(await rules('2026')).not.toContain('identity.build-date-future');
  });

  it('and the next image is compared with it', async () => {
    const { identity = {} } = await inspect('app.bin', image());
    const history = [released('1.0.0', { ...identity, version: '1.1.0', securityCounter: 99 })];
    const rules = await rulesOf('app.bin', image(), { history });
    expect(rules).toContain('identity.counter-lower');
    const signed = [released('1.0.0', { ...identity, version: '1.0.0', signed: true })];
    expect(await rulesOf('app.bin', image(), { history: signed })).toContain('identity.unsigned');
    const stale = [released('1.0.0', { ...identity, version: '1.0.0' })];
    expect(await rulesOf('app.bin', image({ version: '1.0.0' }), { history: stale })).toEqual(
      expect.arrayContaining(['identity.version-differs', 'identity.stale-build']),
    );
  });

  it('also in the only image of an archive, so that packing hides nothing', async () => {
    const packed = gzipSync(image());
    const history = [released('1.0.0', { signed: true })];
    expect((await inspect('app.gz', packed)).identity).toMatchObject({ version: '1.1.0' });
    expect(await rulesOf('app.gz', packed, { history })).toContain('identity.unsigned');
  });
});

describe('memory with roles', () => {
  const memory: MemoryRegion[] = [
    { name: 'boot', start: 0x0800_0000, sizeBytes: 0x4000, role: 'bootloader' },
    { name: 'slot0', start: 0x0800_4000, sizeBytes: 0x8000, role: 'slot', trailerBytes: 0x400 },
    { name: 'slot1', start: 0x0800_c000, sizeBytes: 0x8000, role: 'slot', trailerBytes: 0x400 },
    { name: 'ram', start: 0x2000_0000, sizeBytes: 0x5000, role: 'ram' },
  ];
  /** A raw image whose vector table says where it is linked and how large the RAM is. */
  function raw(base: number, sizeBytes: number, stackPointer = 0x2000_5000): Buffer {
    const bytes = Buffer.alloc(sizeBytes, 0x21);
    for (let index = 0; index < 16; index += 1) bytes.writeUInt32LE(base + 0x101, index * 4);
    bytes.writeUInt32LE(stackPointer, 0);
    return bytes;
  }
  function srecord(start: number, sizeBytes: number): Buffer {
    const lines: string[] = ['S0030000FC'];
    for (let offset = 0; offset < sizeBytes; offset += 16) {
      const count = Math.min(16, sizeBytes - offset);
      const body = Buffer.alloc(5 + count, 0x21);
      body.writeUInt8(count + 5, 0);
      body.writeUInt32BE(start + offset, 1);
      const sum = body.reduce((total, byte) => total + byte, 0);
      lines.push(
        `S3${body.toString('hex')}${(~sum & 0xff).toString(16).padStart(2, '0')}`.toUpperCase(),
      );
    }
    return Buffer.from(`${[...lines, 'S70500000000FA'].join('\n')}\n`);
  }
  const memoryRules = async (name: string, bytes: Buffer, regions = memory) =>
    (await rulesOf(name, bytes, { own: { memory: regions } })).filter((rule) =>
      /^image\.(?!vector)/.test(rule),
    );

  it.each([
    ['in a slot', raw(0x0800_4000, 0x7c00), ['image.fits-memory']],
    ['in the other slot', raw(0x0800_c000, 0x7c00), ['image.fits-memory']],
    ['over the trailer', raw(0x0800_4000, 0x7c01), ['image.over-trailer']],
    [
      'over the slot, though two slots are larger',
      raw(0x0800_4000, 0x8001),
      ['image.outside-memory'],
    ],
    ['linked for the boot loader', raw(0x0800_0000, 0x100), ['image.touches-bootloader']],
    ['linked for the RAM', raw(0x1000_0000, 0x100), ['image.outside-memory']],
    [
      'with more RAM',
      raw(0x0800_4000, 0x100, 0x2000_8000),
      ['image.fits-memory', 'image.stack-outside-ram'],
    ],
    [
      'with the stack below the RAM',
      raw(0x0800_4000, 0x100, 0x1fff_fff0),
      ['image.fits-memory', 'image.stack-outside-ram'],
    ],
  ])('a raw image %s', async (_name, bytes, rules) => {
    expect(await memoryRules('app.bin', bytes)).toEqual(rules);
  });

  it.each([
    [0x0800_4000, 0x7c00, ['image.fits-memory']],
    [0x0800_4000, 0x7c10, ['image.over-trailer']],
    [0x0800_3ff0, 0x20, ['image.touches-bootloader']],
    [0x2000_0000, 0x20, ['image.touches-ram']],
    [0x0801_4000, 0x20, ['image.outside-memory']],
  ])('records from %d, %d bytes: %j', async (start, sizeBytes, rules) => {
    expect(await memoryRules('app.s19', srecord(start, sizeBytes))).toEqual(rules);
  });

  it('regions without roles are what they were', async () => {
    const plain = memory
      .slice(0, 3)
      .map(({ name, start, sizeBytes }) => ({ name, start, sizeBytes }));
    for (const bytes of [raw(0x0800_0000, 0x14000), raw(0x0800_4000, 0x7c01, 0x2000_8000)]) {
      expect(await memoryRules('app.bin', bytes, plain)).toEqual(['image.fits-memory']);
    }
    expect(await memoryRules('app.s19', srecord(0x0800_3ff0, 0x20), plain)).toEqual([
      'image.fits-memory',
    ]);
  });

  it('a description of the RAM alone says nothing about the flash', async () => {
    const ram = memory.slice(3);
    expect(await memoryRules('app.bin', raw(0x0800_4000, 0x7c00), ram)).toEqual([]);
    expect(await memoryRules('app.s19', srecord(0x0800_4000, 32), ram)).toEqual([]);
    expect(await memoryRules('app.s19', srecord(0x2000_0000, 32), ram)).toEqual([
      'image.touches-ram',
    ]);
  });
});

it('a version that was released with other bytes is told at inspection', async () => {
  const bytes = Buffer.from('program 1.1.0');
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const other = [released('1.1.0')];
  expect(await rulesOf('app.bin', bytes, { history: other })).toContain(
    'identity.version-immutable',
  );
  const same = [released('1.1.0', undefined, { sha256 })];
  expect((await rulesOf('app.bin', bytes, { history: same })).join()).not.toContain('immutable');
});
