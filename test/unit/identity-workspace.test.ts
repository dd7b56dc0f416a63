import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { Finding, InspectReport } from '../../shared/domain/finding.ts';
import { workspaceConfigSchema } from '../../shared/domain/product.ts';

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const foreign = generateKeyPairSync('ed25519');
const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();

const u16 = (value: number): Buffer => Buffer.from([value & 255, value >> 8]);
const tlv = (type: number, bytes: Buffer): Buffer =>
  Buffer.concat([u16(type), u16(bytes.length), bytes]);
const area = (magic: number, entries: readonly Buffer[]): Buffer => {
  const all = Buffer.concat(entries);
  return Buffer.concat([u16(magic), u16(all.length + 4), all]);
};

/** An MCUboot image with a security counter, signed with Ed25519 over its hash unless the key is null. */
function mcuboot(
  version: string,
  counter: number,
  key = { publicKey, privateKey } as typeof foreign | null,
) {
  const [major = 0, minor = 0, revision = 0] = version.split('.').map(Number);
  const header = Buffer.alloc(32);
  const body = Buffer.alloc(4000, `program ${version} `);
  const guarded = area(0x6908, [tlv(0x50, Buffer.from([counter, 0, 0, 0]))]);
  header.writeUInt32LE(0x96f3b83d, 0);
  header.writeUInt16LE(header.length, 8);
  header.writeUInt16LE(guarded.length, 10);
  header.writeUInt32LE(body.length, 12);
  header.set([major, minor, revision], 20);
  const covered = Buffer.concat([header, body, guarded]);
  const hash = createHash('sha256').update(covered).digest();
  const spki = key?.publicKey.export({ type: 'spki', format: 'der' }) ?? Buffer.alloc(0);
  const signature = key && [
    tlv(0x01, createHash('sha256').update(spki).digest()),
    tlv(0x24, sign(null, hash, key.privateKey)),
  ];
  return Buffer.concat([covered, area(0x6907, [tlv(0x10, hash), ...(signature ?? [])])]);
}

const product = {
  id: 'PUMP-7',
  name: 'Pump',
  supportEnds: '2035-12-31',
  compatibility: [{ STM32: '>=1.0.0 <2.0.0', EC600N: 'R01' }],
  components: [
    {
      id: 'STM32',
      name: 'Pump firmware',
      type: 'mcu',
      versionScheme: 'semver',
      requiredSteps: ['1.1.0'],
      signing: { required: true, keys: [{ name: 'release', publicKey: 'keys/release.pem' }] },
    },
    { id: 'EC600N', name: 'Modem', type: 'module', versionScheme: { pattern: 'R(\\d+)' } },
  ],
};

let folder: string;
let studio: Studio;
const pathOf = (name: string): string => join(folder, name);

/** A workspace of its own that describes this product. */
async function openWorkspace(changed: object = product): Promise<void> {
  await studio?.close();
  const config = { version: 1, name: 'Pumps', products: [changed] };
  await writeFile(pathOf('slipway.yaml'), stringify(config));
  studio = await createStudio({ workspacePath: folder });
}
async function inspect(bytes: Buffer, version: string, componentId?: string) {
  const file = pathOf('app.bin');
  await writeFile(file, bytes);
  return studio.ask('bundle.inspect', {
    files: [file],
    productId: product.id,
    version,
    ...(componentId ? { componentId } : { component: 'mcu' }),
  });
}
async function release(bytes: Buffer, version: string, componentId = 'STM32') {
  const file = pathOf(`app-${version}.bin`);
  await writeFile(file, bytes);
  const input = { productId: product.id, componentId, version, files: [file] };
  return studio.ask('bundle.create', input);
}
const findings = (report: InspectReport): readonly Finding[] =>
  report.files.flatMap((file) => file.findings);
