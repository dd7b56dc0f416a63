import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Consoles } from '../../electron/core/bench/console/consoles.ts';
import { rememberByUsbId } from '../../electron/core/bench/console/find-again.ts';
import type { OpenLink } from '../../electron/core/bench/serial-link.ts';
import { problem } from '../../shared/domain/problem.ts';
import { type Bench, openBench } from '../support/bench.ts';

let bench: Bench;
let folder: string;
beforeAll(async () => {
  bench = await openBench();
  folder = await mkdtemp(join(tmpdir(), 'slipway-again-'));
});
afterAll(async () => {
  await bench.close();
  await rm(folder, { recursive: true, force: true });
});

test('a board that comes back at another path is known by the serial number of its adapter', async () => {
  const { path: board } = await bench.boards.start('quectel');
  const [first, second, other] = ['ttyUSB0', 'ttyUSB1', 'ttyUSB2'].map((name) =>
    join(folder, name),
  );
  let at = first ?? '';
  await writeFile(at, '');
  const listPorts = async () => ({
    ports: [
      { path: other ?? '', label: '', serialNumber: 'B', virtual: false, usbId: 'usb:1:2:B' },
      { path: at, label: '', serialNumber: 'A', virtual: false, usbId: 'usb:1:2:A' },
    ],
    hint: null,
  });
  const openLink: OpenLink = async (path, options) => {
    if (path !== at) throw problem('port-not-found', '', path, '');
    return bench.boards.opener()(board, options);
  };
  const consoles = new Consoles(openLink, rememberByUsbId(listPorts));
  const session = await consoles.open(at, { baudRate: 115_200, parity: 'none' });
  bench.boards.setPlugged(board, false);
  await expect.poll(() => session.state.state).toBe('lost');
  await rm(at);
  at = second ?? '';
  await writeFile(at, '');
  bench.boards.setPlugged(board, true);
  await expect.poll(() => session.state.path, { timeout: 20_000 }).toBe(second);
  const reading = { port: first ?? '', afterLine: 0, version: -1, waitMs: 0, highlights: [] };
  const { lines } = await session.read({ ...reading, form: 'text' });
  expect(lines.at(-1)?.text).toMatch(/^The port is back as .*ttyUSB1 after \d+\.\d s$/);
  await session.send(Buffer.from('AT\r'));
  await expect.poll(() => session.state.receivedBytes).toBeGreaterThan(0);
  // It is the same console, by its old name and its new one.
  expect(await consoles.find(second ?? '')).toBe(session);
  expect(consoles.get(first ?? '')).toBe(session);
  await consoles.closeAll();
});
