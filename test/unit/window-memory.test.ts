import fc from 'fast-check';
import { expect, test } from 'vitest';
import { layOutMemory, type MapFile, unseenRegions } from '../../renderer/widgets/memory-layout.ts';
import type { MemoryRegion } from '../../shared/domain/product.ts';
import { regionSentence, runText } from '../../renderer/widgets/memory-text.ts';

const flash: MemoryRegion = { name: 'flash', start: 0x1000, sizeBytes: 0x100 };
const ram: MemoryRegion = { name: 'ram', start: 0x9000, sizeBytes: 0x10, role: 'ram' };
const hex = (name: string, ...segments: [number, number][]): MapFile => ({
  name,
  sizeBytes: 999,
  format: 'intel-hex',
  segments: segments.map(([start, sizeBytes]) => ({ start, sizeBytes })),
});
const binary = (name: string, sizeBytes: number, format = 'cortex-m'): MapFile => ({
  name,
  sizeBytes,
  format,
});
const usesOf = (regions: readonly MemoryRegion[], ...files: MapFile[]) =>
  layOutMemory(regions, files).regions.map(({ runs }) =>
    runs.map(({ start, sizeBytes, use, files: own }) => [start, sizeBytes, use, ...own]),
  );

test('runs fill each region from end to end, cut at its edges; shared bytes are counted once', () => {
  const files = [hex('a.hex', [0x0ff0, 0x20], [0x10f0, 0x20]), hex('b.hex', [0x1008, 0x10])];
  expect(usesOf([flash, ram], ...files)).toEqual([
    [
      [0x1000, 8, 'used', 0],
      [0x1008, 8, 'overlap', 0, 1],
      [0x1010, 8, 'used', 1],
      [0x1018, 0xd8, 'free'],
      [0x10f0, 0x10, 'used', 0],
    ],
    [[0x9000, 0x10, 'free']],
  ]);
  const layout = layOutMemory([flash, ram], files);
  expect(layout.regions[0]?.bytes).toMatchObject({ used: 0x20, overlap: 8, free: 0xd8 });
  expect(layout.outside.map(({ start, sizeBytes }) => [start, sizeBytes])).toEqual([
    [0x0ff0, 0x10],
    [0x1100, 0x10],
  ]);
});

test('a segment that an image writes twice is claimed twice, one that goes on is one run', () => {
  expect(usesOf([flash], hex('a.hex', [0x1000, 0x20], [0x1020, 0xe0]))).toEqual([
    [[0x1000, 0x100, 'used', 0]],
  ]);
  expect(usesOf([flash], hex('a.hex', [0x1000, 0x20], [0x1010, 0x20]))[0]?.[1]).toEqual([
    0x1010,
    0x10,
    'overlap',
    0,
  ]);
});

test('the slot trailer is told apart from what is free, and from an image that reaches into it', () => {
  const slot = { ...flash, role: 'slot' as const, trailerBytes: 0x20 };
  expect(usesOf([slot], binary('a.bin', 0x80))).toEqual([
    [
      [0x1000, 0x80, 'used', 0],
      [0x1080, 0x60, 'free'],
      [0x10e0, 0x20, 'trailer'],
    ],
  ]);
  expect(usesOf([slot], binary('a.bin', 0xe8))).toEqual([
    [
      [0x1000, 0xe0, 'used', 0],
      [0x10e0, 8, 'over-trailer', 0],
      [0x10e8, 0x18, 'trailer'],
    ],
  ]);
  expect(usesOf([{ ...slot, trailerBytes: 0x500 }])[0]).toEqual([[0x1000, 0x100, 'trailer']]);
});

test('an image without addresses goes to the start of the region that is meant for it', () => {
  const regions: MemoryRegion[] = [
    { name: 'boot', start: 0, sizeBytes: 0x100, role: 'bootloader' },
    ram,
    { name: 'slot0', start: 0x100, sizeBytes: 0x100, role: 'slot' },
    { name: 'slot1', start: 0x200, sizeBytes: 0x100, role: 'slot' },
  ];
  const layout = layOutMemory(regions, [
    binary('app.bin', 0x180, 'mcuboot'),
    binary('assets.zip', 10, 'zip'),
    binary('vendor.pack', 10, 'unknown'),
    binary('main.py', 10, 'python'),
  ]);
  const slot = layout.regions[2];
  expect(slot?.runs).toEqual([
    { start: 0x100, sizeBytes: 0x100, use: 'used', files: [0], assumed: true },
  ]);
  // The part beyond the slot would lie in the next one.
  expect(layout.regions[3]?.bytes.used).toBe(0x80);
  expect(layout.unplaced).toEqual([1, 2]);
  expect(usesOf([ram, flash], binary('a.bin', 8))[1]?.[0]).toEqual([0x1000, 8, 'used', 0]);
});

