import { createCipheriv } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BlankScan } from '../../electron/core/bundle/blank-scan.ts';
import { EntropyScan } from '../../electron/core/bundle/entropy-scan.ts';
import { PatternScan } from '../../electron/core/bundle/pattern-scan.ts';
import { createStudio } from '../../electron/core/studio.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import type { ContentEntropy, Finding } from '../../shared/domain/finding.ts';
import type { Evidence } from '../../shared/formats/report.ts';
import { tarHeader } from '../support/archives.ts';
import { InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
const machineCode = readFileSync(process.execPath).subarray(4_000_000, 6_000_000);
afterAll(() => bench.remove());

interface Told {
  readonly rule: string;
  readonly evidence: Evidence;
}

/** Feeds bytes in pieces of the given sizes (the last one repeats), each overwritten afterwards. */
function feed(
  scan: { push(bytes: Uint8Array): void },
  bytes: Uint8Array,
  sizes: readonly number[] = [1 << 20],
): void {
  for (let at = 0, piece = 0; at < bytes.length; piece += 1) {
    const size = sizes[Math.min(piece, sizes.length - 1)] ?? 1;
    const window = Buffer.from(bytes.subarray(at, at + size));
    scan.push(window);
    window.fill(0xaa);
    at += size;
  }
}

function blanks(bytes: Uint8Array, sizes?: readonly number[]): Told[] {
  const scan = new BlankScan();
  feed(scan, bytes, sizes);
  const told: Told[] = [];
  scan.endPiece().tell((rule, _detail, evidence = {}) => told.push({ rule, evidence }));
  return told;
}

function entropy(bytes: Uint8Array, sizes?: readonly number[]): ContentEntropy | null {
  const scan = new EntropyScan();
  feed(scan, bytes, sizes);
  return scan.endPiece();
}

function traces(bytes: Uint8Array | string): Told[] {
  const scan = new PatternScan();
  feed(scan, Buffer.from(bytes as string));
  scan.endPiece();
  const told: Told[] = [];
  scan.tell((rule, _detail, evidence = {}) => told.push({ rule, evidence }));
  return told;
}

/** Real machine code. */
function code(sizeBytes: number): Buffer {
  return machineCode.subarray(0, sizeBytes);
}

function ciphertext(sizeBytes: number): Buffer {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 3), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(sizeBytes));
}

describe('padding and holes', () => {
  const kib = 1024;
  it.each([
    [
      'more than half',
      [code(100 * kib), Buffer.alloc(150 * kib, 0xff)],
      [{ rule: 'content.mostly-blank', offset: 100 * kib }],
    ],
    [
      'a hole of two blocks',
      [code(128 * kib), Buffer.alloc(128 * kib), code(99 * kib)],
      [{ rule: 'content.hole', offset: 128 * kib }],
    ],
    [
      'zeros that no block begins or ends',
      [code(100 * kib), Buffer.alloc(70 * kib), code(99 * kib)],
      [],
    ],
    [
      'padding at the end',
      [code(99_999), Buffer.alloc(40_000, 0)],
      [{ rule: 'content.padding', offset: 99_999 }],
    ],
    ['a filled sector', [code(99_999), Buffer.alloc(9_000, 0)], []],
    [
      'erased flash between two parts',
      [code(64 * kib), Buffer.alloc(64 * kib, 255), code(65 * kib)],
      [],
    ],
    ['no blank at all', [code(200 * kib)], []],
    ['nothing', [], []],
  ])('tells %s, however the content is cut', (_name, parts, expected) => {
    const bytes = Buffer.concat(parts);
    for (const sizes of [[1 << 20], [1, 4095, 4097], [65_536], [777]]) {
      const told = blanks(bytes, sizes);
      expect(told.map(({ rule, evidence }) => ({ rule, offset: evidence.offset }))).toEqual(
        expected,
      );
    }
  });

  it('tells the size of each, and counts the same in any pieces', () => {
    const [hole] = blanks(Buffer.concat([code(65_536), Buffer.alloc(65_536), code(65_536)]));
    expect(hole?.evidence.found).toBe('65536 bytes of 00');
    const [padding] = blanks(Buffer.concat([code(70_000), Buffer.alloc(30_000, 0xff)]));
    expect(padding?.evidence).toEqual({ offset: 70_000, found: '30000 bytes of FF' });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.constantFrom(0, 255, 7), fc.integer({ min: 1, max: 90_000 })), {
          maxLength: 6,
        }),
        fc.array(fc.integer({ min: 1, max: 70_000 }), { minLength: 1, maxLength: 4 }),
        (runs, sizes) => {
          const bytes = Buffer.concat(runs.map(([value, size]) => Buffer.alloc(size, value)));
          expect(blanks(bytes, sizes)).toEqual(blanks(bytes));
        },
      ),
      { numRuns: 100 },
    );
  });

  it('looks at members one by one and names them', async () => {
    const member = Buffer.concat([code(10_000), Buffer.alloc(20_000, 0xff)]);
    const tar = Buffer.concat([
      tarHeader('clean.bin', '00000000010\0', '0'),
      Buffer.alloc(512, 'fw'),
      tarHeader('image.bin', `${member.length.toString(8).padStart(11, '0')}\0`, '0'),
      member,
      Buffer.alloc((512 - (member.length % 512)) % 512),
      Buffer.alloc(1024),
    ]);
    const { findings } = await bench.inspect('two.tar', tar);
    const blank = findings.filter(({ rule }) => rule === 'content.mostly-blank');
    expect(blank).toHaveLength(1);
    expect(blank[0]?.evidence).toMatchObject({ member: 'image.bin', offset: 10_000 });
  });

  it('a wholly blank file is told once', async () => {
    expect(await bench.rulesOf('blank.bin', Buffer.alloc(100_000, 0xff))).toEqual([
      'file.all-ff',
      'file.hash',
    ]);
  });
});

