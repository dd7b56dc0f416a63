import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Recorder, unfinishedPath } from '../../electron/core/bench/recorder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-recorder-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A recorder and the line that it listens to. */
function recording(limitBytes?: number) {
  const recorder = new Recorder(limitBytes);
  let receive: (bytes: Uint8Array) => void = () => undefined;
  recorder.wrap({
    write: async () => undefined,
    onData: (listener) => {
      receive = listener;
    },
    onLost: () => undefined,
    isPresent: async () => true,
    setLine: async () => undefined,
    setSignals: async () => false,
    close: async () => undefined,
  });
  return { recorder, receive: (text: string) => receive(Buffer.from(text, 'latin1')) };
}
const lines = async (path: string) =>
  (await readFile(path, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { dir: string; hex?: string; text?: string });

test('what is too old to be held is left out and said so; notes and the newest bytes stay', async () => {
  const { recorder, receive } = recording(1000);
  recorder.note('chip STM32');
  for (let block = 0; block < 300; block++) receive(`${block}`.padStart(10, '.'));
  const path = join(folder, 'bounded.jsonl');
  await recorder.save(path);
  const saved = await lines(path);
  const held = saved.reduce((sum, { hex }) => sum + (hex?.length ?? 0) / 2, 0);
  expect(held).toBeLessThanOrEqual(1000);
  expect(saved[0]?.text).toBe(`the first ${3000 - held} bytes are left out`);
  expect(saved[1]?.text).toBe('chip STM32');
  expect(Buffer.from(saved.at(-1)?.hex ?? '', 'hex').toString()).toBe('.......299');
});

test('a recording is on the disk while the run goes on, and whole at its end', async () => {
  const { recorder, receive } = recording();
  const path = join(folder, 'deeper', 'kept.jsonl');
  recorder.note('to /dev/ttyUSB0');
  recorder.keepAt(path);
  await expect.poll(() => existsSync(unfinishedPath(path))).toBe(true);
  receive('hello');
  await expect
    .poll(async () => (await lines(unfinishedPath(path)).catch(() => [])).length, { timeout: 8000 })
    .toBe(2);
  await recorder.save(path);
  expect((await lines(path)).map(({ dir }) => dir)).toEqual(['note', 'rx']);
  expect(existsSync(unfinishedPath(path))).toBe(false);
});
