import { expect, test } from 'vitest';
import {
  type ConsoleRows,
  findRows,
  mostRows,
  noRows,
  withBatch,
} from '../../renderer/stores/console-lines.ts';
import type { ConsoleBatch, ConsoleLine } from '../../shared/domain/console.ts';

const state = {} as ConsoleBatch['state'];
const line = (n: number, text: string, kind: ConsoleLine['kind'] = 'rx'): ConsoleLine => ({
  n,
  atMs: n,
  kind,
  text,
});
const batch = (lines: ConsoleLine[], more: Partial<ConsoleBatch> = {}): ConsoleBatch => ({
  batch: 1,
  lines,
  readTo: lines.at(-1)?.n ?? 0,
  hasMore: false,
  missedLines: 0,
  tail: null,
  version: 1,
  state,
  ...more,
});

test('the window holds the newest rows and counts those that made room, and those it never got', () => {
  let held: ConsoleRows = noRows;
  for (let at = 0; at < 60; at++) {
    const lines = Array.from({ length: 1000 }, (_, index) => line(at * 1000 + index + 1, 'x'));
    held = withBatch(held, batch(lines, { missedLines: at === 7 ? 5 : 0 }), 'text');
  }
  expect(held.rows.length).toBe(mostRows);
  expect(held.rows[0]?.n).toBe(10_001);
  expect(held.rows.at(-1)?.n).toBe(60_000);
  expect(held.goneRows).toBe(10_005);
});

test('a batch without lines leaves the rows as they are and renews the line without an end', () => {
  const first = withBatch(noRows, batch([line(1, 'one')], { tail: line(2, 'uart:') }), 'text');
  const next = withBatch(first, batch([], { tail: line(2, 'uart:~$ ') }), 'text');
  expect(next.rows).toBe(first.rows);
  expect(next.tail.map(({ text }) => text)).toEqual(['uart:~$ ']);
  expect(withBatch(next, batch([]), 'text').tail).toEqual([]);
});

test('bytes are shown in rows of sixteen with their characters; notes stay text', () => {
  const bytes = Array.from({ length: 20 }, (_, index) => (0x41 + index).toString(16)).join(' ');
  const { rows } = withBatch(noRows, batch([line(1, bytes), line(2, 'lost', 'note')]), 'hex');
  expect(rows.map(({ key, text, ascii }) => [key, text, ascii])).toEqual([
    ['1-0', '41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50', 'ABCDEFGHIJKLMNOP'],
    ['1-1', '51 52 53 54', 'QRST'],
    ['2', 'lost', undefined],
  ]);
  expect(withBatch(noRows, batch([line(1, '00 7f c3')]), 'hex').rows[0]?.ascii).toBe('···');
});

test('rows are found in any case, none by nothing', () => {
  const { rows } = withBatch(
    noRows,
    batch([line(1, 'Boot'), line(2, 'x'), line(3, 'reboot')]),
    'text',
  );
  expect(findRows(rows, 'BOOT')).toEqual([0, 2]);
  expect(findRows(rows, '')).toEqual([]);
});
