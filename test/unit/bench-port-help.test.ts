import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { portHolders } from '../../electron/core/bench/port-holders.ts';
import { openSerialPort } from '../../electron/core/bench/serial-link.ts';
import { type Bench, openBench } from '../support/bench.ts';

const options = { baudRate: 115_200, parity: 'none' } as const;
let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

test('who holds a port is told by name and process id', async () => {
  const port = join(bench.folder, 'held');
  await bench.boards.start('stm32', { linkPath: port });
  // Not the program that serves the pseudo terminal.
  expect(portHolders(port)).toEqual([]);
  const holder = spawn('sleep', ['60'], { stdio: [openSync(port, 'r+')] });
  await expect.poll(() => portHolders(port)).toEqual([`sleep (${holder.pid})`]);
  holder.kill();
  await once(holder, 'exit');
});

test('a port that is opened twice is in use', async () => {
  const port = join(bench.folder, 'twice');
  await bench.boards.start('stm32', { linkPath: port });
  const link = await openSerialPort(port, options);
  await expect(openSerialPort(port, options)).rejects.toMatchObject({
    problem: { code: 'port-busy' },
  });
  await link.close();
});

test('a port that comes back within a second is waited for', async () => {
  const port = join(bench.folder, 'late');
  expect(existsSync(port)).toBe(false);
  const opening = openSerialPort(port, options);
  await bench.boards.start('stm32', { linkPath: port });
  await (await opening).close();
});
