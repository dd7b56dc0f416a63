import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { slipway } from '../support/command.ts';
import { ServedBoard } from '../support/served-board.ts';

const image = 'resources/sample/firmware/sensor-1.1.0.bin';
const served: ServedBoard[] = [];
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-bench-'));
});
afterAll(async () => {
  for (const board of served) await board.stop();
  await rm(folder, { recursive: true, force: true });
});

/** Serves a virtual board as a user does; resolves with its port once it is ready. */
async function serve(kind: VirtualBoardKind, ...more: readonly string[]): Promise<string> {
  const board = await ServedBoard.start(kind, join(folder, `board-${served.length}`), more);
  served.push(board);
  return board.port;
}

const flash = (ports: readonly string[], protocol: string, ...more: readonly string[]) =>
  slipway([
    'bench',
    'flash',
    image,
    '--protocol',
    protocol,
    '--expect-version',
    '1.1.0',
    ...ports.flatMap((port) => ['--port', port]),
    ...more,
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

test('a board that lies about what it wrote fails with a gate, by its fault', async () => {
  const port = await serve('stm32', '--fault', 'write-protected');
  const { exitCode, stdout, stderr } = await flash([port], 'stm32');
  expect(exitCode, stderr).toBe(1);
  expect(`${stdout}${stderr}`).toContain('verify-failed');
});

test('the upgrade of an MCU behind a module, from a package that its cloud has', async () => {
  const brings = ['--mcu-package', image, '--mcu', 'STM32=1.1.0', '--mcu-source', '1.0.0'];
  const port = await serve('quectel', ...brings);
  const { exitCode, stdout, stderr } = await flash([port], 'qiot', '--mcu', 'STM32=1.0.0');
  expect(exitCode, stderr).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    protocol: 'qiot',
    verified: true,
    booted: { version: '1.1.0', matched: true },
  });
});
