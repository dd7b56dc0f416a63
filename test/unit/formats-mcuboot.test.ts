import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import type { Finding } from '../../shared/domain/finding.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { type McubootImage, readMcuboot, sameVersion } from '../../shared/formats/mcuboot.ts';
import { bundleRules } from '../../shared/messages/bundle-rules.ts';
import { imgtoolImage, imgtoolImages } from '../support/mcuboot-images.ts';

interface Told {
  readonly image: McubootImage | null;
  readonly rules: readonly string[];
  readonly offsets: readonly (number | undefined)[];
}

async function read(bytes: Uint8Array): Promise<Told> {
  const rules: string[] = [];
  const offsets: (number | undefined)[] = [];
  const image = await readMcuboot(
    memorySource(bytes),
    async (algorithm, start, end) =>
      createHash(algorithm).update(bytes.subarray(start, end)).digest('hex'),
    (rule, _detail, evidence) => {
      expect(bundleRules).toHaveProperty([rule]);
      rules.push(rule);
      offsets.push(evidence?.offset);
    },
  );
  return { image, rules, offsets };
}

const u16 = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
const entry = (type: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([u16(type), u16(bytes.length), bytes]);
const area = (magic: number, entries: readonly Buffer[]): Buffer => {
  const all = Buffer.concat(entries);
  return Buffer.concat([u16(magic), u16(all.length + 4), all]);
};

interface Recipe {
  readonly hash?: 'sha256' | 'sha384' | 'sha512' | null;
  readonly guarded?: readonly Buffer[];
  readonly extra?: readonly Buffer[];
  readonly flags?: number;
  readonly headerSize?: number;
}

/** An image put together from the document, not by the reader's own rules. */
function build(recipe: Recipe = {}): Buffer {
  const { hash = 'sha256', guarded = [], extra = [], flags = 0, headerSize = 32 } = recipe;
  const header = Buffer.alloc(headerSize);
  const body = Buffer.alloc(200, 'code');
  const shielded = guarded.length > 0 ? area(0x6908, guarded) : Buffer.alloc(0);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(headerSize, 8);
  header.writeUInt16LE(shielded.length, 10);
  header.writeUInt32LE(body.length, 12);
  header.writeUInt32LE(flags, 16);
  header.set([2, 5, 0x2c, 0x01, 9, 0, 0, 0], 20);
  const signed = Buffer.concat([header, body, shielded]);
  const types = { sha256: 0x10, sha384: 0x11, sha512: 0x12 } as const;
  const entries = [
    ...(hash === null ? [] : [entry(types[hash], createHash(hash).update(signed).digest())]),
    entry(0x01, Buffer.alloc(32, 7)),
    entry(0x22, Buffer.alloc(70, 9)),
    ...extra,
  ];
  return Buffer.concat([signed, area(0x6907, entries)]);
}
const sound: string[] = [];
const change = (bytes: Buffer, at: number, value: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = value;
  return copy;
};

describe('images of imgtool', () => {
  it.each([
    ['ecdsa', sound, 'ECDSA'],
    ['rsa', sound, 'RSA-2048'],
    ['ed25519Sha512', sound, 'Ed25519'],
    ['ed25519Pure', sound, 'Ed25519'],
    ['sampleP384', ['mcuboot.sample-key'], 'ECDSA'],
    ['wholeSampleKey', ['mcuboot.sample-key'], 'ECDSA'],
    ['encrypted', ['mcuboot.encrypted'], 'ECDSA'],
    ['unsigned', ['mcuboot.unsigned'], null],
  ] as const)('%s: %s', async (name, rules, algorithm) => {
    const told = await read(imgtoolImage(name));
    expect(told.rules).toEqual(rules);
    expect(told.image?.version).toBe('1.2.3+4');
    const algorithms = told.image?.signatures.map((signature) => signature.algorithm);
    expect(algorithms).toEqual(algorithm === null ? [] : [algorithm]);
    const [signature] = told.image?.signatures ?? [];
    expect(signature?.key?.type).toBe(
      algorithm === null ? undefined : name === 'wholeSampleKey' ? 'whole' : 'hash',
    );
    expect(told.image?.isPure).toBe(name === 'ed25519Pure');
    expect(told.image?.encrypted).toBe(name === 'encrypted');
  });

  it('tells counter, dependencies and vendor of protected TLVs', async () => {
    const { image } = await read(imgtoolImage('ecdsa'));
    expect(image).toMatchObject({
      imageSizeBytes: 96,
      securityCounter: 7,
      dependencies: [{ imageNumber: 1, minVersion: '2.0.1+5' }],
      vendorId: 'aabbccdd00112233445566778899aabb',
    });
    expect(image?.keyHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('believes a counter and a dependency only where the signature covers them', async () => {
    const counter = entry(0x50, Buffer.from([9, 0, 0, 0]));
    const dependency = entry(0x40, Buffer.alloc(12, 1));
    const bare = await read(build({ extra: [counter, dependency] }));
    expect(bare.image).toMatchObject({ securityCounter: null, dependencies: [] });
    const { image } = await read(build({ guarded: [counter, dependency] }));
    expect(image).toMatchObject({ securityCounter: 9, dependencies: [{ imageNumber: 1 }] });
  });

  it('notices every flipped bit of what the hash covers, and every cut', async () => {
    const bytes = imgtoolImage('ecdsa');
    const covered = 32 + 96 + bytes.readUInt16LE(10);
    for (let bit = 0; bit < covered * 8; bit++) {
      const { rules } = await read(
        change(bytes, bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7))),
      );
      if (bit >> 3 < 4) continue;
      const expected = /mcuboot\.(hash|sizes|tlv|truncated|encrypted)/;
      expect(rules.join(), `bit ${bit}`).toMatch(expected);
    }
    for (let size = 0; size < bytes.length; size++) {
      const told = await read(bytes.subarray(0, size));
      expect(told.rules, `cut to ${size}`).toEqual(['mcuboot.truncated']);
      expect(told.image).toBeNull();
    }
  });
});

describe('images of the document', () => {
  it.each([
    ['sha256', {}],
    ['sha384', { hash: 'sha384' }],
    ['sha512', { hash: 'sha512', headerSize: 512 }],
    ['protected', { guarded: [entry(0x50, Buffer.from([1, 0, 0, 0])), entry(0xa5, u16(1))] }],
  ] as const)('%s is sound', async (_name, recipe) => {
    const { rules, image } = await read(build(recipe));
    expect(rules).toEqual(sound);
    expect(image?.version).toBe('2.5.300+9');
  });

  const good = build();
  const tlvAt = 232;
  const guarded = build({ guarded: [entry(0x50, Buffer.alloc(4))] });
  it.each([
    ['header of 31 bytes', change(good, 8, 31), 'mcuboot.sizes', 8],
    ['no image', change(good, 12, 0), 'mcuboot.sizes', 12],
    ['smaller image', change(good, 12, 199), 'mcuboot.tlv', tlvAt - 1],
    ['larger image', change(good, 12, 204), 'mcuboot.tlv', tlvAt + 4],
    ['image of 4 GB', change(good, 15, 0xff), 'mcuboot.truncated', good.length],
    ['other TLV magic', change(good, tlvAt, 8), 'mcuboot.tlv', tlvAt],
    ['TLVs of 3 bytes', change(change(good, tlvAt + 2, 3), tlvAt + 3, 0), 'mcuboot.tlv', tlvAt + 2],
    ['longer TLVs', change(good, tlvAt + 3, 1), 'mcuboot.truncated', good.length],
    ['longer TLV', change(good, tlvAt + 7, 0x40), 'mcuboot.tlv', tlvAt + 4],
    ['shorter hash', change(good, tlvAt + 4, 0x11), 'mcuboot.tlv', tlvAt + 6],
    ['hash', change(good, tlvAt + 8, 0), 'mcuboot.hash', tlvAt + 8],
    ['code', change(good, 100, 0), 'mcuboot.hash', tlvAt + 8],
    ['protected size', change(guarded, 10, 4), 'mcuboot.tlv', tlvAt + 2],
    ['no hash', build({ hash: null }), 'mcuboot.no-hash', tlvAt],
    ['two hashes', build({ extra: [entry(0x12, Buffer.alloc(64))] }), 'mcuboot.tlv', 382],
    ['foreign bytes', Buffer.concat([good, Buffer.from('junk')]), 'mcuboot.trailing', good.length],
    ['flagged as encrypted', build({ flags: 4 }), 'mcuboot.encrypted', 16],
  ])('%s', async (_name, bytes, rule, offset) => {
    const { rules, offsets } = await read(bytes);
    expect(rules).toContain(rule);
    expect(offsets[rules.indexOf(rule)]).toBe(offset);
  });

  const erased = Buffer.alloc(3_000_000, 0xff);
  const magic = Buffer.from('77c295f360d2ef7f3552500f2cb67980', 'hex');
  const wideMagic = Buffer.from('20002de15d29410b8d77679c110f1f8a', 'hex');
  const confirmed = Buffer.from('01ffffffffffffff', 'hex');
  it.each([
    ['erased flash', [erased]],
    ['zeros', [Buffer.alloc(40)]],
    ['a slot trailer', [erased, magic]],
    ['a confirmed slot trailer', [erased, confirmed, magic]],
    ['a slot trailer for wide writes', [erased, confirmed, wideMagic]],
  ])('accepts %s after the TLVs', async (_name, parts) => {
    expect((await read(Buffer.concat([good, ...parts]))).rules).toEqual(sound);
  });

  it('finds foreign bytes between erased flash and the slot trailer', async () => {
    const bytes = Buffer.concat([good, erased, Buffer.from([1]), erased, confirmed, magic]);
    const { rules, offsets } = await read(bytes);
    expect(rules).toContain('mcuboot.trailing');
    expect(offsets[rules.indexOf('mcuboot.trailing')]).toBe(good.length + erased.length);
  });

  it('never throws, and reads little, whatever the bytes claim', async () => {
    const seeds = [
      good,
      guarded,
      ...Object.keys(imgtoolImages).map((name) => imgtoolImage(name as never)),
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), { maxLength: 6 }),
        fc.option(fc.tuple(fc.nat({ max: 300 }), fc.constantFrom(0, 0xffff))),
        fc.nat(),
        async (seed, edits, field, cut) => {
          const bytes = Buffer.from(seed);
          for (const [at, value] of edits) bytes[at % bytes.length] = value;
          if (field !== null) bytes.writeUInt16LE(field[1], field[0] % (bytes.length - 2));
          const kept = cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes;
          const { image, rules } = await read(kept);
          expect(rules.length).toBeLessThan(8);
          if (image === null) expect(rules.join()).toMatch(/sizes|truncated|tlv/);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

it.each([
  ['1.2.3', true],
  ['v1.2.3', true],
  ['1.2.3+4', true],
  ['1.2.3-rc.1', true],
  ['1.2.3+5', false],
  ['1.2.4', false],
  ['11.2.3', false],
  ['EC20EQAR02A05V03', null],
  ['2026-11', null],
])('compares the header with the declared version %s', (declared, same) => {
  expect(sameVersion('1.2.3+4', declared)).toBe(same);
  expect(sameVersion('0.0.0+0', declared)).toBeNull();
});

describe('files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-mcuboot-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function findings(bytes: Uint8Array, version?: string): Promise<readonly Finding[]> {
    const path = join(folder, 'app.bin');
    writeFileSync(path, bytes);
    const files = [{ path, name: 'app.bin' }];
    const context = { signal: new AbortController().signal, onProgress: () => undefined };
    const input = { files, fileTypes: ['.bin'], ...(version === undefined ? {} : { version }) };
    return (await inspectFiles(input, context)).files[0]?.findings ?? [];
  }
  const of = (list: readonly Finding[], rule: string): Finding | undefined =>
    list.find((finding) => finding.rule === rule);

  it('tells what a sound image says, and blocks nothing', async () => {
    const list = await findings(imgtoolImage('ecdsa'), '1.2.3');
    expect(list.filter(({ verdict }) => verdict === 'block' || verdict === 'warn')).toEqual([]);
    expect(of(list, 'mcuboot.header')?.detail).toMatch(
      /^version 1\.2\.3\+4, 96 bytes, key [0-9a-f]{64}, security counter 7, needs image 1 >= 2\.0\.1\+5, vendor aabb/,
    );
    expect(of(list, 'identity.version-found')?.evidence.offset).toBe(20);
    expect(of(list, 'mcuboot.signature')?.verdict).toBe('could-not-check');
  });

  it('blocks another version once, a wrong hash and a sample key', async () => {
    const other = await findings(imgtoolImage('ecdsa'), '1.2.4');
    expect(of(other, 'identity.version-differs')).toMatchObject({
      verdict: 'block',
      waivable: true,
      evidence: { expected: '1.2.4', found: '1.2.3+4' },
    });
    expect(of(other, 'identity.version-not-found')).toBeUndefined();
    const bent = await findings(change(imgtoolImage('ecdsa'), 60, 0));
    expect(of(bent, 'mcuboot.hash')?.verdict).toBe('block');
    expect(of(bent, 'mcuboot.header')).toBeUndefined();
    expect(of(await findings(imgtoolImage('sampleP384')), 'mcuboot.sample-key')).toMatchObject({
      verdict: 'block',
      waivable: true,
      evidence: { offset: expect.any(Number) },
    });
  });

  it('hashes an image of several windows', async () => {
    const body = Buffer.alloc(2_500_000, 'many windows ');
    const header = Buffer.from(build().subarray(0, 32));
    header.writeUInt32LE(body.length, 12);
    const signed = Buffer.concat([header, body]);
    const hash = entry(0x10, createHash('sha256').update(signed).digest());
    const list = await findings(Buffer.concat([signed, area(0x6907, [hash])]));
    expect(of(list, 'mcuboot.header')?.detail).toContain('2500000 bytes');
    expect(of(list, 'mcuboot.unsigned')?.verdict).toBe('warn');
  });
});
