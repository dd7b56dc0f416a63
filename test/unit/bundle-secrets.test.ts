import { createCipheriv, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inspectFiles } from '../../electron/core/bundle/inspect-files.ts';
import { PatternScan } from '../../electron/core/bundle/pattern-scan.ts';
import { defaultFileTypes } from '../../shared/domain/limits.ts';
import type { Evidence } from '../../shared/formats/report.ts';
import { tarHeader, zip } from '../support/archives.ts';

interface Told {
  readonly rule: string;
  readonly detail: string;
  readonly evidence: Evidence;
}

function scan(bytes: Uint8Array, sizes: readonly number[] = [1 << 20]): Told[] {
  const secrets = new PatternScan();
  for (let at = 0, piece = 0; at < bytes.length; piece++) {
    const size = sizes[Math.min(piece, sizes.length - 1)] ?? 1;
    // The window of a file is overwritten too: what must be kept has to be copied.
    const window = Buffer.from(bytes.subarray(at, at + size));
    secrets.push(window);
    window.fill(0xaa);
    at += size;
  }
  secrets.endPiece();
  const told: Told[] = [];
  secrets.tell((rule, detail, evidence = {}) => told.push({ rule, detail, evidence }));
  return told;
}

const rules = (bytes: Uint8Array | string): string[] =>
  scan(typeof bytes === 'string' ? Buffer.from(bytes) : bytes).map(({ rule }) => rule);

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const p521 = generateKeyPairSync('ec', { namedCurve: 'secp521r1' });
const ed = generateKeyPairSync('ed25519');
const x25519 = generateKeyPairSync('x25519');
const dsa = generateKeyPairSync('dsa', { modulusLength: 2048, divisorLength: 256 });
const password = { cipher: 'aes-256-cbc', passphrase: 'correct horse' };
const der = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1', encrypted = false): Buffer =>
  key.export({ type, format: 'der', ...(encrypted ? password : {}) } as never) as never;
const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1', encrypted = false): string =>
  key.export({ type, format: 'pem', ...(encrypted ? password : {}) } as never) as never;

const derKeys: readonly (readonly [string, Buffer])[] = [
  ['PKCS#1, RSA 2048 bits', der(rsa.privateKey, 'pkcs1')],
  ['PKCS#8, RSA 2048 bits', der(rsa.privateKey, 'pkcs8')],
  ['SEC1, EC key of 32 bytes', der(ec.privateKey, 'sec1')],
  ['PKCS#8, EC key of 32 bytes', der(ec.privateKey, 'pkcs8')],
  ['PKCS#8, EC key of 66 bytes', der(p521.privateKey, 'pkcs8')],
  ['PKCS#8, Ed25519', der(ed.privateKey, 'pkcs8')],
  ['PKCS#8, X25519', der(x25519.privateKey, 'pkcs8')],
  ['PKCS#8, DSA', der(dsa.privateKey, 'pkcs8')],
  ['encrypted PKCS#8', der(rsa.privateKey, 'pkcs8', true)],
  ['encrypted PKCS#8', der(ed.privateKey, 'pkcs8', true)],
];
const pemKeys: readonly (readonly [string, string])[] = [
  ['RSA PRIVATE KEY', pem(rsa.privateKey, 'pkcs1')],
  ['RSA PRIVATE KEY', pem(rsa.privateKey, 'pkcs1', true)],
  ['PRIVATE KEY', pem(rsa.privateKey, 'pkcs8')],
  ['ENCRYPTED PRIVATE KEY', pem(rsa.privateKey, 'pkcs8', true)],
  ['EC PRIVATE KEY', pem(ec.privateKey, 'sec1')],
  ['EC PRIVATE KEY', pem(ec.privateKey, 'sec1', true)],
  ['PRIVATE KEY', pem(ed.privateKey, 'pkcs8')],
];
const padding = (size: number): Buffer => Buffer.alloc(size, 0xa5);

