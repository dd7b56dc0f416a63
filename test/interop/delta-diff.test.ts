import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ImageDiff } from '../../shared/domain/image-diff.ts';
import { readElfParts } from '../../shared/formats/elf-parts.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { throwingReport } from '../../shared/formats/report.ts';
import { slipway } from '../support/command.ts';
import { type AssembledSymbol, linkImage } from '../support/linked-images.ts';

let folder: string;
let [before, after] = ['', ''];
const at = (name: string): string => join(folder, name);

const shared: readonly AssembledSymbol[] = [
  { name: 'start', type: 'function', section: '.text', body: '.fill 64, 1, 0x90' },
  { name: 'checksum', type: 'function', section: '.text', body: '.long 1, 2, 3, 4' },
  { name: 'table', type: 'object', section: '.rodata', body: '.fill 512, 1, 7' },
  { name: 'settings', type: 'object', section: '.data', body: '.long 10, 20, 30' },
  { name: 'buffer', type: 'object', section: '.bss', body: '.skip 256' },
];

/** The newer version: start is longer, so that what follows moves; a constant is another; one comes, one goes. */
const newer: readonly AssembledSymbol[] = [
  { ...shared[0]!, body: '.fill 72, 1, 0x90' },
  shared[1]!,
  { name: 'parse', type: 'function', section: '.text', body: '.fill 24, 1, 5' },
  shared[2]!,
  { ...shared[3]!, body: '.long 10, 21, 30' },
  { ...shared[4]!, body: '.skip 320' },
];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-diff-'));
  const gone: AssembledSymbol = {
    name: 'legacy',
    type: 'function',
    section: '.text',
    body: '.fill 40, 1, 3',
  };
  before = linkImage(folder, 'before', [...shared.slice(0, 2), gone, ...shared.slice(2)]);
  after = linkImage(folder, 'after', newer);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function diff(...args: readonly string[]): Promise<ImageDiff> {
  const { exitCode, stdout, stderr } = await slipway(['delta', 'diff', ...args]);
  expect(exitCode, stderr).toBe(0);
  return JSON.parse(stdout) as ImageDiff;
}

/** Offsets at which cmp finds another byte, from 0. */
function cmp(one: string, two: string): number[] {
  const { stdout } = spawnSync('cmp', ['-l', one, two], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number.parseInt(line, 10) - 1);
}

describe('changed bytes', () => {
  it('are those that cmp finds', async () => {
    const [one, two] = [at('one.bin'), at('two.bin')];
    const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * i * 7) >> 5));
    writeFileSync(one, bytes);
    for (let i = 0; i < 5000; i++) bytes[(i * i * 31) % bytes.length]! ^= 1 + (i % 255);
    writeFileSync(two, bytes);
    const { runs, totals } = await diff(one, two);
    const found = runs.listed.flatMap(({ start, sizeBytes }) =>
      Array.from({ length: sizeBytes }, (_, i) => start + i),
    );
    const expected = cmp(one, two);
    expect(expected.length).toBeGreaterThan(1000);
    expect(found).toEqual(expected);
    expect(totals.changedBytes).toBe(expected.length);
  });

  it('of two ELF files are those of the images that objcopy makes of them', async () => {
    for (const elf of [before, after])
      execFileSync('objcopy', ['-O', 'binary', '--gap-fill', '0', elf, `${elf}.bin`]);
    const { runs } = await diff(before, after);
    const [was, is] = [readFileSync(`${before}.bin`), readFileSync(`${after}.bin`)];
    const changed = runs.listed
      .filter(({ kind }) => kind === 'changed')
      .flatMap(({ start, sizeBytes }) =>
        Array.from({ length: sizeBytes }, (_, i) => start + i - 0x0800_0000),
      );
    expect(changed.length).toBeGreaterThan(10);
    for (const offset of changed) expect(was[offset]).not.toBe(is[offset]);
    const setting = runs.listed.find(({ start }) => start === 0x0801_0004);
    expect(setting).toMatchObject({ sizeBytes: 1, place: 'settings+0x4' });
  });

  it('are found between formats: an S-record file holds what its ELF file does', async () => {
    execFileSync('objcopy', ['-O', 'srec', before, at('before.s19')]);
    execFileSync('objcopy', ['-O', 'ihex', after, at('after.hex')]);
    const [own, other] = [await diff(before, after), await diff(at('before.s19'), at('after.hex'))];
    expect(other.totals.changedBytes).toBe(own.totals.changedBytes);
    expect(other).toMatchObject({ old: { format: 's-record' }, new: { format: 'intel-hex' } });
    expect(other.symbols).toBeNull();
    const named = await diff(
      at('before.s19'),
      at('after.hex'),
      '--old-elf',
      before,
      '--new-elf',
      after,
    );
    expect(named.symbols).toEqual(own.symbols);
  });
});