describe('entropy', () => {
  const plain = code(500_000);
  const packed = gzipSync(code(1_500_000));
  it.each([
    ['code', plain, 'plain'],
    ['ciphertext', ciphertext(500_000), 'random'],
    ['a little ciphertext', ciphertext(9_000), 'random'],
    [
      'ciphertext behind a header',
      Buffer.concat([plain.subarray(0, 512), ciphertext(200_000)]),
      'random',
    ],
    [
      'ciphertext before padding',
      Buffer.concat([ciphertext(300_000), Buffer.alloc(200_000, 255)]),
      'random',
    ],
    ['ciphertext behind code', Buffer.concat([plain, ciphertext(300_000)]), 'plain'],
    ['gzip', packed, 'compressed'],
    ['text', Buffer.from('firmware release '.repeat(9000)), 'plain'],
  ] as const)('of %s, in any pieces', (_name, bytes, kind) => {
    const measured = entropy(bytes);
    expect(measured?.kind).toBe(kind);
    for (const sizes of [[999], [16_384], [70_001, 3]])
      expect(entropy(bytes, sizes)).toEqual(measured);
  });

  it('of next to nothing is not measured', () => {
    expect(entropy(ciphertext(4095))).toBeNull();
    expect(entropy(Buffer.alloc(100_000))).toBeNull();
  });

  it('is kept with the file; what looks encrypted is never a pass', async () => {
    const opaque = await bench.inspect('app.bin', ciphertext(100_000));
    expect(opaque.entropy?.kind).toBe('random');
    const finding = opaque.findings.find(({ rule }) => rule === 'content.random');
    expect(finding?.verdict).toBe('could-not-check');
    const readable = await bench.inspect('app.bin', plain);
    expect(readable.entropy).toMatchObject({ kind: 'plain' });
    expect(readable.findings.map(({ rule }) => rule)).toEqual(['file.hash']);
  });
});

