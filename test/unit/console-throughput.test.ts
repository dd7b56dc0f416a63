import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { hashFile } from '../../electron/core/workspace/object-store.ts';
import { floodConsole } from '../support/console-flood.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-flood-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

test('20 MB over a PTY pair: the capture is what was sent, and a reader gets every line in order', async () => {
  const flood = await floodConsole(folder, { bytes: 20e6, rate: 3e6, readEveryMs: 20 });
  expect(flood.sent.sent).toBeGreaterThanOrEqual(20e6);
  expect(flood.captured).toMatchObject({ sha256: flood.sent.sha256, sizeBytes: flood.sent.sent });
  expect((await hashFile(flood.captured.path)).sha256).toBe(flood.sent.sha256);
  expect(flood.bytesPerSec).toBeGreaterThanOrEqual(1e6);
  expect(flood.missedLines).toBe(0);
  expect(flood.readNumbers.length).toBe(flood.sent.lines);
  expect(flood.readNumbers.every((number, index) => number === index + 1)).toBe(true);
  // The ring holds the newest lines within its size, and tells what it dropped.
  const { ring } = flood.state;
  expect(ring.bytes).toBeLessThanOrEqual(ring.capacityBytes);
  expect(ring.droppedBytes).toBeGreaterThan(0);
  console.log(
    `${(flood.bytesPerSec / 1e6).toFixed(1)} MB/s, lag p50 ${flood.lagsMs[Math.floor(flood.lagsMs.length / 2)]} ms, worst ${flood.lagsMs.at(-1)} ms`,
  );
});
