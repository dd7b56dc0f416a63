import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type BytePage,
  BytePages,
  type FetchBytes,
} from '../../renderer/views/delta/diff/byte-pages.ts';
import { HexNavigator, parseAddress } from '../../renderer/views/delta/diff/hex-navigator.ts';
import { columnAt, placeColumns } from '../../renderer/views/delta/diff/hex-painter.ts';
import { byteWords, readRow, rowMark } from '../../renderer/views/delta/diff/hex-row.ts';
import { AreaMap } from '../../shared/diff/areas.ts';
import { mostPageBytes } from '../../shared/domain/diff-limits.ts';
import { problem } from '../../shared/domain/problem.ts';

const flash = { start: 0x0800_0000, sizeBytes: 100 * 16 };
const options = { start: 0x1fff_f800, sizeBytes: 16 };
const map = new AreaMap([flash, options]);
const runs = [0x0800_0020, 0x0800_0100, 0x1fff_f803].map((start) => ({ start }));

function open(visibleRows = 10): HexNavigator {
  const navigator = new HexNavigator(map, runs);
  navigator.resize(visibleRows);
  return navigator;
}

const address = (navigator: HexNavigator): number => map.addressAt(navigator.position().cursor);

describe('moving through the panes', () => {
  test('the cursor stays in the images and in sight, whatever keys are pressed', () => {
    const keys = fc.constantFrom(
      'ArrowLeft',
      'ArrowRight',
      'ArrowUp',
      'ArrowDown',
      'PageUp',
      'PageDown',
      'Home',
      'End',
      'n',
      'p',
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(keys, fc.boolean()), { maxLength: 60 }),
        fc.integer({ min: 1, max: 40 }),
        (presses, visibleRows) => {
          const navigator = open(visibleRows);
          for (const [key, withCtrl] of presses) {
            if (key === 'n') navigator.toChange(1);
            else if (key === 'p') navigator.toChange(-1);
            else expect(navigator.press(key, withCtrl)).toBe(true);
            const { cursor, topRow } = navigator.position();
            expect(cursor).toBeGreaterThanOrEqual(0);
            expect(cursor).toBeLessThan(map.sizeBytes);
            const row = Math.floor(cursor / 16);
            expect(row).toBeGreaterThanOrEqual(topRow);
            expect(row).toBeLessThan(topRow + visibleRows);
            expect(topRow).toBeLessThanOrEqual(navigator.lastTopRow);
          }
        },
      ),
    );
  });

  test('from change to change over a gap of the address space, and no further than the last', () => {
    const navigator = open();
    const seen: number[] = [];
    while (navigator.toChange(1)) seen.push(address(navigator));
    expect(seen).toEqual(runs.map(({ start }) => start));
    expect(navigator.toChange(-1)).toBe(true);
    expect(address(navigator)).toBe(0x0800_0100);
    navigator.moveTo(0);
    expect(navigator.toChange(-1)).toBe(false);
  });

  test('the column is kept in the first and the last row', () => {
    const navigator = open();
    navigator.moveTo(5);
    navigator.press('ArrowUp', false);
    expect(navigator.position().cursor).toBe(5);
    navigator.press('End', true);
    navigator.press('PageDown', false);
    expect(address(navigator)).toBe(0x1fff_f80f);
    navigator.press('ArrowUp', false);
    expect(address(navigator)).toBe(0x0800_063f);
  });

  test('to an address, or a sentence that says why not', () => {
    const navigator = open();
    expect(navigator.toAddress(0x0800_0305)).toBeNull();
    expect(address(navigator)).toBe(0x0800_0305);
    expect(navigator.toAddress(0x0900_0000)).toBe(
      'Neither image has bytes at 0x0900_0000; the next are at 0x1FFF_F800.',
    );
    expect(navigator.toAddress(0x10)).toContain('from 0x0800_0000 to 0x1FFF_F80F');
    expect(address(navigator)).toBe(0x0800_0305);
  });

  test('scrolling leaves the cursor where it is and stops at the ends', () => {
    const navigator = open();
    navigator.scrollBy(2.5);
    expect(navigator.position()).toMatchObject({ topRow: 2.5, cursor: 0, ahead: 1 });
    navigator.scrollBy(1e9);
    expect(navigator.position().topRow).toBe(91);
    navigator.scrollTo(-5);
    expect(navigator.position()).toMatchObject({ topRow: 0, ahead: -1 });
  });

  test('addresses are read as people write them', () => {
    expect(['0x0800_1000', '8001000', ' 0XFF ', 'ff_ff'].map(parseAddress)).toEqual([
      0x0800_1000, 0x0800_1000, 0xff, 0xffff,
    ]);
    expect(['', '0x', 'main', '-1', '0x12345678901234567'].map(parseAddress)).toEqual(
      Array(5).fill(null),
    );
  });
});

