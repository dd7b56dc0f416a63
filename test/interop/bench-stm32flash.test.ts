import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { flashBoard } from '../../electron/core/bench/flash.ts';
import { VirtualBoards } from '../../electron/core/bench/virtual-boards.ts';
import type { ProblemError } from '../../shared/domain/problem.ts';
import { readFirmwareImage } from '../../shared/formats/firmware-image.ts';

const run = promisify(execFile);
const context = { signal: new AbortController().signal, onProgress: () => undefined };
const images = 'resources/sample/firmware';
const boards = new VirtualBoards();
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-bench-'));
});
afterAll(async () => {
  await boards.closeAll();
  await rm(folder, { recursive: true, force: true });
});

async function input(port: string, name: string, expectVersion: string) {
  const image = readFirmwareImage(name, await readFile(join(images, name)));
  return {
    port,
    protocol: 'stm32' as const,
    image,
    imageName: name,
    expectVersion,
    baudRate: 115200,
    recordingPath: join(folder, 'recording.jsonl'),
    openLink: boards.opener(),
  };
}

test('both versions are flashed, verified and booted in process', async () => {
  const { path } = await boards.start('stm32');
  for (const version of ['1.0.0', '1.1.0']) {
    const result = await flashBoard(await input(path, `sensor-${version}.s19`, version), context);
    expect(result).toMatchObject({ verified: true, booted: { version, matched: true } });
  }
  const old = await flashBoard(await input(path, 'sensor-1.0.0.bin', '1.1.0'), context);
  expect(old.booted).toEqual({ version: '1.0.0', matched: false });
});

test('a wrong chip is refused before anything is erased', async () => {
  const { path } = await boards.start('stm32');
  const failure = await flashBoard(
    { ...(await input(path, 'sensor-1.1.0.bin', '1.1.0')), expectChip: 'STM32F030x8/F05x' },
    context,
  ).catch((error: unknown) => error);
  expect((failure as ProblemError).problem.code).toBe('wrong-chip');
});

test("Debian's stm32flash writes, verifies and starts our virtual board", async () => {
  const port = join(folder, 'board-a');
  await boards.start('stm32', { linkPath: port });
  const command = [
    'stm32flash',
    '-b',
    '115200',
    '-m',
    '8n1',
    '-w',
    join(images, 'sensor-1.1.0.bin'),
    '-v',
    '-g',
    '0x0',
    port,
  ] as const;
  const { stdout } = await run(command[0], command.slice(1)).catch(
    (error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT'
        ? new Error('stm32flash is missing: apt-get install stm32flash')
        : error;
    },
  );
  expect(stdout).toMatch(/Wrote and verified address .*\(100/s);
});

test('our flasher works over a PTY, and a port that is unplugged in the middle is a clear error', async () => {
  const port = join(folder, 'board-b');
  await boards.start('stm32', { linkPath: port });
  const result = await flashBoard(await input(port, 'sensor-1.1.0.s19', '1.1.0'), context);
  expect(result).toMatchObject({ verified: true, booted: { matched: true } });

  let isUnplugged = false;
  const flashing = flashBoard(await input(port, 'sensor-1.0.0.s19', '1.0.0'), {
    ...context,
    onProgress: ({ step, done }) => {
      if (isUnplugged || step !== 'Writing' || done < 2000) return;
      isUnplugged = true;
      void boards.stop(port);
    },
  });
  const failure = await flashing.catch((error: unknown) => error);
  expect((failure as ProblemError).problem.code).toBe('port-lost');
  expect(await readFile(join(folder, 'recording.jsonl'), 'utf8')).toMatch(
    /failed: The port was lost/,
  );
});
