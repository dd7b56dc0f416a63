import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { writeFileAtomic } from '../../electron/files/atomic-file.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'slipway-atomic-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Hands out the bytes through memory that is used again, as decoders do. */
function* pieces(bytes: Uint8Array, sizes: readonly number[]): Generator<Uint8Array> {
  const memory = new Uint8Array(Math.max(...sizes));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = Math.min(sizes[turn % sizes.length] ?? 1, bytes.length - at);
    memory.set(bytes.subarray(at, at + size));
    yield memory.subarray(0, size);
    at += size;
  }
}

test('pieces of any size, whose memory is used again, are written one after the other', async () => {
  const bytes = randomBytes(5_000_001);
  const path = join(folder, 'image');
  await writeFileAtomic(path, pieces(bytes, [65_536, 1, 3_000_000, 4097]));
  expect(Buffer.compare(readFileSync(path), bytes)).toBe(0);
  await writeFileAtomic(path, pieces(new Uint8Array(), [1]));
  expect(readFileSync(path)).toHaveLength(0);
});

test('an error in making a piece leaves the old content, and nothing beside it', async () => {
  const path = join(folder, 'image');
  writeFileSync(path, 'old');
  function* failing(): Generator<Uint8Array> {
    yield* pieces(randomBytes(3_000_000), [65_536]);
    throw new Error('the patch ends early');
  }
  await expect(writeFileAtomic(path, failing())).rejects.toThrow('the patch ends early');
  expect(readFileSync(path, 'utf8')).toBe('old');
  expect(readdirSync(folder)).toEqual(['image']);
});
