import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AreaMap, areasOf } from '../../shared/diff/areas.ts';
import { type ByteDiff, compareImages } from '../../shared/diff/compare-images.ts';
import { readAddresses, readImageContent } from '../../shared/diff/image-content.ts';
import type { MemoryRegion } from '../../shared/domain/product.ts';
import { type ByteSource, memorySource } from '../../shared/formats/byte-source.ts';
import type { Extent } from '../../shared/formats/elf-tables.ts';
import { sRecords } from '../support/s-records.ts';

interface Image {
  readonly extents: readonly Extent[];
  readonly source: ByteSource;
}

/** An image of runs at addresses, as [gap before it, bytes]. */
function imageOf(runs: readonly (readonly [gapBytes: number, bytes: Uint8Array])[]): Image {
  const extents: Extent[] = [];
  let content = Buffer.alloc(0);
  let address = 0;
  for (const [gapBytes, bytes] of runs) {
    address += gapBytes;
    if (bytes.length > 0)
      extents.push({ start: address, sizeBytes: bytes.length, at: content.length });
    content = Buffer.concat([content, bytes]);
    address += bytes.length;
  }
  return { extents, source: memorySource(content) };
}

// Few values, so that neighbours are often the same in both.
const runs = fc.array(
  fc.tuple(
    fc.integer({ min: 0, max: 900 }),
    fc.array(fc.integer({ min: 0, max: 2 }), { maxLength: 200 }).map((b) => Uint8Array.from(b)),
  ),
  { maxLength: 6 },
);
const plain = { sectorBytes: 128, regions: [] };

/** What each address holds, by the definition of an image. */
async function bytesByAddress({ extents, source }: Image): Promise<Map<number, number>> {
  const found = new Map<number, number>();
  for (const { start, sizeBytes, at } of extents)
    for (const [index, byte] of (await source.read(at, sizeBytes)).entries())
      found.set(start + index, byte);
  return found;
}

type Kinds = Record<'changed' | 'added' | 'removed', number[]>;

async function expectedKinds(older: Image, newer: Image): Promise<Kinds & { same: number }> {
  const before = await bytesByAddress(older);
  const after = await bytesByAddress(newer);
  const kinds: Kinds & { same: number } = { changed: [], added: [], removed: [], same: 0 };
  const addresses = [...new Set([...before.keys(), ...after.keys()])].sort((a, b) => a - b);
  for (const address of addresses) {
    const [was, is] = [before.get(address), after.get(address)];
    if (was === is) kinds.same++;
    else if (was === undefined) kinds.added.push(address);
    else if (is === undefined) kinds.removed.push(address);
    else kinds.changed.push(address);
  }
  return kinds;
}

function addressesOf({ runs: { listed } }: ByteDiff, kind: keyof Kinds): number[] {
  return listed
    .filter((run) => run.kind === kind)
    .flatMap(({ start, sizeBytes }) => Array.from({ length: sizeBytes }, (_, i) => start + i));
}

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

