import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flashBoard } from '../../electron/core/bench/flash.ts';
import { VirtualBoards } from '../../electron/core/bench/virtual-boards.ts';
import { floorMs, readRecording } from '../support/recording.ts';

const boards = new VirtualBoards();
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-pacing-'));
});
afterAll(async () => {
  await boards.closeAll();
  await rm(folder, { recursive: true, force: true });
});

test('a paced board takes the time of wire and flash: never less', async () => {
  const { path } = await boards.start('stm32', { paced: true });
  const bytes = new Uint8Array(randomBytes(8192));
  const recordingPath = join(folder, 'recording.jsonl');
  // Noise does not boot: there is nothing to wait for after the verification.
  const stop = new AbortController();
  const flashing = flashBoard(
    {
      port: path,
      protocol: 'stm32',
      image: { format: 'raw', segments: [{ address: null, bytes }] },
      imageName: 'noise.bin',
      baudRate: 115_200,
      recordingPath,
      openLink: boards.opener(),
    },
    {
      signal: stop.signal,
      onProgress: ({ step }) => step.startsWith('Waiting') && stop.abort(),
    },
  );
  await expect(flashing).rejects.toMatchObject({ name: 'AbortError' });
  const { erase, write, verify, wholeMs } = readRecording(await readFile(recordingPath, 'utf8'));
  expect(write.wireBytes).toBe(32 * (3 + 6 + 259));
  const leastMs =
    floorMs(erase.wireBytes, { erasedPages: 8 }) +
    floorMs(write.wireBytes, { programmedBytes: 8192 }) +
    floorMs(verify.wireBytes, {});
  // What a late timer delays is made good later on, also across the phases: never earlier in all.
  expect(wholeMs).toBeGreaterThan(leastMs);
  expect(wholeMs).toBeLessThan(leastMs * 3);
});
