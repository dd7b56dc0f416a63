import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pty, servePty } from '../../electron/boards/pty.ts';
import { VirtualSmpBoard } from '../../electron/boards/smp/virtual-smp-board.ts';
import { Consoles } from '../../electron/core/bench/console/consoles.ts';
import { rememberByUsbId } from '../../electron/core/bench/console/find-again.ts';
import { type OpenLink, openSerialPort } from '../../electron/core/bench/serial-link.ts';
import type { PortInfo } from '../../shared/domain/bench.ts';
import { problem } from '../../shared/domain/problem.ts';
import { type Bench, openBench, rawImage } from '../support/bench.ts';
import { mcubootImage } from '../support/mcuboot-builder.ts';

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

test('a board that restarts at another path while it is flashed keeps its console', async () => {
  const board = new VirtualSmpBoard({ isPaced: false });
  const [oldPath, newPath] = [join(folder, 'acm0'), join(folder, 'acm1')];
  const info = { label: '', serialNumber: 'Z1', virtual: false, usbId: 'usb:2fe3:1:Z1' };
  let ports: readonly PortInfo[] = [{ ...info, path: oldPath }];
  const listPorts = async () => ({ ports, hint: null });
  const consoles = new Consoles(openSerialPort, rememberByUsbId(listPorts));
  const first = await servePty(board, oldPath);
  const session = await consoles.open(oldPath, { baudRate: 115_200, parity: 'none' });
  let moved: Promise<Pty> | null = null;
  const move = async (): Promise<Pty> => {
    ports = [];
    await first.close();
    const second = await servePty(board, newPath);
    ports = [{ ...info, path: newPath }];
    return second;
  };
  const version = '1.4.0';
  const image = rawImage(await mcubootImage(version, randomBytes(3000)));
  const result = await bench.flash(
    {
      port: oldPath,
      protocol: 'smp',
      image,
      expectVersion: version,
      listPorts,
      openLink: consoles.opener(),
    },
    ({ step }) => {
      if (step.startsWith('Waiting')) moved ??= move();
    },
  );
  expect(result).toMatchObject({ verified: true, booted: { matched: true } });
  await expect
    .poll(() => session.state, { timeout: 10_000 })
    .toMatchObject({
      state: 'open',
      path: newPath,
    });
  await consoles.closeAll();
  await (await (moved as Promise<Pty> | null))?.close();
});