describe('two images', () => {
  it('differ at exactly the addresses of the runs, and all sums agree', async () => {
    await fc.assert(
      fc.asyncProperty(runs, runs, async (a, b) => {
        const [older, newer] = [imageOf(a), imageOf(b)];
        const diff = await compareImages(older, newer, plain);
        const expected = await expectedKinds(older, newer);
        for (const kind of ['changed', 'added', 'removed'] as const)
          expect(addressesOf(diff, kind)).toEqual(expected[kind]);
        expect(diff.totals).toEqual({
          sameBytes: expected.same,
          changedBytes: expected.changed.length,
          addedBytes: expected.added.length,
          removedBytes: expected.removed.length,
        });
        const all = [...expected.changed, ...expected.added, ...expected.removed];
        expect(sum(diff.density.changedBytes)).toBe(all.length);
        expect(sum(diff.sectors.listed.map((sector) => sector.changedBytes))).toBe(all.length);
        expect(diff.sectors.touched).toBe(new Set(all.map((at) => Math.floor(at / 128))).size);
        const held = [
          ...(await bytesByAddress(older)).keys(),
          ...(await bytesByAddress(newer)).keys(),
        ];
        expect(diff.sectors.total).toBe(new Set(held.map((at) => Math.floor(at / 128))).size);
        expect(diff.runs).toMatchObject({ total: diff.runs.listed.length, joinedBytes: 0 });
      }),
      { numRuns: 200 },
    );
  });

  it('differ as much the other way round, what was added being removed', async () => {
    await fc.assert(
      fc.asyncProperty(runs, runs, async (a, b) => {
        const forth = await compareImages(imageOf(a), imageOf(b), plain);
        const back = await compareImages(imageOf(b), imageOf(a), plain);
        const { addedBytes, removedBytes } = forth.totals;
        expect(back.totals).toEqual({
          ...forth.totals,
          addedBytes: removedBytes,
          removedBytes: addedBytes,
        });
        expect(back.density).toEqual(forth.density);
        expect(back.sectors).toEqual(forth.sectors);
        const places = (diff: ByteDiff) =>
          diff.runs.listed.map(({ start, sizeBytes }) => [start, sizeBytes]);
        expect(places(back)).toEqual(places(forth));
      }),
    );
  });

  it('list no more runs and sectors than asked for, and lose no byte when runs are joined', async () => {
    await fc.assert(
      fc.asyncProperty(runs, runs, fc.integer({ min: 1, max: 8 }), async (a, b, limit) => {
        const [older, newer] = [imageOf(a), imageOf(b)];
        const whole = await compareImages(older, newer, plain);
        const few = await compareImages(older, newer, { ...plain, limit });
        expect(few.runs.listed.length).toBeLessThanOrEqual(limit);
        expect(few.sectors.listed.length).toBeLessThanOrEqual(limit);
        expect(few.sectors.touched).toBe(whole.sectors.touched);
        expect(few.runs.total).toBe(whole.runs.total);
        expect(few.runs.joinedBytes > 0).toBe(few.runs.listed.length < whole.runs.total);
        expect(sum(few.runs.listed.map((run) => run.changedBytes))).toBe(
          sum(whole.runs.listed.map((run) => run.changedBytes)),
        );
        for (const { start, sizeBytes } of whole.runs.listed)
          expect(
            few.runs.listed.some(
              (run) => run.start <= start && run.start + run.sizeBytes >= start + sizeBytes,
            ),
          ).toBe(true);
      }),
    );
  });

  it('have runs that go on over the windows in which they are read', async () => {
    const older = new Uint8Array(3_000_000);
    const newer = new Uint8Array(3_000_010).fill(1, 1_000_000, 2_200_000);
    const diff = await compareImages(imageOf([[0, older]]), imageOf([[0, newer]]), plain);
    expect(diff.runs.listed.map(({ kind, start, sizeBytes }) => [kind, start, sizeBytes])).toEqual([
      ['changed', 1_000_000, 1_200_000],
      ['added', 3_000_000, 10],
    ]);
    expect(diff.density.changedBytes.length).toBeLessThanOrEqual(1024);
  });

  it('are counted by sectors from the start of each region, and from 0 outside', async () => {
    const regions: MemoryRegion[] = [
      { name: 'slot', start: 1000, sizeBytes: 700 },
      { name: 'late', start: 5000, sizeBytes: 500 },
    ];
    const newer = new Uint8Array(2000);
    for (const at of [999, 1000, 1255, 1256, 1699, 1700]) newer[at] = 1;
    const diff = await compareImages(imageOf([[0, new Uint8Array(2000)]]), imageOf([[0, newer]]), {
      sectorBytes: 256,
      regions,
    });
    expect(diff.sectors.listed).toEqual([
      { start: 768, sizeBytes: 232, changedBytes: 1, region: null },
      { start: 1000, sizeBytes: 256, changedBytes: 2, region: 'slot' },
      { start: 1256, sizeBytes: 256, changedBytes: 1, region: 'slot' },
      { start: 1512, sizeBytes: 188, changedBytes: 1, region: 'slot' },
      { start: 1536, sizeBytes: 256, changedBytes: 1, region: null },
    ]);
    expect(diff.sectors.regions).toEqual([
      { name: 'slot', total: 3, touched: 3, changedBytes: 4 },
      { name: 'late', total: 0, touched: 0, changedBytes: 0 },
    ]);
  });
});