const emptyPage = (sizeBytes: number) => ({ bytes: new Uint8Array(sizeBytes), holes: [] });

describe('pages of bytes', () => {
  /** Waits until nothing more is asked for: the pages of these tests arrive within one turn of the event loop. */
  const settle = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

  test('are asked for where the panes are and ahead of them, and only so many are kept', async () => {
    const large = new AreaMap([{ start: 0, sizeBytes: 200 * mostPageBytes }]);
    const asked: number[] = [];
    const fetch: FetchBytes = async (start, sizeBytes) => {
      asked.push(start / mostPageBytes);
      return { old: emptyPage(sizeBytes), new: emptyPage(sizeBytes) };
    };
    const pages = new BytePages(large, fetch);
    pages.show(3 * mostPageBytes + 100, 3 * mostPageBytes + 500, 1);
    await settle();
    expect(asked).toEqual([3, 4]);
    pages.show(3 * mostPageBytes, 3 * mostPageBytes + 500, -1);
    await settle();
    expect(asked).toEqual([3, 4, 2]);
    for (let index = 0; index < 200; index++) {
      pages.show(index * mostPageBytes, index * mostPageBytes + 16, 0);
      await settle();
    }
    expect(pages.keptPages).toBe(64);
    expect(pages.at(199 * mostPageBytes)).not.toBeNull();
    expect(pages.at(0)).toBeNull();
  });

  test('of several areas are put together, with holes where an image has nothing', async () => {
    const fetch: FetchBytes = async (start, sizeBytes) => ({
      old: { bytes: new Uint8Array(sizeBytes).fill(start === flash.start ? 1 : 2), holes: [] },
      new: { bytes: new Uint8Array(sizeBytes), holes: [{ start: 4, sizeBytes: sizeBytes - 4 }] },
    });
    const pages = new BytePages(map, fetch);
    let arrivals = 0;
    pages.subscribe(() => arrivals++);
    pages.show(0, 32, 0);
    await settle();
    expect([arrivals, pages.arrivals()]).toEqual([1, 1]);
    const row = readRow(pages, flash.sizeBytes);
    expect(row?.old).toEqual(Array(16).fill(2));
    expect(row?.states).toEqual([...Array(4).fill('changed'), ...Array(12).fill('removed')]);
    const { page } = pages.at(0) as { page: BytePage };
    expect([page.old[0], page.new[3], page.new[4]]).toEqual([1, 0, -1]);
  });

  test('stop at a problem, which is told, until they are asked for again', async () => {
    let [asked, fails] = [0, true];
    const pages = new BytePages(map, async (_start, sizeBytes) => {
      asked++;
      if (fails) throw problem('diff-file-changed', 'Changed', 'It is not what it was.', 'Again.');
      return { old: emptyPage(sizeBytes), new: emptyPage(sizeBytes) };
    });
    pages.show(0, 16, 0);
    await settle();
    pages.show(0, 32, 0);
    await settle();
    expect([asked, pages.problem()?.code, pages.at(0)]).toEqual([1, 'diff-file-changed', null]);
    fails = false;
    pages.retry();
    await settle();
    expect(pages.problem()).toBeNull();
    expect(pages.at(0)).not.toBeNull();
  });
});

describe('a row', () => {
  test('is marked by what became of its bytes', () => {
    expect(rowMark(['same', 'none'])).toBe('');
    expect(rowMark(['same', 'changed', 'added'])).toBe('≠');
    expect(rowMark(['added', 'removed'])).toBe('≠');
    expect([rowMark(['added']), rowMark(['removed', 'same'])]).toEqual(['+', '−']);
  });

  test('tells bytes in words', () => {
    expect([0x4f, 0x2e, 0x0a, -1].map(byteWords)).toEqual(['4F O', '2E .', '0A', 'none']);
  });

  test('leaves the text out where there is no room, and finds the byte under the pointer', () => {
    const wide = placeColumns(7.2, 1150, 8);
    const narrow = placeColumns(7.2, 900, 8);
    expect(narrow.panes.every(({ textAt }) => textAt === null)).toBe(true);
    for (const { hexAt, textAt } of wide.panes)
      for (const byte of [0, 7, 8, 15]) {
        const hexChars = byte * 3 + (byte >= 8 ? 1 : 0) + 1;
        expect(columnAt(wide, hexAt + hexChars * 7.2)).toBe(byte);
        expect(columnAt(wide, (textAt ?? 0) + (byte + 0.5) * 7.2)).toBe(byte);
      }
    expect(columnAt(wide, wide.addressAt)).toBeNull();
    expect(columnAt(wide, wide.markAt + 4)).toBeNull();
  });
});
