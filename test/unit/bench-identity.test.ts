import { randomBytes } from 'node:crypto';
import { readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Pty, servePty } from '../../electron/boards/pty.ts';
import { VirtualSmpBoard } from '../../electron/boards/smp/virtual-smp-board.ts';
import {
  type ListPorts,
  pathOf,
  portAt,
  withoutSharedIds,
} from '../../electron/core/bench/ports.ts';
import type { PortInfo } from '../../shared/domain/bench.ts';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';
import { mcubootImage } from '../support/mcuboot-builder.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

const port = (
  path: string,
  usbId: string | null,
  usbInterface: string | null = null,
): PortInfo => ({
  path,
  label: path,
  serialNumber: null,
  virtual: false,
  usbId,
  usbInterface,
});
const lister =
  (...ports: readonly PortInfo[]): ListPorts =>
  async () => ({ ports, hint: null });

test('a board is found by its USB serial number, and by which of its ports it is', async () => {
  const list = lister(
    port('/dev/ttyUSB0', 'usb:1:2:A', '00'),
    port('/dev/ttyUSB1', 'usb:1:2:A', '01'),
    port('/dev/ttyUSB2', 'usb:1:2:B'),
  );
  expect(await pathOf(list, { usbId: 'usb:1:2:A', usbInterface: '01' })).toBe('/dev/ttyUSB1');
  expect(await pathOf(list, { usbId: 'usb:1:2:B' })).toBe('/dev/ttyUSB2');
  expect(await pathOf(list, { usbId: 'usb:1:2:C' })).toBeNull();
  expect(await pathOf(list, {})).toBeNull();
});

test('a serial number that two adapters share tells no board from another', () => {
  const ports = [port('/dev/ttyUSB0', 'usb:1:2:0001'), port('/dev/ttyUSB1', 'usb:1:2:0001')];
  expect(withoutSharedIds(ports).map(({ usbId }) => usbId)).toEqual([null, null]);
});

test('a port is known under any name of its device file', async () => {
  const device = join(bench.folder, 'ttyUSB0');
  const byId = join(bench.folder, 'by-id');
  await Promise.all([readFile(device).catch(() => null), symlink('/dev/null', device)]);
  await symlink(device, byId);
  expect(await portAt(lister(port(device, 'usb:1:2:A')), byId)).toMatchObject({ path: device });
});

/** A Zephyr board with USB of its own: each restart gives it a new path. */
async function movingBoard(onRestart: (board: VirtualSmpBoard, first: Pty) => Promise<void>) {
  const board = new VirtualSmpBoard({ isPaced: false });
  const path = join(bench.folder, `acm-${randomBytes(4).toString('hex')}`);
  const first = await servePty(board, path);
  const version = '1.4.0';
  const image = rawImage(await mcubootImage(version, randomBytes(3000)));
  let hasRestarted: Promise<void> | null = null;
  const flash = (listPorts: ListPorts) =>
    bench.flash(
      { port: path, protocol: 'smp', image, expectVersion: version, listPorts },
      ({ step }) => {
        if (step.startsWith('Waiting')) hasRestarted ??= onRestart(board, first);
      },
    );
  return { path, flash, ended: () => hasRestarted };
}

test('a board that comes back under another path is found again and its new version is proven', async () => {
  let now: PortInfo | null = null;
  let second: Pty | null = null;
  const newPath = join(bench.folder, 'acm-new');
  const { path, flash } = await movingBoard(async (board, first) => {
    now = null;
    await first.close();
    second = await servePty(board, newPath);
    now = port(newPath, 'usb:2fe3:1:Z1');
  });
  now = port(path, 'usb:2fe3:1:Z1');
  const result = await flash(async () => ({ ports: now ? [now] : [], hint: null }));
  expect(result).toMatchObject({ verified: true, booted: { matched: true } });
  expect(await readFile(bench.recordingPath, 'utf8')).toContain(`the board is at ${newPath} now`);
  await (second as Pty | null)?.close();
});

test('another board at the same path is refused by name', async () => {
  let now: PortInfo | null = null;
  const { path, flash } = await movingBoard(async (_board, first) => {
    now = port(path, 'usb:2fe3:1:OTHER');
    await first.close();
  });
  now = port(path, 'usb:2fe3:1:Z1');
  await expect(flash(async () => ({ ports: now ? [now] : [], hint: null }))).rejects.toMatchObject({
    problem: {
      code: 'other-board',
      detail: `${path} is usb:2fe3:1:OTHER; expected usb:2fe3:1:Z1.`,
    },
  });
});

test('a board that is lost while it is written is not looked for: it may have lost its power', async () => {
  const { path } = await bench.boards.start('stm32');
  const list: ListPorts = async () => ({ ports: bench.boards.list(), hint: null });
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  const order = { port: path, protocol: 'stm32', image, listPorts: list } as const;
  const failure = await bench.failure(order, ({ step, done }) => {
    if (step === 'Writing' && done > 1000) bench.boards.setPlugged(path, false);
  });
  expect(failure.code).toBe('port-lost');
});
