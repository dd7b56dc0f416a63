import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InspectedFile } from '../../shared/domain/finding.ts';
import { worstVerdict } from '../../shared/domain/verdict.ts';
import { InspectBench } from '../support/inspect.ts';
import { peer, pythonPeer } from '../support/peers.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());
const at = (name: string): string => join(bench.folder, name);
const content = Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index) >> 4));

beforeAll(() => writeFileSync(at('in.bin'), content));

/** Runs a tool in the folder; what it makes must come into being. */
async function make(name: string, command: string, args: readonly string[], debian = command) {
  const { code, stdout, stderr } = await peer(
    'env',
    ['-C', bench.folder, command, ...args],
    debian,
  );
  if (code !== 0) throw new Error(`${command} (Debian ${debian}): ${stdout}${stderr}`);
  return readFileSync(at(name));
}

const verdictOf = ({ findings }: InspectedFile): string =>
  worstVerdict(findings.map(({ verdict }) => verdict));

const isBlocked = (file: InspectedFile): boolean => verdictOf(file) === 'block';

interface Damage {
  readonly what: string;
  readonly offset: number;
  readonly bytes: Buffer;
}

/** One bit in each of the first bytes and here and there, sizes at their limits, and cuts. */
function damagesOf(whole: Buffer): Damage[] {
  const places = [
    ...Array.from({ length: 40 }, (_, index) => index),
    ...Array.from(
      { length: 24 },
      (_, index) => 40 + Math.floor(((whole.length - 41) * index) / 23),
    ),
  ].filter((offset) => offset < whole.length);
  const flips = places.map((offset) => {
    const bytes = Buffer.from(whole);
    bytes[offset] = (bytes[offset] ?? 0) ^ (1 << (offset % 7));
    return { what: `a bit at ${offset}`, offset, bytes };
  });
  const lies = [4, 8, 12, 16, 20, 24, 28, 32].map((offset) => {
    const bytes = Buffer.from(whole);
    bytes.writeUInt32LE(0x7fff_fff7, offset);
    return { what: `a lie at ${offset}`, offset, bytes };
  });
  const cuts = Array.from({ length: 12 }, (_, index) => {
    const length = index === 0 ? whole.length - 1 : Math.floor((whole.length * index) / 12);
    return {
      what: `a cut at ${length}`,
      offset: length,
      bytes: Buffer.from(whole.subarray(0, length)),
    };
  });
  return [...flips, ...lies, ...cuts];
}

type Oracle = (path: string) => Promise<boolean>;

/** Whether a program takes a file, by its exit code and, when given, its complaints. */
function program(
  command: string,
  args: readonly string[],
  complaint?: RegExp,
  mostCode = 0,
): Oracle {
  return (path) =>
    new Promise((done, fail) => {
      execFile(command, [...args, path], { timeout: 20_000 }, (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (code === 'ENOENT') fail(new Error(`${command} is missing: npm run setup -- --tests`));
        const isTaken = typeof code === 'number' && code <= mostCode;
        done(isTaken && complaint?.test(stdout + stderr) !== true);
      });
    });
}

/** The same of a line of shell, in which `$0` is the file. */
const shell = (line: string): Oracle => program('sh', ['-c', line]);

/** Bytes by which formats without a name of their own are recognised: without them it is another file. */
const recognisedByBytes = 24;

function isUnrecognised({ format }: InspectedFile, { bytes, offset }: Damage): boolean {
  return format === 'unknown' && Math.min(offset, bytes.length) < recognisedByBytes;
}

/** Damages that an oracle refuses and we do not block; how many it refused at all. */
async function disagreements(
  name: string,
  whole: Buffer,
  oracles: readonly Oracle[],
): Promise<{ readonly missed: string[]; readonly refused: number }> {
  const missed: string[] = [];
  let refused = 0;
  for (const damage of damagesOf(whole)) {
    const { what, bytes } = damage;
    const path = at(`damaged-${name}`);
    writeFileSync(path, bytes);
    const taken = await Promise.all(oracles.map((oracle) => oracle(path)));
    if (!taken.includes(false)) continue;
    refused += 1;
    const file = await bench.inspect(name, bytes, { fileTypes: [extname(name)] });
    if (!isBlocked(file) && !isUnrecognised(file, damage)) {
      missed.push(`${what}: ${file.findings.map(({ rule }) => rule).join(' ')}`);
    }
  }
  return { missed, refused };
}