describe('a release and the one before', () => {
  const version = (next: number) => `1.${next}.0`;
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'slipway-entropy-'));
    cpSync('resources/sample', folder, { recursive: true });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('warns when encrypted and plain content change places, and reads records without a measure', async () => {
    const studio = await createStudio({ workspacePath: folder });
    try {
      const product = { productId: 'SENSOR-1', componentId: 'STM32' };
      const put = (next: number, bytes: Buffer): string[] => {
        const path = join(folder, `radio-${version(next)}.mini_1`);
        writeFileSync(path, bytes);
        return [path];
      };
      const told = async (next: number, bytes: Buffer): Promise<string[]> => {
        const files = put(next, bytes);
        const report = await studio.ask('bundle.inspect', {
          files,
          productId: product.productId,
          version: version(next),
        });
        const rule = 'content.entropy-changed';
        const findings = report.files[0]?.findings.filter((finding) => finding.rule === rule) ?? [];
        return findings.map(({ verdict, detail }) => `${verdict}: ${detail}`);
      };
      const create = (next: number, bytes: Buffer) =>
        studio.ask('bundle.create', {
          ...product,
          version: version(next),
          files: put(next, bytes),
        });

      await create(0, code(200_000));
      expect(await told(1, code(200_001))).toEqual([]);
      expect(await told(1, ciphertext(200_000))).toEqual([
        'warn: "radio-1.1.0.mini_1" looks encrypted; in 1.0.0 it is plain',
      ]);
      await create(1, ciphertext(200_000));
      expect(await told(2, ciphertext(200_016))).toEqual([]);
      expect(await told(2, code(200_000))).toEqual([
        'warn: "radio-1.2.0.mini_1" is plain; in 1.1.0 it looks encrypted',
      ]);

      const workspace = await Workspace.open(folder);
      for (const pkg of workspace.list('package')) {
        const files = pkg.report.files.map(({ entropy: _entropy, ...rest }) => rest);
        workspace.put('package', pkg.releaseId, { ...pkg, report: { ...pkg.report, files } });
      }
      workspace.close();
      expect(await told(2, code(200_000))).toEqual([]);
    } finally {
      await studio.close();
    }
  });
});

describe('traces of debug builds', () => {
  it.each([
    ['image.dirty-build', 'v1.2.3-14-gabcdef0-dirty\0', 'v1.2.3-14-gabcdef0-dirty'],
    ['debug.build', 'Debug build, Nov 24)', 'Debug build, Nov 24'],
    ['debug.build', 'DEBUG BUILD', 'DEBUG BUILD'],
    ['debug.do-not-ship', 'DO NOT TRUST - AMI Test PK', 'DO NOT TRUST - AMI Test PK'],
    ['debug.do-not-ship', 'Do not ship!', 'Do not ship!'],
    ['debug.build-path', '/home/anna/fw/src/main.c', '/home/anna/fw/src/main.c'],
    ['debug.build-path', '/Users/ben/fw/main.c', '/Users/ben/fw/main.c'],
    ['debug.build-path', 'C:\\Users\\ben\\fw\\main.c', 'C:\\Users\\ben\\fw\\main.c'],
    ['debug.jtag', 'JTAG enabled', 'JTAG enabled'],
  ])('%s: %s', (rule, text, found) => {
    const told = traces(`\0\0${text}\0`);
    expect(told.map((finding) => finding.rule)).toEqual([rule]);
    expect(told[0]?.evidence.offset).toBe(2);
    expect(told[0]?.evidence.found).toContain(found);
  });

  it.each([
    ['-dirtyread a-dirty mk-dirs -directory', 'no version'],
    ['debug builder, debug buildings, debugbuild, rebug builds', 'other words'],
    ['ownership do not ships; entrust do not trusted', 'other words'],
    ['/home/ /home/x /homes/anna/x www.site/home/anna/x ~/Users %s/home/%s/x', 'no path'],
    ['MJTAGX jtags', 'part of a word'],
  ])('leaves alone %s (%s)', (text) => {
    expect(traces(text)).toEqual([]);
  });

  it('finds semihosting calls in Thumb code', () => {
    const nops = Buffer.alloc(64, Buffer.from([0x00, 0xbf]));
    for (const call of ['abbe7047', '2046abbe0346', '0420abbe10bd']) {
      const told = traces(Buffer.concat([nops, Buffer.from(call, 'hex'), nops]));
      expect(
        told.map(({ rule }) => rule),
        call,
      ).toEqual(['debug.semihosting']);
    }
    // A constant of the same value is no call.
    expect(traces(Buffer.concat([nops, Buffer.from('00bfabbe0346', 'hex'), nops]))).toEqual([]);
    expect(
      traces(ciphertext(30_000_000)).filter(({ rule }) => rule === 'debug.semihosting'),
    ).toEqual([]);
  });

  it('only warns, wherever the text is', async () => {
    const bytes = Buffer.concat([code(5000), Buffer.from('\0/home/anna/fw/main.c\0DEBUG BUILD\0')]);
    const findings: Finding[] = [];
    for (const [name, content] of [
      ['a.bin', bytes],
      ['a.gz', gzipSync(bytes)],
    ] as const) {
      findings.push(...(await bench.inspect(name, content)).findings);
    }
    const debug = findings.filter(({ rule }) => rule.startsWith('debug.'));
    expect(debug).toHaveLength(4);
    expect(debug.every(({ verdict, waivable }) => verdict === 'warn' && waivable)).toBe(true);
  });
});
