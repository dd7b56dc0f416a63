import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { entryPath } from '../../electron/worker/run-task.ts';
import { slipway } from '../support/command.ts';

const image = 'resources/sample/firmware/sensor-1.1.0.bin';
const served: ChildProcess[] = [];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-bench-'));
});
afterAll(async () => {
  for (const child of served) {
    child.kill();
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true });
});

/** Serves a virtual board as a user does; resolves with its port once it is ready. */
async function serve(kind: string): Promise<string> {
  const link = join(folder, `board-${served.length}`);
  const args = [entryPath('cli'), 'bench', 'virtual', kind, '--link', link];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  served.push(child);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  expect(JSON.parse(line.toString())).toEqual({ ready: true, port: link });
  return link;
}

const flash = (ports: readonly string[], protocol: string) =>
  slipway([
    'bench',
    'flash',
    image,
    '--protocol',
    protocol,
    '--expect-version',
    '1.1.0',
    ...ports.flatMap((port) => ['--port', port]),
  ]);

test('a gang of boards: each has its own end, and one that is missing does not keep the others', async () => {
  const ports = [await serve('stm32'), join(folder, 'missing'), await serve('stm32')];
  const { exitCode, stdout } = await flash(ports, 'stm32');
  const { boards } = JSON.parse(stdout) as { boards: unknown[] };
  const whole = { passed: true, verified: true, booted: { version: '1.1.0', matched: true } };
  expect(boards).toMatchObject([
    { port: ports[0], ...whole },
    { port: ports[1], passed: false, error: { code: 'port-not-found' } },
    { port: ports[2], ...whole },
  ]);
  expect(exitCode).toBe(3);
});

test('one board of another protocol is told as before', async () => {
  const { exitCode, stdout, stderr } = await flash([await serve('ymodem')], 'ymodem');
  expect(JSON.parse(stdout), stderr).toMatchObject({
    protocol: 'ymodem',
    verified: true,
    booted: { version: '1.1.0', matched: true },
  });
  expect(exitCode).toBe(0);
});
