import { expect, test } from 'vitest';
import { PagedRows } from '../../renderer/stores/paged-rows.ts';

/** A list whose answers wait until they are let go, one by one. */
function slowList(total: () => number) {
  const asked: number[] = [];
  const waiting: (() => void)[] = [];
  const rows = new PagedRows<string>(async (offset, limit) => {
    asked.push(offset);
    await new Promise<void>((done) => waiting.push(done));
    const count = Math.max(0, Math.min(limit, total() - offset));
    return {
      total: total(),
      items: Array.from({ length: count }, (_, at) => `row ${offset + at} of ${total()}`),
    };
  });
  const answer = async (): Promise<void> => {
    waiting.shift()?.();
    await new Promise((done) => setTimeout(done));
  };
  return { rows, asked, answer };
}

test('asks only for the pages in sight when an answer arrives, not for those scrolled past', async () => {
  const { rows, asked, answer } = slowList(() => 10_000);
  rows.show(0, 20);
  expect(rows.snapshot().total).toBeNull();
  for (let first = 100; first <= 9900; first += 100) rows.show(first, first + 20);
  await answer();
  await answer();
  expect(asked).toEqual([0, 9900]);
  expect(rows.snapshot().total).toBe(10_000);
  expect(rows.snapshot().row(9920)).toBe('row 9920 of 10000');
  expect(rows.snapshot().row(500)).toBeUndefined();
});

test('a range over two pages fetches both', async () => {
  const { rows, asked, answer } = slowList(() => 250);
  rows.show(0, 20);
  await answer();
  rows.show(190, 210);
  await answer();
  await answer();
  expect(asked).toEqual([0, 100, 200]);
  expect(rows.snapshot().row(249)).toBe('row 249 of 250');
});

test('a refresh fetches what is in sight, keeps the old rows until then, and the rest later', async () => {
  let total = 300;
  const { rows, asked, answer } = slowList(() => total);
  rows.show(0, 20);
  await answer();
  rows.show(100, 120);
  await answer();
  total = 280;
  rows.refresh();
  expect(rows.snapshot().row(110)).toBe('row 110 of 300');
  await answer();
  expect(asked).toEqual([0, 100, 100]);
  expect([rows.snapshot().row(110), rows.snapshot().row(5)]).toEqual([
    'row 110 of 280',
    'row 5 of 300',
  ]);
  rows.show(0, 20);
  await answer();
  expect(rows.snapshot().row(5)).toBe('row 5 of 280');
});

test('a list that shrinks under the eye is read from where it still has rows', async () => {
  let total = 300;
  const { rows, answer } = slowList(() => total);
  rows.show(0, 20);
  await answer();
  rows.show(280, 299);
  await answer();
  total = 3;
  rows.refresh();
  await answer();
  await answer();
  expect([rows.snapshot().total, rows.snapshot().row(2), rows.snapshot().row(299)]).toEqual([
    3,
    'row 2 of 3',
    undefined,
  ]);
});

test('a failure is told and the next refresh recovers from it', async () => {
  let fails = true;
  const rows = new PagedRows<string>(async () => {
    if (fails) throw new Error('the cloud is gone');
    return { total: 1, items: ['one'] };
  });
  rows.show(0, 10);
  await new Promise((done) => setTimeout(done));
  expect(rows.snapshot()).toMatchObject({ total: null, problem: { detail: 'the cloud is gone' } });
  fails = false;
  rows.refresh();
  await new Promise((done) => setTimeout(done));
  expect(rows.snapshot()).toMatchObject({ total: 1, problem: null });
  expect(rows.snapshot().row(0)).toBe('one');
});