const bad = (report: InspectReport): string[] =>
  findings(report)
    .filter(({ verdict }) => verdict === 'block' || verdict === 'warn')
    .map(({ rule }) => rule);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-identity-'));
  await mkdir(pathOf('keys'));
  await writeFile(pathOf('keys/release.pem'), pem);
  await openWorkspace();
});
afterAll(async () => {
  await studio?.close();
  await rm(folder, { recursive: true, force: true });
});

test('the first signed image is verified with the key of the workspace, and nothing is wrong', async () => {
  const report = await inspect(mcuboot('1.0.0', 3), '1.0.0');
  expect(bad(report)).toEqual([]);
  expect(findings(report).map(({ rule }) => rule)).toContain('mcuboot.signature-verified');
  const pkg = await release(mcuboot('1.0.0', 3), '1.0.0');
  expect(pkg.report.files[0]?.identity).toMatchObject({
    signed: true,
    keyName: 'release',
    securityCounter: 3,
    version: '1.0.0+0',
  });
});

test('the next images are compared with it, at inspection already', async () => {
  const problems = {
    'identity.unsigned': () => inspect(mcuboot('1.0.1', 3, null), '1.0.1'),
    'mcuboot.unknown-key': () => inspect(mcuboot('1.0.1', 3, foreign), '1.0.1'),
    'identity.counter-lower': () => inspect(mcuboot('1.0.1', 2), '1.0.1'),
    'identity.downgrade': () => inspect(mcuboot('0.9.0', 3), '0.9.0'),
    'identity.version-immutable': () => inspect(mcuboot('1.0.0', 4), '1.0.0'),
    'identity.same-bytes': () => inspect(mcuboot('1.0.0', 3), '1.0.1'),
    'identity.stale-build': () => inspect(mcuboot('1.0.0', 4), '1.0.1'),
    'identity.incompatible': () => inspect(mcuboot('2.0.0', 3), '2.0.0'),
    'identity.version-form': () => inspect(mcuboot('1.0.1', 3), '1.0'),
  };
  for (const [rule, report] of Object.entries(problems)) {
    expect(bad(await report()), rule).toContain(rule);
  }
});

test('a blocked image makes no package, and a used version says so by its own name', async () => {
  await expect(release(mcuboot('1.0.1', 1), '1.0.1')).rejects.toMatchObject({
    problem: { code: 'bundle-blocked', detail: expect.stringContaining('identity.counter-lower') },
  });
  await expect(release(mcuboot('1.0.0', 9), '1.0.0')).rejects.toMatchObject({
    problem: { code: 'version-immutable' },
  });
  const again = await release(mcuboot('1.0.0', 3), '1.0.0');
  expect((await studio.ask('packages.list', {})).map(({ id }) => id)).toEqual([again.id]);
});

test('the other component is compared with it', async () => {
  const modem = Buffer.from('modem firmware R01, and R02');
  expect(bad(await inspect(modem, 'R02', 'EC600N'))).toEqual(['identity.incompatible']);
  expect(bad(await inspect(modem, 'R01', 'EC600N'))).toEqual([]);
});

test('a product of several components is compared only where the component is clear', async () => {
  const file = pathOf('app.bin');
  await writeFile(file, mcuboot('1.0.0', 9));
  const report = await studio.ask('bundle.inspect', {
    files: [file],
    productId: product.id,
    version: '1.0.0',
  });
  expect(bad(report)).toEqual([]);
});

test('a delta tells that it would skip a version that no device may skip', async () => {
  const source = await release(mcuboot('1.0.0', 3), '1.0.0');
  const target = await release(mcuboot('1.2.0', 3), '1.2.0');
  const delta = await studio.ask('delta.create', {
    sourcePackageId: source.id,
    targetPackageId: target.id,
  });
  expect(bad(delta.report)).toContain('identity.step-skipped');
  expect(delta.report.verdict).toBe('block');
});

