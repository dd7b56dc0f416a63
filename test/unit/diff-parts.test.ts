import fc from 'fast-check';
import { expect, it } from 'vitest';
import { compareParts, placeNames } from '../../shared/diff/compare-parts.ts';
import { memorySource } from '../../shared/formats/byte-source.ts';
import { type ElfPart, readElfParts } from '../../shared/formats/elf-parts.ts';
import { throwingReport } from '../../shared/formats/report.ts';
import { armElf } from '../support/arm-elf.ts';

function part(name: string, address: number, bytes: readonly number[]): ElfPart {
  return {
    name,
    kind: 'function',
    address,
    loadAddress: address,
    sizeBytes: bytes.length,
    bytes: Uint8Array.from(bytes),
  };
}

const parts = fc.array(
  fc
    .tuple(
      fc.constantFrom('a', 'b', 'c', 'd', 'e'),
      fc.integer({ min: 0, max: 40 }),
      fc.array(fc.integer({ min: 0, max: 1 }), { maxLength: 4 }),
    )
    .map(([name, address, bytes]) => part(name, address, bytes)),
  { maxLength: 12 },
);

const total = (counts: object): number =>
  (Object.values(counts) as number[]).reduce((sum, count) => sum + count, 0);

it('every symbol is counted once, and the other way round what was added is removed', () => {
  fc.assert(
    fc.property(parts, parts, fc.integer({ min: 1, max: 5 }), (older, newer, limit) => {
      const forth = compareParts(older, newer);
      const back = compareParts(newer, older);
      const { added, removed } = forth.counts;
      expect(back.counts).toEqual({ ...forth.counts, added: removed, removed: added });
      expect(total(forth.counts) - (forth.counts.removed ?? 0)).toBe(newer.length);
      expect(total(forth.counts) - (forth.counts.added ?? 0)).toBe(older.length);
      const sizes = forth.listed.map(({ sizeChangeBytes }) => Math.abs(sizeChangeBytes));
      expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      const few = compareParts(older, newer, limit);
      expect(few.listed).toEqual(forth.listed.slice(0, limit));
      expect(few.notListed).toBe(Math.max(0, forth.listed.length - limit));
      expect(compareParts(older, older).counts.same).toBe(older.length);
    }),
  );
});

it('static functions of one name are paired in the order of their addresses', () => {
  const { listed, counts } = compareParts(
    [part('init', 100, [1, 1]), part('init', 200, [2, 2])],
    [part('init', 300, [2, 2, 2]), part('init', 100, [1, 1])],
  );
  expect(counts).toMatchObject({ same: 1, resized: 1 });
  expect(listed).toMatchObject([{ oldAddress: 200, newAddress: 300, sizeChangeBytes: 1 }]);
});

it('a place is named by its symbol, else by its section, else not at all', () => {
  const place = placeNames({
    sections: [part('.text', 100, Array<number>(50).fill(0))],
    symbols: [part('main', 110, [1, 2, 3])],
  });
  expect([99, 100, 110, 112, 113, 149, 150].map(place)).toEqual([
    null,
    '.text',
    'main',
    'main+0x2',
    '.text+0xD',
    '.text+0x31',
    null,
  ]);
});

const read = (elf: Buffer) => readElfParts(memorySource(elf), throwingReport('arm.elf'));

it('Thumb functions begin at even addresses; mapping symbols and values that are no place are left out', async () => {
  const found = await read(
    armElf([
      { name: 'main', value: 0x103, sizeBytes: 4, info: 0x12, section: 1 },
      { name: 'odd', value: 0x10b, sizeBytes: 1, info: 0x11, section: 1 },
      { name: '$t', value: 0x102, sizeBytes: 0, info: 0, section: 1 },
      { name: 'stack', value: 0x2000, sizeBytes: 0, info: 0x10, section: 0xfff1 },
      { name: 'outside', value: 0, sizeBytes: 0, info: 0x12, section: 0 },
      { name: 'file.c', value: 0, sizeBytes: 0, info: 4, section: 1 },
    ]),
  );
  expect(
    found?.symbols.map(({ name, kind, address, bytes }) => [
      name,
      kind,
      address,
      [...(bytes ?? [])],
    ]),
  ).toEqual([
    ['main', 'function', 0x102, [2, 3, 4, 5]],
    ['odd', 'object', 0x10b, [11]],
  ]);
});

it('a file whose sections or symbols claim the same bytes again and again is refused', async () => {
  const damaged = { problem: { code: 'elf.damaged' } };
  await expect(read(armElf([], { textBytes: 4000, copies: 500 }))).rejects.toMatchObject(damaged);
  const greedy = Array.from({ length: 2000 }, (_, index) => ({
    name: `s${index}`,
    value: 0x100,
    sizeBytes: 0xffff_ffff,
    info: 0x12,
    section: 1,
  }));
  expect((await read(armElf(greedy.slice(0, 20))))?.symbols[19]?.bytes?.length).toBe(16);
  await expect(read(armElf(greedy, { textBytes: 4000 }))).rejects.toMatchObject(damaged);
});