describe('what a tool made passes, and what it refuses we block', () => {
  const srecCat = ['in.bin', '-binary', '-offset', '0x8000'];
  const mkimage = ['-A', 'arm', '-O', 'linux', '-a', '0x80008000', '-e', '0x80008040'];
  const list = (command: string, ...args: string[]) => program(command, args);

  const openSbi = '/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf';
  it.each<readonly [string, () => Promise<Buffer>, readonly Oracle[]]>([
    [
      'a.s19',
      () =>
        make(
          'a.s19',
          'srec_cat',
          [...srecCat, '-o', 'a.s19', '-motorola', '-execution-start-address=0x8000'],
          'srecord',
        ),
      [program('srec_info', [], /warning/i)],
    ],
    [
      'a.hex',
      () => make('a.hex', 'srec_cat', [...srecCat, '-o', 'a.hex', '-intel'], 'srecord'),
      [shell('srec_info "$0" -intel')],
    ],
    [
      'a.zip',
      () => make('a.zip', 'zip', ['-q', '-X', 'a.zip', 'in.bin']),
      [program('unzip', ['-tqq'], undefined, 1), list('bsdtar', '-xOf')],
    ],
    [
      'a.tar',
      () => make('a.tar', 'tar', ['-b1', '-cf', 'a.tar', 'in.bin']),
      [list('bsdtar', '-tf'), list('tar', '-tf')],
    ],
    [
      'a.tar.gz',
      () => make('a.tar.gz', 'tar', ['-czf', 'a.tar.gz', 'in.bin']),
      [list('gzip', '-t'), list('bsdtar', '-tf')],
    ],
    [
      'a.img',
      () =>
        make(
          'a.img',
          'mkimage',
          [...mkimage, '-T', 'kernel', '-C', 'none', '-n', 'pump', '-d', 'in.bin', 'a.img'],
          'u-boot-tools',
        ),
      [shell('dumpimage -l "$0" | grep -q "Image Name"')],
    ],
    [
      'a.dtb',
      async () => {
        writeFileSync(
          at('a.dts'),
          '/dts-v1/; / { compatible = "maker,pump"; pins { label = "a"; }; };',
        );
        return make(
          'a.dtb',
          'dtc',
          ['-I', 'dts', '-O', 'dtb', '-o', 'a.dtb', 'a.dts'],
          'device-tree-compiler',
        );
      },
      [program('dtc', ['-q', '-I', 'dtb', '-O', 'dts', '-o', '/dev/null'])],
    ],
    ...['v4', 'v5'].map((version) => {
      const name = `${version}.rar`;
      const stored = () => {
        const text = readFileSync(`test/support/fuzz/seeds/rar/${version}.txt`, 'latin1');
        writeFileSync(at(name), Buffer.from(text, 'base64'));
        return readFileSync(at(name));
      };
      return [name, async () => stored(), [program('bsdtar', ['-tf'])]] as const;
    }),
    [
      'fw.elf',
      async () => {
        writeFileSync(at('fw.elf'), readFileSync(openSbi));
        return readFileSync(at('fw.elf'));
      },
      [program('readelf', ['-hlSW'], /error/i)],
    ],
  ])('%s', async (name, makeWhole, oracles) => {
    const whole = await makeWhole();
    for (const oracle of oracles) expect(await oracle(at(name))).toBe(true);
    const file = await bench.inspect(name, whole, { fileTypes: [extname(name)] });
    expect(file.findings.filter(({ verdict }) => verdict === 'block')).toEqual([]);
    const { missed, refused } = await disagreements(name, whole, oracles);
    expect(missed).toEqual([]);
    expect(refused).toBeGreaterThan(8);
  });
});