test('a patch is known when it was proven here, and told when it was not', async () => {
  const recorded = (await studio.ask('packages.list', {})).find(
    ({ packageType }) => packageType === 'delta',
  );
  const sha256 = recorded?.files[0]?.sha256 ?? '';
  const objects = pathOf('.slipway/objects');
  const patch = await readFile(join(objects, sha256.slice(0, 2), sha256.slice(2)));
  const rules = findings(await inspect(patch, '1.2.0', 'STM32')).map(({ rule }) => rule);
  expect(rules).toContain('identity.delta-proven');
  const [stranger, out] = ['stranger.bin', 'update.bin'].map(pathOf) as [string, string];
  await writeFile(stranger, Buffer.alloc(9000, 'another program altogether '));
  await studio.ask('delta.make', { source: stranger, target: pathOf('app-1.2.0.bin'), out });
  expect(bad(await inspect(await readFile(out), '1.2.0', 'STM32'))).toContain(
    'identity.delta-unproven',
  );
});

test('a key that cannot be used is named, and a private one is refused', async () => {
  const secret = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const withKey = (publicKey: string) => {
    const [first, ...others] = product.components;
    const signing = { keys: [{ name: 'release', publicKey }] };
    return { ...product, components: [{ ...first, signing }, ...others] };
  };
  await writeFile(pathOf('keys/secret.pem'), secret);
  for (const [key, why] of [
    ['keys/missing.pem', 'ENOENT'],
    ['slipway.yaml', 'no public key'],
    ['keys/secret.pem', 'private key'],
    [secret, 'private key'],
  ] as const) {
    await openWorkspace(withKey(key));
    const refused = inspect(mcuboot('1.3.0', 3), '1.3.0');
    await expect(refused, key).rejects.toMatchObject({
      problem: { code: 'public-key-invalid', detail: expect.stringContaining(why), kind: 'usage' },
    });
    await expect(refused).rejects.not.toMatchObject({
      problem: { detail: expect.stringContaining(secret.slice(40, 60)) },
    });
  }
  await openWorkspace(withKey(pem));
  const report = await inspect(mcuboot('1.3.0', 3), '1.3.0');
  expect(findings(report).map(({ rule }) => rule)).toContain('mcuboot.signature-verified');
});

test('a description that means nothing is refused with the name of the field', async () => {
  const wrong: readonly (readonly [object, string])[] = [
    [{ supportEnds: 'next year' }, 'supportEnds'],
    [{ compatibility: [{ STM32: '~1.0' }] }, 'compatibility'],
    [{ compatibility: [{ NONE: '1.0' }] }, 'NONE'],
    [{ components: [{ ...product.components[0], versionScheme: { pattern: '(' } }] }, 'pattern'],
    [{ components: [{ ...product.components[0], requiredSteps: ['x'] }] }, 'requiredSteps'],
    [
      {
        components: [
          {
            ...product.components[0],
            memory: [{ name: 'a', start: 0, sizeBytes: 4, trailerBytes: 5 }],
          },
        ],
      },
      'trailerBytes',
    ],
  ];
  for (const [change, field] of wrong) {
    await expect(openWorkspace({ ...product, ...change }), field).rejects.toMatchObject({
      problem: { code: 'config-invalid', detail: expect.stringContaining(field) },
    });
  }
});

test.each(['README.md', 'docs/product-description.md'])(
  'the description in %s is valid',
  async (name) => {
    const blocks = (await readFile(name, 'utf8')).matchAll(/^```yaml\n([\s\S]*?)^```/gm);
    const described = [...blocks]
      .map(([, text = '']) => text)
      .filter((text) => /^products:/m.test(text));
    expect(described).toHaveLength(1);
    const config = { version: 1, name: 'Documented', ...parse(described[0] ?? '') };
    expect(workspaceConfigSchema.safeParse(config).error?.issues ?? []).toEqual([]);
    expect(config.products[0].components[0].memory[1].trailerBytes).toBe(0x800);
  },
);