describe('sections and symbols', () => {
  it('are those that nm and readelf tell', async () => {
    const parts = await readElfParts(memorySource(readFileSync(after)), throwingReport('after'));
    const ofNm = execFileSync('nm', ['-S', '--defined-only', after], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((line) => /^(\w+) (?:(\w{16}) )?\w (.+)$/.exec(line))
      .map(
        (match) => `${match?.[3]} ${Number(`0x${match?.[1]}`)} ${Number(`0x${match?.[2] ?? 0}`)}`,
      )
      .sort();
    const ours = parts?.symbols
      .map(({ name, address, sizeBytes }) => `${name} ${address} ${sizeBytes}`)
      .sort();
    expect(ours).toEqual(ofNm);
    const text = execFileSync('readelf', ['-SW', after], { encoding: 'utf8' });
    for (const { name, address, sizeBytes } of parts?.sections ?? []) {
      const hex = (value: number, digits: number): string =>
        value.toString(16).padStart(digits, '0');
      const row = text.split('\n').find((line) => line.includes(` ${name} `));
      expect(row).toContain(hex(address, 16));
      expect(row).toContain(` ${hex(sizeBytes, 6)} `);
    }
    expect(parts?.sections.map(({ name }) => name)).toEqual(['.text', '.rodata', '.data', '.bss']);
  });

  it('that grew come first, then those that came, went, changed and moved', async () => {
    const { symbols, sections } = await diff(before, after);
    const brief = symbols?.listed.map(({ name, state, sizeChangeBytes, changedBytes }) =>
      [name, state, sizeChangeBytes, changedBytes].join(' '),
    );
    expect(brief).toEqual([
      'buffer resized 64 0',
      'legacy removed -40 40',
      'parse added 24 24',
      'start resized 8 8',
      'settings changed 0 1',
      'checksum moved 0 0',
      'table moved 0 0',
    ]);
    expect(symbols?.counts).toMatchObject({ added: 1, removed: 1, resized: 2, changed: 1 });
    expect(
      sections?.listed.map(({ name, state, sizeChangeBytes }) => [name, state, sizeChangeBytes]),
    ).toContainEqual(['.bss', 'resized', 64]);
  });
});

describe('bad input', () => {
  it('is told by its name and leads to no report', async () => {
    writeFileSync(at('empty.bin'), '');
    writeFileSync(at('plain.bin'), 'plain');
    const cases: readonly (readonly [string[], string, number])[] = [
      [[at('missing.bin'), at('plain.bin')], 'file-not-found', 3],
      [[at('empty.bin'), at('plain.bin')], 'file.empty', 2],
      [[folder, at('plain.bin')], 'file-is-folder', 2],
      [[at('plain.bin'), at('plain.bin'), '--old-elf', at('plain.bin')], 'diff-not-elf', 2],
      [[at('plain.bin'), at('plain.bin'), '--sector-bytes', '1'], 'bad-request', 2],
      [[at('plain.bin'), at('plain.bin'), '--product', 'NONE'], 'no-workspace', 2],
    ];
    for (const [args, code, exitCode] of cases) {
      const outcome = await slipway(['delta', 'diff', ...args]);
      expect([outcome.problem?.code, outcome.exitCode], args.join(' ')).toEqual([code, exitCode]);
      expect(outcome.stdout).toBe('');
    }
    writeFileSync(at('cut.elf'), readFileSync(after).subarray(0, 300));
    const cut = await slipway(['delta', 'diff', at('cut.elf'), after]);
    expect([cut.problem?.code, cut.exitCode]).toEqual(['elf.truncated', 1]);
  });
});