describe('the areas of an address space', () => {
  it('hold both images in whole rows, never more than 1,024, and every address has one offset', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 40_000 }), { minLength: 1, maxLength: 3000 }),
        (gaps) => {
          let start = 0;
          const extents = gaps.map((gap) => {
            start += gap + 3;
            return { start: start - 3, sizeBytes: 3 };
          });
          const areas = areasOf(extents, []);
          expect(areas.length).toBeLessThanOrEqual(1024);
          const map = new AreaMap(areas);
          for (const extent of extents.slice(0, 50)) {
            const offset = map.offsetOf(extent.start);
            expect(offset).not.toBeNull();
            expect(map.addressAt(offset ?? -1)).toBe(extent.start);
          }
          for (const area of areas) expect([area.start % 16, area.sizeBytes % 16]).toEqual([0, 0]);
          expect(map.offsetOf((areas[0]?.start ?? 0) - 1)).toBeNull();
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('a stretch of addresses', () => {
  it('has the bytes of the image and tells its holes', async () => {
    await fc.assert(
      fc.asyncProperty(
        runs,
        fc.integer({ min: 0, max: 2000 }),
        fc.integer({ min: 1, max: 500 }),
        async (a, start, sizeBytes) => {
          const image = imageOf(a);
          const all = await bytesByAddress(image);
          const { bytes, holes } = await readAddresses(
            image.extents,
            image.source,
            start,
            sizeBytes,
          );
          for (let at = 0; at < sizeBytes; at++) {
            const isHole = holes.some((h) => at >= h.start && at < h.start + h.sizeBytes);
            expect(isHole ? undefined : bytes[at]).toBe(all.get(start + at));
          }
        },
      ),
    );
  });

  it('cannot be read from a file that has become shorter', async () => {
    const extents = [{ start: 0, sizeBytes: 100, at: 0 }];
    const reading = readAddresses(extents, memorySource(new Uint8Array(50)), 0, 100);
    await expect(reading).rejects.toMatchObject({ problem: { code: 'diff-file-changed' } });
  });
});

describe('the content of an image', () => {
  const read = (bytes: Uint8Array, address = 0x1000) =>
    readImageContent('image', memorySource(bytes), () => address);

  it('is that of the records of an S-record file, and all of a raw one', async () => {
    const text = sRecords([0x0800_4000, Buffer.alloc(40, 7)], [0x0800_8000, Buffer.alloc(3, 9)]);
    const records = await read(Buffer.from(text));
    expect(records).toMatchObject({ format: 's-record', isPlaced: true });
    expect(records.extents).toEqual([
      { start: 0x0800_4000, sizeBytes: 40, at: 0 },
      { start: 0x0800_8000, sizeBytes: 3, at: 40 },
    ]);
    expect([...(records.decoded ?? [])]).toEqual([...Buffer.alloc(40, 7), 9, 9, 9]);
    const raw = await read(Buffer.alloc(10, 'x'));
    expect(raw.extents).toEqual([{ start: 0x1000, sizeBytes: 10, at: 0 }]);
  });

  it('is refused when it is empty or damaged', async () => {
    await expect(read(new Uint8Array(0))).rejects.toMatchObject({
      problem: { code: 'file.empty', kind: 'usage' },
    });
    const damaged = sRecords([0, Buffer.alloc(8)]).replace('S30D', 'S30E');
    await expect(read(Buffer.from(damaged))).rejects.toMatchObject({ problem: { kind: 'gate' } });
  });
});