test('an empty file takes no memory', () => {
  expect(layOutMemory([flash], [binary('empty.bin', 0)]).regions[0]?.bytes.free).toBe(0x100);
});

test('addresses that a cache or a loader maps are not taken for places in this memory', () => {
  const esp = {
    ...binary('app.bin', 0x40, 'esp-image'),
    segments: [{ start: 0x1080, sizeBytes: 8 }],
  };
  const kernel = { ...esp, name: 'uImage', format: 'uimage' };
  const layout = layOutMemory([flash], [esp, kernel]);
  expect(layout.regions[0]?.runs[0]).toMatchObject({ start: 0x1000, sizeBytes: 0x40, files: [0] });
  expect(layout.outside).toEqual([]);
  expect(layout.unplaced).toEqual([1]);
});

test('regions close to each other share a strip, regions described twice get lanes of their own', () => {
  const boot: MemoryRegion = { name: 'boot', start: 0x0800_0000, sizeBytes: 0x8000 };
  const slot: MemoryRegion = { name: 'slot', start: 0x0801_0000, sizeBytes: 0x1_0000 };
  const whole: MemoryRegion = { name: 'flash', start: 0x0800_0000, sizeBytes: 0x2_0000 };
  const far: MemoryRegion = { name: 'ram', start: 0x2000_0000, sizeBytes: 0x5000 };
  const { banks } = layOutMemory([far, slot, whole, boot], []);
  const shape = banks.map(({ start, sizeBytes, lanes }) => [
    start,
    sizeBytes,
    lanes.map((lane) => lane.map(({ region }) => region.name)),
  ]);
  expect(shape).toEqual([
    [0x0800_0000, 0x2_0000, [['flash'], ['boot', 'slot']]],
    [0x2000_0000, 0x5000, [['ram']]],
  ]);
});

test('a region narrower than a pixel is named', () => {
  const large: MemoryRegion = { name: 'large', start: 0, sizeBytes: 16 << 20 };
  const tiny: MemoryRegion = { name: 'tiny', start: 16 << 20, sizeBytes: 4096 };
  const layout = layOutMemory([large, tiny], []);
  expect(unseenRegions(layout, 300).map(({ region }) => region.name)).toEqual(['tiny']);
  expect(unseenRegions(layout, 8000)).toEqual([]);
});

test('a region and its runs are told in words', () => {
  const slot = { ...flash, role: 'slot' as const, trailerBytes: 0x20 };
  const layout = layOutMemory([slot], [hex('a.hex', [0x1000, 0x10]), hex('b.hex', [0x1008, 0x10])]);
  const [use] = layout.regions;
  expect(use && regionSentence(use)).toBe(
    'flash, slot, 0x0000_1000–0x0000_10FF, 256 B: 16 B used, 8 B claimed twice, 32 B slot trailer, 200 B free.',
  );
  expect(use?.runs.map((run) => runText(run, layout))).toEqual([
    'A a.hex',
    'claimed twice: A a.hex, B b.hex',
    'B b.hex',
    'free',
    'slot trailer',
  ]);
});

test('whatever is described and found, runs cover each region once and no byte gets lost', () => {
  const place = fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 200 }));
  const region = fc.record({
    start: fc.nat(400),
    sizeBytes: fc.integer({ min: 1, max: 200 }),
    trailerBytes: fc.option(fc.nat(100), { nil: undefined }),
  });
  fc.assert(
    fc.property(
      fc.array(region, { minLength: 1, maxLength: 4 }),
      fc.array(fc.array(place, { maxLength: 5 }), { maxLength: 3 }),
      (regions, places) => {
        const named = regions.map((one, index) => ({ ...one, name: `r${index}` }));
        const files = places.map((own, index) => hex(`f${index}`, ...own));
        const layout = layOutMemory(named, files);
        const claimed = (at: number): number =>
          places.flat().filter(([start, size]) => at >= start && at < start + size).length;
        for (const { region: own, runs, bytes } of layout.regions) {
          let at = own.start;
          for (const run of runs) {
            expect(run.start).toBe(at);
            const count = claimed(at);
            expect(run.use === 'free' || run.use === 'trailer').toBe(count === 0);
            expect(run.use === 'overlap').toBe(count > 1 && run.use !== 'over-trailer');
            at += run.sizeBytes;
          }
          expect(at).toBe(own.start + own.sizeBytes);
          expect(Object.values(bytes).reduce((sum, part) => sum + part, 0)).toBe(own.sizeBytes);
        }
        const inside = (at: number): boolean =>
          named.some((own) => at >= own.start && at < own.start + own.sizeBytes);
        const outside = places
          .flat()
          .flatMap(([start, size]) => Array.from({ length: size }, (_byte, index) => start + index))
          .filter((at) => !inside(at)).length;
        expect(layout.outside.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0)).toBe(outside);
      },
    ),
  );
});
