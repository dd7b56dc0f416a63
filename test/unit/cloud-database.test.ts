import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CloudDatabase } from '../../electron/cloud/store/database.ts';

let folder: string;
let db: CloudDatabase;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-database-'));
  db = new CloudDatabase(join(folder, 'cloud.db'));
});
afterEach(async () => {
  db.close();
  await rm(folder, { recursive: true, force: true });
});

const put = (id: number): Promise<void> =>
  db.write(() => {
    db.prepare('INSERT INTO products (id, name) VALUES (?, ?)').run(`p${id}`, 'name');
  });
const stored = (from = db): unknown => from.prepare('SELECT count(*) AS n FROM products').get();

test('many writes at a time are spread over commits, between which others get their turn', async () => {
  let commits = 0;
  let turns = 0;
  db.onCommit(() => commits++);
  const writes = Promise.all(Array.from({ length: 1300 }, (_, id) => put(id)));
  let isDone = false;
  const count = (): void => {
    turns++;
    if (!isDone) setImmediate(count);
  };
  count();
  await writes;
  isDone = true;
  expect(commits).toBe(3);
  expect(turns).toBeGreaterThanOrEqual(3);
  expect(stored()).toMatchObject({ n: 1300 });
});

test('what waits when the database is closed is stored', async () => {
  const writes = Promise.all(Array.from({ length: 1300 }, (_, id) => put(id)));
  db.close();
  await writes;
  await expect(put(1300)).rejects.toThrow('closed');
  const again = new CloudDatabase(join(folder, 'cloud.db'));
  expect(stored(again)).toMatchObject({ n: 1300 });
  again.close();
});

test('a write that fails leaves nothing of itself behind, and nothing of others undone', async () => {
  const failing = db.write(() => {
    db.prepare('INSERT INTO products (id, name) VALUES (?, ?)').run('half', 'name');
    throw new Error('no');
  });
  const results = await Promise.allSettled([put(1), failing, put(2)]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(stored()).toMatchObject({ n: 2 });
});