/** Asks one run of Python about many files: starting it for each would take minutes. */
async function askPython(question: 'esp' | 'mcuboot', folder: string) {
  const script = 'test/support/oracle-peers.py';
  const { code, stdout, stderr } = await pythonPeer('python', [script, question, folder]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Record<string, string | null>;
}

/** What a Python tool refuses of damaged files, and what we say of those. */
async function missedOf(question: 'esp' | 'mcuboot', names: readonly string[]) {
  const folder = at(`${question}-damaged`);
  mkdirSync(folder);
  if (question === 'mcuboot') writeFileSync(join(folder, 'key.pem'), readFileSync(at('key.pem')));
  const damages = new Map<string, Damage>();
  for (const name of names) {
    for (const [index, damage] of damagesOf(readFileSync(at(name))).entries()) {
      // The chip stands before the last dot.
      const damaged = name.replace(/^/, `${index}.`);
      writeFileSync(join(folder, damaged), damage.bytes);
      damages.set(damaged, damage);
    }
  }
  const answers = await askPython(question, folder);
  const missed: string[] = [];
  for (const [name, answer] of Object.entries(answers)) {
    const damage = damages.get(name);
    if (answer === null || damage === undefined) continue;
    const file = await bench.inspect('image.bin', damage.bytes);
    // What is encrypted, or signed by an unknown key, is never a pass.
    const isTold = isBlocked(file) || (question === 'mcuboot' && verdictOf(file) !== 'pass');
    if (!isTold && !isUnrecognised(file, damage)) {
      const rules = file.findings.map(({ rule }) => rule).join(' ');
      missed.push(`${name}, ${damage.what}: ${answer}; ${rules}`);
    }
  }
  const refused = Object.values(answers).filter((answer) => answer !== null).length;
  return { missed, refused };
}

describe('esptool', () => {
  it('makes images for every chip that pass, and agrees about damaged ones', async () => {
    const folder = at('esp');
    mkdirSync(folder);
    const made = await pythonPeer('python', ['test/support/oracle-peers.py', 'make', folder]);
    expect(made.stderr).toBe('');
    const names = readdirSync(folder).sort();
    expect(names.length).toBe(9);
    const answers = await askPython('esp', folder);
    for (const name of names) {
      expect(answers[name], name).toBeNull();
      const bytes = readFileSync(join(folder, name));
      const file = await bench.inspect(name, bytes);
      expect(
        file.findings.filter(({ verdict }) => verdict !== 'pass'),
        name,
      ).toEqual([]);
      const chip = file.findings.find(({ rule }) => rule === 'esp.chip')?.detail ?? '';
      expect(chip.toLowerCase().replace('-', '')).toBe(basename(name).split('.')[1]);
      writeFileSync(at(name), bytes);
    }
    const app = ['0x10000', at('app.esp32s3.bin')];
    const merge = [
      '--chip',
      'esp32s3',
      'merge-bin',
      '--format',
      'uf2',
      '-o',
      at('app.uf2'),
      ...app,
    ];
    const merged = await pythonPeer('esptool', merge);
    expect(merged.code, merged.stderr).toBe(0);
    const uf2 = await bench.inspect('app.uf2', readFileSync(at('app.uf2')));
    expect(uf2.findings.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
    expect(uf2.segments?.[0]?.start).toBe(0x10000);

    const { missed, refused } = await missedOf('esp', ['app.esp32.bin', 'app.esp8266.bin']);
    expect(missed).toEqual([]);
    expect(refused).toBeGreaterThan(60);
  });
});

describe('imgtool', () => {
  const sign = (out: string, ...args: string[]) => {
    const basics = [
      '--version',
      '1.2.3+4',
      '--header-size',
      '0x200',
      '--pad-header',
      '--slot-size',
      '0x8000',
      '--align',
      '8',
    ];
    return pythonPeer('imgtool', ['sign', ...basics, ...args, at('in.bin'), at(out)]);
  };

  it('signs images that are not blocked, and agrees about damaged ones', async () => {
    const key = at('key.pem');
    await pythonPeer('imgtool', ['keygen', '-k', key, '-t', 'ecdsa-p256']);
    const variants: readonly (readonly [string, readonly string[]])[] = [
      ['signed.bin', ['-k', key]],
      ['counter.bin', ['-k', key, '--security-counter', '7', '--dependencies', '(1, 1.0.0+0)']],
      ['padded.bin', ['-k', key, '--pad', '--confirm']],
      ['full.bin', ['-k', key, '--public-key-format', 'full']],
    ];
    for (const [name, args] of variants) {
      const made = await sign(name, ...args);
      expect(made.code, made.stderr).toBe(0);
      const file = await bench.inspect(name, readFileSync(at(name)), { version: '1.2.3' });
      expect(file.format).toBe('mcuboot');
      const blocks = file.findings.filter(({ verdict }) => verdict === 'block');
      expect(blocks, name).toEqual([]);
      expect(file.findings.map(({ rule }) => rule)).toContain('identity.version-found');
    }
    const { missed, refused } = await missedOf('mcuboot', ['signed.bin', 'counter.bin']);
    expect(missed).toEqual([]);
    expect(refused).toBeGreaterThan(60);
  });
});
