import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Finding, InspectedFile } from '../../shared/domain/finding.ts';
import { imgtool } from '../support/imgtool.ts';
import { flipped, InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

const kinds = {
  'rsa-2048': () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  'rsa-3072': () => generateKeyPairSync('rsa', { modulusLength: 3072 }),
  'ecdsa-p256': () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' }),
  'ecdsa-p384': () => generateKeyPairSync('ec', { namedCurve: 'secp384r1' }),
  ed25519: () => generateKeyPairSync('ed25519'),
} as const;
type Kind = keyof typeof kinds;
const kindNames = Object.keys(kinds) as Kind[];

interface Pair {
  readonly name: string;
  readonly pem: string;
}
/** Two key pairs of each kind: "mine" and one that somebody else has. */
const keys = new Map<string, Pair>();
const at = (name: string): string => join(bench.folder, name);

const size = ['-H', '0x20', '--pad-header', '-S', '0x8000', '-v', '1.2.3+4'];
const sign = (out: string, kind: Kind, ...options: string[]): string[] => {
  return ['sign', '-k', at(`${kind}.key`), ...size, ...options, at('app.raw'), at(out)];
};
const images: readonly (readonly [name: string, kind: Kind, options: readonly string[]])[] = [
  ...kindNames.map((kind) => [`${kind}.bin`, kind, []] as const),
  ...kindNames.map((kind) => [`${kind}-full.bin`, kind, ['--public-key-format', 'full']] as const),
  ['pure.bin', 'ed25519', ['--pure']],
  ['ed25519-sha512.bin', 'ed25519', ['--sha', '512']],
  ['padded-signature.bin', 'ecdsa-p256', ['--pad-sig']],
  ['protected.bin', 'rsa-2048', ['-s', '5', '-d', '(1, 2.0.1+5)', '--vid', 'acme.example']],
  ['slot.bin', 'ecdsa-p256', ['--pad', '--confirm']],
];
/** imgtool wants a key of the same kind to encrypt with. */
const encryptedImages = (['rsa-2048', 'rsa-3072', 'ecdsa-p256', 'ed25519'] as const).map(
  (kind) => [`${kind}-encrypted.bin`, kind, ['-E', at(`encrypt-${kind}.pub`)]] as const,
);

beforeAll(async () => {
  for (const kind of kindNames) {
    for (const name of [kind, `other-${kind}`]) {
      const { publicKey, privateKey } = kinds[kind]();
      const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
      keys.set(name, { name, pem });
      writeFileSync(at(`${name}.pub`), pem);
      writeFileSync(at(`${name}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    }
  }
  const encryption = {
    'rsa-2048': kinds['rsa-2048'](),
    'rsa-3072': kinds['rsa-2048'](),
    'ecdsa-p256': kinds['ecdsa-p256'](),
    ed25519: generateKeyPairSync('x25519'),
  };
  for (const [kind, { publicKey }] of Object.entries(encryption)) {
    writeFileSync(at(`encrypt-${kind}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
  }
  writeFileSync(at('app.raw'), Buffer.alloc(5000, 'program of the sensor '));
  const made = await imgtool([
    ...[...images, ...encryptedImages].map(([out, kind, options]) => sign(out, kind, ...options)),
    ['sign', ...size, at('app.raw'), at('unsigned.bin')],
  ]);
  expect(made.filter(({ done }) => !done)).toEqual([]);
}, 60_000);

const publicKeys = (...names: string[]): Pair[] => names.flatMap((name) => keys.get(name) ?? []);
const inspect = (name: string, ...names: string[]): Promise<InspectedFile> =>
  bench.inspect(name, readFileSync(at(name)), { publicKeys: publicKeys(...names) });
const signatureRules = ({ findings }: { findings: readonly Finding[] }): string[] =>
  findings
    .map(({ rule }) => rule)
    .filter((rule) => /mcuboot\.(signature|unknown-key|unsigned)/.test(rule));

describe('signatures of imgtool', () => {
  it.each(images)('%s is verified with the right key of several', async (name, kind) => {
    const all = [...keys.keys()];
    const file = await inspect(name, ...all);
    expect(signatureRules(file)).toEqual(['mcuboot.signature-verified']);
    expect(file.identity).toMatchObject({ signed: true, keyName: kind, version: '1.2.3+4' });
    expect(file.findings.filter(({ verdict }) => verdict === 'block')).toEqual([]);
  });

  it.each(images)('%s is of none of the other keys', async (name, kind) => {
    const others = [...keys.keys()].filter((key) => key !== kind);
    const file = await inspect(name, ...others);
    expect(signatureRules(file)).toEqual(['mcuboot.unknown-key']);
    expect(file.findings.find(({ rule }) => rule === 'mcuboot.unknown-key')).toMatchObject({
      verdict: 'block',
      evidence: { expected: others.join(', '), offset: expect.any(Number) },
    });
    expect(file.identity).not.toHaveProperty('keyName');
  });

  it('and imgtool agree on each image and key of the same kind, whole and changed', async () => {
    const cases = images.flatMap(([name, kind]) => {
      const bytes = readFileSync(at(name));
      const damaged = `damaged-${name}`;
      writeFileSync(at(damaged), flipped(bytes, 5000));
      return [name, damaged].flatMap((file) =>
        [kind, `other-${kind}`].map((key) => ({ file, key })),
      );
    });
    const theirs = await imgtool(
      cases.map(({ file, key }) => ['verify', '-k', at(`${key}.pub`), at(file)]),
    );
    for (const [index, { file, key }] of cases.entries()) {
      const ours = signatureRules(await inspect(file, key)).includes('mcuboot.signature-verified');
      expect(ours, `${file} with ${key}: ${theirs[index]?.text}`).toBe(theirs[index]?.done);
    }
  }, 60_000);

  it.each(encryptedImages)(
    '%s is verified by its recorded hash, and told so',
    async (name, kind) => {
      const file = await inspect(name, kind);
      expect(signatureRules(file)).toEqual(['mcuboot.signature-verified']);
      const [verified, hidden] = ['mcuboot.signature-verified', 'mcuboot.encrypted'].map((rule) =>
        file.findings.find((finding) => finding.rule === rule),
      );
      expect(verified?.detail).toContain('recorded hash');
      expect(hidden?.verdict).toBe('could-not-check');
      expect(signatureRules(await inspect(name, `other-${kind}`))).toEqual(['mcuboot.unknown-key']);
    },
  );

  it.each([
    'rsa-2048.bin',
    'rsa-3072.bin',
    'ecdsa-p256.bin',
    'ecdsa-p384.bin',
    'ed25519.bin',
    'pure.bin',
  ])('every changed byte of the signature of %s makes it wrong', async (name) => {
    const bytes = readFileSync(at(name));
    const kind = name.replace('.bin', '').replace('pure', 'ed25519');
    const { findings } = await inspect(name, kind);
    const offset = findings.find(({ rule }) => rule.startsWith('mcuboot.sig'))?.evidence.offset;
    expect(offset).toBeGreaterThan(5000);
    const extra = { publicKeys: publicKeys(kind) };
    for (let place = offset ?? 0; place < bytes.length; place += 5) {
      const changed = flipped(bytes, place, 1 << (place & 7));
      const rules = await bench.rulesOf('changed.bin', changed, extra);
      expect(rules, `byte ${place}`).toContain('mcuboot.signature-wrong');
    }
  });

  it('whatever is changed, nothing throws, and only what was signed is verified', async () => {
    const seeds = [...images, ...encryptedImages].map(([name]) => readFileSync(at(name)));
    const extra = { publicKeys: publicKeys(...kindNames) };
    const edit = fc.tuple(fc.nat({ max: 900 }), fc.integer({ min: 1, max: 255 }));
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        fc.array(edit, { minLength: 1, maxLength: 4 }),
        async (seed, edits) => {
          const bytes = Buffer.from(seed);
          const end = bytes.findLastIndex((byte) => byte !== 0xff) + 1;
          for (const [back, mask] of edits)
            bytes[end - 1 - back] = (bytes[end - 1 - back] ?? 0) ^ mask;
          const rules = await bench.rulesOf('changed.bin', bytes, extra);
          if (!rules.includes('mcuboot.signature-verified')) return;
          // The magic of the TLVs follows what is signed.
          const signedEnd = 32 + 5000 + bytes.readUInt16LE(10);
          const isEncrypted = rules.includes('mcuboot.encrypted');
          const covered = (image: Buffer) => image.subarray(isEncrypted ? signedEnd : 0, signedEnd);
          expect(covered(bytes).equals(covered(seed))).toBe(true);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('a signature that names a key of ours but was made by another is wrong, not unknown', async () => {
    const mine = readFileSync(at('ed25519.bin'));
    await imgtool([
      ['sign', '-k', at('other-ed25519.key'), ...size, at('app.raw'), at('forged.bin')],
    ]);
    const forged = readFileSync(at('forged.bin'));
    const keyHash = mine.length - 32 - 4 - 64;
    mine.copy(forged, keyHash, keyHash, keyHash + 32);
    const rules = await bench.rulesOf('forged.bin', forged, { publicKeys: publicKeys('ed25519') });
    expect(rules).toContain('mcuboot.signature-wrong');
    expect(rules).not.toContain('mcuboot.signature-verified');
  });

  it('without a key nothing is verified and nothing is blocked', async () => {
    const file = await inspect('rsa-2048.bin');
    expect(signatureRules(file)).toEqual(['mcuboot.signature']);
    expect(signatureRules(await inspect('unsigned.bin', 'rsa-2048'))).toEqual(['mcuboot.unsigned']);
    expect((await inspect('unsigned.bin', 'rsa-2048')).identity?.signed).toBe(false);
  });
});

it('tells counter, dependency and vendor as imgtool wrote them', async () => {
  const { identity } = await inspect('protected.bin', 'rsa-2048');
  expect(identity).toMatchObject({
    securityCounter: 5,
    dependencies: [{ imageNumber: 1, minVersion: '2.0.1+5' }],
    // RFC 9562, version 5 of "acme.example" in the name space of DNS.
    hardware: [{ field: 'vendor', value: '0637e301e05d505b8267486f5677de9b' }],
  });
});

describe('the slot', () => {
  const slot = { name: 'slot0', start: 0x1000, role: 'slot' as const };
  const fits = (sizeBytes: number, trailerBytes: number) =>
    bench.rulesOf('ecdsa-p256.bin', readFileSync(at('ecdsa-p256.bin')), {
      component: 'mcu',
      memory: [{ ...slot, sizeBytes, trailerBytes }],
    });
  it('holds the image up to the trailer, and no byte more', async () => {
    const { length } = readFileSync(at('ecdsa-p256.bin'));
    expect(await fits(length + 512, 512)).not.toContain('image.over-trailer');
    expect(await fits(length + 511, 512)).toContain('image.over-trailer');
    expect(await fits(length - 1, 0)).toContain('image.outside-memory');
  });

  it('may be filled by the padding of an image, trailer included', async () => {
    const padded = readFileSync(at('slot.bin'));
    const memory = [{ ...slot, sizeBytes: 0x8000, trailerBytes: 1024 }];
    const rules = await bench.rulesOf('slot.bin', padded, { component: 'mcu', memory });
    expect(rules).not.toContain('image.over-trailer');
    expect(rules).not.toContain('image.outside-memory');
    const smaller = [{ ...slot, sizeBytes: 0x7000, trailerBytes: 1024 }];
    expect(
      await bench.rulesOf('slot.bin', padded, { component: 'mcu', memory: smaller }),
    ).toContain('image.outside-memory');
  });
});