describe('private keys', () => {
  it.each(derKeys)('finds %s in DER at its offset', (kind, key) => {
    const told = scan(Buffer.concat([padding(1003), key, padding(77)]));
    expect(told).toHaveLength(1);
    expect(told[0]).toMatchObject({ rule: 'secret.private-key', evidence: { offset: 1003 } });
    expect(told[0]?.evidence.found).toBe(`${kind} (${key.length} bytes of DER)`);
  });

  it.each(pemKeys)('finds %s in PEM, also with other line ends and in literals', (label, key) => {
    const lines = key.trimEnd().split('\n');
    for (const text of [
      key,
      key.replaceAll('\n', '\r\n'),
      JSON.stringify({ key }),
      lines.map((line) => `  "${line}\\n"\n`).join(''),
      lines.map((line) => `'${line}\\n' +\n`).join(''),
    ]) {
      const told = scan(Buffer.concat([padding(50), Buffer.from(text), padding(9)]));
      expect(told, text).toHaveLength(1);
      expect(told[0]?.rule).toBe('secret.private-key');
      expect(told[0]?.evidence.offset).toBe(50 + text.indexOf('-----BEGIN'));
      expect(told[0]?.evidence.found).toContain(`-----BEGIN ${label}----- …`);
      for (const line of lines.slice(1, -1).filter((body) => body.length > 20))
        expect(JSON.stringify(told)).not.toContain(line);
    }
  });

  it('finds the keys of ssh-keygen', () => {
    const folder = mkdtempSync(join(tmpdir(), 'slipway-ssh-'));
    try {
      for (const args of [
        ['-N', ''],
        ['-N', 'secret words'],
      ]) {
        const path = join(folder, `key${args[1]?.length}`);
        execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-f', path, ...args]);
        const told = scan(readFileSync(path));
        expect(told.map(({ rule }) => rule)).toEqual(['secret.private-key']);
        expect(told[0]?.detail).toContain('OpenSSH');
        expect(rules(readFileSync(`${path}.pub`))).toEqual([]);
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it('leaves alone what is public, and headers without a key', () => {
    const spki = ec.publicKey.export({ type: 'spki', format: 'der' });
    const pkcs1 = rsa.publicKey.export({ type: 'pkcs1', format: 'der' });
    const publicPem = rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string;
    const marks = [...new Set(pemKeys.map(([label]) => label))].flatMap((label) => [
      `-----BEGIN ${label}-----\0-----END ${label}-----\0`,
      `-----BEGIN ${label}-----\n%s\n-----END ${label}-----\n`,
      `-----BEGIN ${label}-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC...\n-----END ${label}-----\n`,
      `-----BEGIN ${label}-----\nProc-Type: 4,ENCRYPTED\n\n-----END ${label}-----\n`,
    ]);
    for (const bytes of [spki, pkcs1, ...[publicPem, ...marks].map((text) => Buffer.from(text))])
      expect(rules(Buffer.concat([padding(9), bytes, padding(200)])), bytes.toString()).toEqual([]);
  });

  it('leaves alone a DER prefix that a library holds as a template', () => {
    for (const [key, prefixBytes] of [
      [der(ed.privateKey, 'pkcs8'), 16],
      [der(x25519.privateKey, 'pkcs8'), 16],
      [der(ec.privateKey, 'sec1'), 7],
    ] as const) {
      for (const fill of [Buffer.alloc(256, 0), Buffer.alloc(256, 'text that is no key ')])
        expect(rules(Buffer.concat([key.subarray(0, prefixBytes), fill]))).toEqual([]);
    }
    // Right in structure, but the primes do not multiply to the modulus.
    const wrong = Buffer.from(der(rsa.privateKey, 'pkcs1'));
    wrong[260] = (wrong[260] ?? 0) ^ 2;
    wrong[264] = (wrong[264] ?? 0) ^ 2;
    expect(rules(wrong)).toEqual([]);
  });

  it('only warns of a key that a TLS library publishes for its self-test', () => {
    // P-192, from GnuTLS: in every program that links it.
    const published = `-----BEGIN EC PRIVATE KEY-----
MF8CAQEEGLjezFcbgDMeApVrdtZHvu/k1a8/tVZ41KAKBggqhkjOPQMBAaE0AzIABO1lciKdgxeRH8k64vxcaV1OYIK9akVrW02Dw21MXhRLP0l0wzCw6LGSr5rS6AaLFg==
-----END EC PRIVATE KEY-----
`;
    const told = scan(Buffer.from(published));
    expect(told.map(({ rule }) => rule)).toEqual(['secret.test-key']);
    expect(told[0]?.evidence.found).toContain('GnuTLS');
    const body = Buffer.from(published.split('\n').slice(1, -2).join(''), 'base64');
    expect(rules(body)).toEqual(['secret.test-key']);
    body[10] = (body[10] ?? 0) ^ 1;
    expect(rules(body)).toEqual(['secret.private-key']);
  });

  it('does not see keys in ciphertext', () => {
    const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 1), Buffer.alloc(16));
    const noise = cipher.update(Buffer.alloc(20_000_000));
    expect(rules(noise)).toEqual([]);
  });
});

const letters = (size: number): string =>
  'Ab3dE5gH7jK9mN2pQ4sT6vW8yZ1cF0iLoRuX'.repeat(3).slice(0, size);
const upper = 'ABCDEFGHIJKLMNOP';

describe('passwords and tokens', () => {
  it.each([
    ['secret.cloud-key', `id=AKIA${upper} `, upper],
    ['secret.cloud-key', `AWS_SECRET_ACCESS_KEY=${letters(40)}\n`, letters(40)],
    ['secret.cloud-key', `aws_secret_access_key = ${letters(40)}\n`, letters(40)],
    ['secret.cloud-key', `AIza${letters(35)}"`, letters(35)],
    ['secret.cloud-key', `AccountName=x;AccountKey=${letters(86)}==;`, letters(86)],
    ['secret.cloud-key', `HostName=x;SharedAccessKey=${letters(43)}=`, letters(43)],
    ['secret.token', `ghp_${letters(36)}\0`, letters(36)],
    ['secret.token', `github_pat_${letters(22)}_${letters(59)}\n`, letters(59)],
    ['secret.token', `glpat-${letters(20)}\n`, letters(20)],
    ['secret.token', `xoxb-123456789012-${letters(24)}`, letters(24)],
    ['secret.url-credentials', 'mqtts://device7:S3cr-t!9@broker.plant.net:8883', 'S3cr-t!9'],
    ['secret.url-credentials', 'x=https://:only0pw@10.0.0.1/fw.bin', 'only0pw'],
    ['secret.wifi', 'WIFI_PASSWORD = "hunter2hunter2"\n', 'hunter2hunter2'],
    ['secret.wifi', '#define WIFI_PASS "hunter2hunter2"', 'hunter2hunter2'],
    ['secret.wifi', 'CONFIG_ESP_WIFI_PASSWORD="hunter2hunter2"', 'hunter2hunter2'],
    ['secret.wifi', '{"wifi_psk": "hunter2hunter2"}', 'hunter2hunter2'],
    ['secret.wifi', '\tpsk="hunter2hunter2"\n', 'hunter2hunter2'],
    ['secret.wifi', 'wpa_passphrase=hunter2hunter2\n', 'hunter2hunter2'],
    [
      'secret.root-hash',
      'root:$6$saltsalt$abcdefghijklmnopqrstuvwxyz01:19000:0:::::',
      'abcdefghij',
    ],
    [
      'secret.root-hash',
      'root:$1$abcdefgh$abcdefghijklmnopqrstuv:0:0:root:/:/bin/sh',
      'abcdefghij',
    ],
    ['secret.root-hash', 'root:ab01FAX.bQRSU:0:0:root:/root:/bin/sh\n', '01FAX'],
  ])('%s: %s', (rule, text, secret) => {
    const told = scan(Buffer.from(`lead ${text} trail`));
    expect(told.map((finding) => finding.rule)).toEqual([rule]);
    expect(JSON.stringify(told)).not.toContain(secret);
  });

  it.each([
    'http://user:password@host/ %s://%s:%s@%s mqtt://<user>:<pass>@broker',
    'http://example.com:80/a@b https://[::1]:443/ ssh://git@github.com/x',
    'AKIAIOSFODNN7 AKIAAAAAAAAAAAAAAAAA xAKIAABCDEFGHIJKLMNOP',
    `AIza${letters(20)} ghp_short glpat- npm_config_registry root:x:0:0:root:/root:/bin/sh`,
    'root:*:19000:0::: root:!:1:: rootfs: root://',
    'WIFI_PASSWORD = "%s" wifi_password: "your password here" psk=%s wifi_pass\0wifi_key',
    'AccountKey= SharedAccessKey=%s aws_secret_access_key=',
  ])('leaves alone: %s', (text) => {
    expect(rules(text)).toEqual([]);
  });
});

describe('content in pieces', () => {
  it('finds every secret wherever the pieces and the windows end', () => {
    const secrets = [
      ...derKeys.map(([, key]) => key),
      ...pemKeys.map(([, key]) => Buffer.from(key)),
      Buffer.from(`ghp_${letters(36)}\n`),
      Buffer.from('mqtt://device7:S3cr-t!9@broker.net '),
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...secrets),
        fc.oneof(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 495_000, max: 530_000 })),
        fc.array(fc.integer({ min: 1, max: 900_000 }), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(0, 3, 100_000),
        (secret, before, sizes, after) => {
          const bytes = Buffer.concat([padding(before), secret, padding(after)]);
          const told = scan(bytes, sizes);
          expect(told).toHaveLength(1);
          expect(told[0]?.evidence.offset).toBeGreaterThanOrEqual(before);
          expect(told[0]?.evidence.offset).toBeLessThan(before + 30);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('counts what it does not list, and names the member', () => {
    const secrets = new PatternScan();
    for (const member of ['a', 'b']) {
      for (let index = 0; index < 7; index++) secrets.push(Buffer.from(`ghp_${letters(36)}\n`));
      secrets.endPiece(member);
    }
    const told: string[] = [];
    secrets.tell((_rule, detail) => told.push(detail));
    expect(told).toHaveLength(5);
    expect(told[0]).toMatch(/^"a": offset 0: ghp_…/);
    expect(told[4]).toMatch(/\(and 9 more\)$/);
  });

  const key = der(ed.privateKey, 'pkcs8');
  it.each([
    ['a sequence that ends nowhere', Buffer.from('30820000', 'hex')],
    ['beginnings of PKCS#8', Buffer.from('302e020100', 'hex')],
    ['Ed25519 templates', key.subarray(0, 16)],
    ['PKCS#1 in PKCS#1', Buffer.from('308204a40201000282010100', 'hex')],
    ['whole keys', key],
    ['PEM beginnings', Buffer.from('-----BEGIN PRIVATE KEY-----\n')],
    ['PEM beginnings without an end', Buffer.from('-----BEGIN RSA PRIVATE KEY----- rnrn: \\n')],
    ['schemes', Buffer.from('a://')],
    ['Wi-Fi names', Buffer.from('wifi_pass ')],
    ['users', Buffer.from('root:$6$')],
  ])('1 MB of %s takes little more than a second at most', (_name, unit) => {
    const bytes = Buffer.alloc(1_000_000, unit);
    // Processor time: that of other work on the machine does not count.
    const before = process.cpuUsage();
    scan(bytes);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).toBeLessThan(1500);
  });

  it('never throws on any bytes', () => {
    const seeds = [...derKeys.map(([, bytes]) => bytes), ...pemKeys.map(([, s]) => Buffer.from(s))];
    fc.assert(
      fc.property(
        fc.constantFrom(...seeds),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }),
        fc.nat(),
        (seed, edits, cut) => {
          const bytes = Buffer.from(seed);
          for (const [at, value] of edits) bytes[at % bytes.length] = value;
          for (const { evidence } of scan(bytes.subarray(0, cut % (bytes.length + 1))))
            expect(evidence.offset).toBeLessThan(bytes.length);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('files', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-secrets-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const key = der(ec.privateKey, 'pkcs8');
  const member = Buffer.concat([padding(2000), key, randomBytes(700)]);
  const tar = Buffer.concat([
    tarHeader('clean.bin', '00000000010\0', '0'),
    Buffer.alloc(512, 'fw'),
    tarHeader('etc/image.bin', `${member.length.toString(8).padStart(11, '0')}\0`, '0'),
    member,
    Buffer.alloc((512 - (member.length % 512)) % 512),
    Buffer.alloc(1024),
  ]);
  const record = (at: number, data: Buffer): string => {
    const bytes = Buffer.concat([Buffer.from([data.length + 5, 0, 0, at >> 8, at & 255]), data]);
    const sum = ~bytes.reduce((total, byte) => total + byte, 0) & 0xff;
    return `S3${bytes.toString('hex')}${sum.toString(16).padStart(2, '0')}\n`.toUpperCase();
  };
  const records = Array.from({ length: Math.ceil(member.length / 32) }, (_, line) =>
    record(line * 32, member.subarray(line * 32, line * 32 + 32)),
  );
  it.each([
    ['raw.bin', member, undefined],
    ['members.zip', zip('etc/image.bin', member), 'etc/image.bin'],
    ['members.tar', tar, 'etc/image.bin'],
    ['members.tar.gz', gzipSync(tar), 'etc/image.bin'],
    ['image.bin.gz', gzipSync(member), undefined],
    ['image.s19', Buffer.from(`S00600004844521B\n${records.join('')}S70500000000FA\n`), undefined],
  ])('%s is blocked, can be waived and is whole otherwise', async (name, bytes, inside) => {
    const path = join(folder, name);
    writeFileSync(path, bytes);
    const input = { files: [{ path, name }], fileTypes: [...defaultFileTypes, '.gz'] };
    const context = { signal: new AbortController().signal, onProgress: () => undefined };
    const { verdict, files } = await inspectFiles(input, context);
    expect(verdict).toBe('block');
    const findings = files[0]?.findings ?? [];
    const blocks = findings.filter((finding) => finding.verdict === 'block');
    expect(blocks).toHaveLength(1);
    expect(blocks[0]).toMatchObject({ rule: 'secret.private-key', waivable: true });
    expect(blocks[0]?.evidence.offset).toBe(2000);
    expect(blocks[0]?.evidence.member).toBe(inside);
    if (name !== 'raw.bin') expect(findings[0]?.rule).toBe('container.integrity');
  });
});
