import { readFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { flipped, InspectBench } from '../support/inspect.ts';

const bench = new InspectBench();
afterAll(() => bench.remove());

interface Load {
  readonly virtual: number;
  readonly physical: number;
  readonly data: Buffer;
  readonly memoryBytes?: number;
  readonly flags?: number;
}

const code: Load = { virtual: 0x0800_0000, physical: 0x0800_0000, data: Buffer.alloc(400, 1) };
const data: Load = { virtual: 0x2000_0000, physical: 0x0800_0190, data: Buffer.alloc(60, 2) };
const zeroed: Load = {
  virtual: 0x2000_1000,
  physical: 0x2000_1000,
  data: Buffer.alloc(0),
  memoryBytes: 4096,
};

/** A 32-bit or 64-bit executable in either byte order, with sections as a linker leaves them. */
function elf(
  loads: readonly Load[],
  { is64 = false, little = true, entry = 0x0800_0101, names = ['.text', '.shstrtab'] } = {},
): Buffer {
  const word = is64 ? 8 : 4;
  const [headerBytes, programBytes, sectionBytes] = is64 ? [64, 56, 64] : [52, 32, 40];
  const put = (bytes: Buffer, at: number, value: number, size: number): void => {
    const digits = value.toString(16).padStart(size * 2, '0');
    const field = Buffer.from(digits, 'hex');
    bytes.set(little ? field.reverse() : field, at);
  };
  const table = Buffer.from(`\0${names.join('\0')}\0`);
  const contents = [...loads.map((load) => load.data), table];
  const first = headerBytes + loads.length * programBytes;
  const offsets = contents.map((_, index) =>
    contents.slice(0, index).reduce((sum, bytes) => sum + bytes.length, first),
  );
  const sectionsAt = (offsets.at(-1) ?? 0) + table.length;

  const header = Buffer.alloc(headerBytes);
  header.set([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, little ? 1 : 2, 1]);
  put(header, 16, 2, 2);
  put(header, 18, 40, 2);
  put(header, 24, entry, word);
  put(header, 24 + word, headerBytes, word);
  put(header, 24 + 2 * word, sectionsAt, word);
  const counts = is64 ? 52 : 40;
  const sections = names.length + 1;
  const fields = [headerBytes, programBytes, loads.length, sectionBytes, sections, names.length];
  for (const [index, value] of fields.entries()) put(header, counts + 2 * index, value, 2);

  const programs = loads.map((load, index) => {
    const {
      virtual,
      physical,
      data: { length },
      memoryBytes,
      flags = 5,
    } = load;
    const bytes = Buffer.alloc(programBytes);
    put(bytes, 0, 1, 4);
    put(bytes, is64 ? 4 : 24, flags, 4);
    const values = [offsets[index] ?? 0, virtual, physical, length, memoryBytes ?? length];
    for (const [at, value] of values.entries()) put(bytes, (is64 ? 8 : 4) + at * word, value, word);
    return bytes;
  });
  const sectionHeaders = names.map((name, index) => {
    const bytes = Buffer.alloc(sectionBytes);
    put(bytes, 0, table.indexOf(`\0${name}\0`) + 1, 4);
    put(bytes, 4, name === '.symtab' ? 2 : 1, 4);
    const isTable = index === names.length - 1;
    put(bytes, is64 ? 24 : 16, isTable ? (offsets.at(-1) ?? 0) : first, word);
    put(bytes, is64 ? 32 : 20, isTable ? table.length : 20, word);
    return bytes;
  });
  return Buffer.concat([
    header,
    ...programs,
    ...contents,
    Buffer.alloc(sectionBytes),
    ...sectionHeaders,
  ]);
}

const whole = elf([code, data, zeroed]);
const variants = [
  [false, true],
  [false, false],
  [true, true],
  [true, false],
] as const;

describe('ELF files', () => {
  it.each(variants)(
    'warns of memory that is written and run, with 64 bit %s, little-endian %s',
    async (is64, little) => {
      const open = elf([code, { ...data, flags: 7 }, { ...zeroed, flags: 6 }], { is64, little });
      const file = await bench.inspect('app.elf', open);
      const found = file.findings.find(({ rule }) => rule === 'elf.rwx');
      expect(found).toMatchObject({
        verdict: 'warn',
        detail: '1 segments, the first at 0x20000000',
        evidence: { offset: is64 ? 64 + 56 : 52 + 32 },
      });
    },
  );

  it.each([
    ['STM32F407VG', false],
    ['nRF54L15', false],
    ['a chip of its own', false],
    ['ESP32-C3', true],
    ['ATmega328P', true],
  ])('takes Arm code for %s as wrong: %s', async (chip, isWrong) => {
    const rules = await bench.rulesOf('app.elf', whole, { chip });
    expect(rules.includes('image.processor-wrong')).toBe(isWrong);
    expect(rules.includes('container.integrity')).toBe(!isWrong);
  });

  it.each(variants)('passes one with 64 bit %s, little-endian %s', async (is64, little) => {
    const memory = [{ name: 'flash', start: 0x0800_0000, sizeBytes: 0x1000 }];
    const file = await bench.inspect('app.elf', elf([code, data, zeroed], { is64, little }), {
      memory,
    });
    expect(file.findings.map(({ rule }) => rule)).toEqual([
      'elf.header',
      'image.fits-memory',
      'container.integrity',
      'file.hash',
    ]);
    expect(file.findings[0]?.detail).toBe(
      `${is64 ? 64 : 32} bit, ${little ? 'little' : 'big'}-endian, Arm, executable`,
    );
    expect(file.segments).toEqual([
      { start: 0x0800_0000, sizeBytes: 400 },
      { start: 0x0800_0190, sizeBytes: 60 },
    ]);
  });

  it.runIf(process.platform === 'linux')('passes programs of the system', async () => {
    for (const path of ['/bin/sh', '/usr/bin/python3']) {
      const rules = await bench.rulesOf('system.elf', readFileSync(path));
      expect(rules, path).toContain('container.integrity');
    }
  });

  it('blocks one outside the memory', async () => {
    const memory = [{ name: 'flash', start: 0x0800_0000, sizeBytes: 410 }];
    expect(await bench.rulesOf('a.elf', whole, { memory })).toContain('image.outside-memory');
  });

  it('takes virtual addresses when no physical one is given', async () => {
    const loads = [code, data].map((load) => ({ ...load, physical: 0 }));
    const file = await bench.inspect('a.elf', elf(loads));
    expect(file.segments?.map(({ start }) => start)).toEqual([0x0800_0000, 0x2000_0000]);
  });

  it.each([
    ['elf.truncated', whole.subarray(0, 30)],
    ['elf.truncated', whole.subarray(0, -1)],
    ['elf.truncated', whole.subarray(0, 300)],
    ['elf.truncated', flipped(whole, 52 + 5, 0x70)],
    ['elf.truncated', flipped(whole, whole.length - 40 + 18, 1)],
    ['elf.damaged', flipped(whole, 4, 2)],
    ['elf.damaged', flipped(whole, 42, 1)],
    ['elf.damaged', elf([{ ...code, memoryBytes: 399 }])],
    ['elf.overlap', elf([code, { ...data, physical: 0x0800_018f }])],
    ['elf.entry', elf([code], { entry: 0x0800_0190 })],
    ['elf.symbols', elf([code], { names: ['.text', '.symtab', '.shstrtab'] })],
    ['elf.debug-sections', elf([code], { names: ['.text', '.debug_info', '.shstrtab'] })],
  ])('tells %s', async (rule, bytes) => {
    expect(await bench.rulesOf('a.elf', bytes)).toContain(rule);
  });

  it('still refuses an ELF file where a raw image is wanted', async () => {
    expect(await bench.rulesOf('app.bin', whole)).toContain('file.type-mismatch');
  });
});
