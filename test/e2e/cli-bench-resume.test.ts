import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entryPath } from '../../electron/worker/run-task.ts';
import type { BenchRun, KnownBoard } from '../../shared/domain/bench.ts';
import { slipway } from '../support/command.ts';

const image = 'resources/sample/firmware/sensor-1.1.0.bin';
const served: ChildProcess[] = [];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-resume-'));
  await cp('resources/sample', folder, { recursive: true });
});
afterAll(async () => {
  for (const child of served) {
    child.kill();
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

/** Serves a virtual STM32 at the speed of a real one. */
async function serve(unit: number): Promise<string> {
  const link = join(folder, `board-${unit}`);
  const args = [entryPath('cli'), 'bench', 'virtual', 'stm32', '--link', link, '--unit', `${unit}`];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  served.push(child);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  return link;
}

const bench = (...args: readonly string[]) => slipway(['--workspace', folder, 'bench', ...args]);
const runsOf = async (): Promise<BenchRun[]> =>
  (JSON.parse((await bench('runs')).stdout) as { runs: BenchRun[] }).runs;

/** Flashes in a process of its own, which is killed once the first bytes are written. */
async function flashAndKill(port: string): Promise<void> {
  const args = ['--json', '--workspace', folder, 'bench', 'flash', image, '--port', port];
  const more = ['--protocol', 'stm32', '--expect-version', '1.1.0', '--revision', 'B'];
  const child = spawn(process.execPath, [entryPath('cli'), ...args, ...more], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  let told = '';
  for await (const text of child.stderr) {
    told += String(text);
    if (told.includes('"step":"Writing"')) break;
  }
  child.kill('SIGKILL');
  await ended;
}

test('a process killed in the middle of a flash leaves an interrupted run, and the board is brought to its end', async () => {
  const port = await serve(3);
  await flashAndKill(port);
  const [cut] = await runsOf();
  expect(cut).toMatchObject({
    port,
    passed: false,
    resumable: true,
    failure: { code: 'interrupted', detail: expect.stringContaining('the step write') },
    board: { source: 'chip' },
    hardwareRevision: 'B',
    result: { chip: 'STM32F103 medium-density', verified: false, booted: null },
  });
  const recording = await readFile(cut?.result.recording ?? '', 'utf8');
  expect(recording).toContain('interrupted at the step write');
  // Told again it is the same: the run is recorded once.
  expect(await runsOf()).toHaveLength(1);

  const resumed = await bench('resume');
  expect(resumed.exitCode, resumed.stderr).toBe(0);
  expect(JSON.parse(resumed.stdout)).toMatchObject({
    verified: true,
    booted: { version: '1.1.0', matched: true },
    boardId: cut?.board?.id,
  });
  const after = await runsOf();
  expect(after.map(({ passed }) => passed)).toEqual([false, true]);
  expect(after[1]).toMatchObject({ resumes: cut?.id, hardwareRevision: 'B', virtual: true });
  expect((await bench('resume')).problem).toMatchObject({ code: 'nothing-to-resume' });
});

test('boards are listed and named, and their revision is set', async () => {
  const listed = async () =>
    (JSON.parse((await bench('boards', 'list')).stdout) as { boards: KnownBoard[] }).boards;
  const [board] = await listed();
  expect(board).toMatchObject({ hardwareRevision: 'B', nickname: '' });
  const set = await bench(
    'boards',
    'set',
    board?.id ?? '',
    '--nickname',
    'left pump',
    '--revision',
    'C',
  );
  expect(set.exitCode).toBe(0);
  expect(await listed()).toMatchObject([{ nickname: 'left pump', hardwareRevision: 'C' }]);
  const back = await bench('boards', 'set', 'left pump', '--revision', 'B');
  expect(JSON.parse(back.stdout)).toMatchObject({ hardwareRevision: 'B' });
  expect((await bench('boards', 'set', 'nobody', '--revision', 'B')).problem).toMatchObject({
    code: 'unknown-board',
  });
});
