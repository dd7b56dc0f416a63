import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Pty, servePty } from '../../electron/boards/pty.ts';
import { VirtualStm32 } from '../../electron/boards/stm32/virtual-stm32.ts';
import { resumeBench } from '../../electron/core/bench/bench-resume.ts';
import {
  type BenchParts,
  type FlashRequest,
  runBench,
} from '../../electron/core/bench/bench-service.ts';
import { changeBoard, withKnownBoards } from '../../electron/core/bench/board-register.ts';
import { BoardMemories } from '../../electron/core/bench/connection/board-memories.ts';
import { Connections } from '../../electron/core/bench/connection/connections.ts';
import { Consoles } from '../../electron/core/bench/console/consoles.ts';
import { rememberByUsbId } from '../../electron/core/bench/console/find-again.ts';
import { VirtualBoards } from '../../electron/core/bench/virtual-boards.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import { bootCommandsSchema } from '../../shared/domain/boot-commands.ts';
import type { BenchRun, PortInfo } from '../../shared/domain/bench.ts';
import type { Progress } from '../../shared/domain/job.ts';
import type { ProblemError } from '../../shared/domain/problem.ts';

let folder: string;
let workspace: Workspace;
let boards: VirtualBoards;
let parts: BenchParts;
let systemPorts: readonly PortInfo[];
let served: Pty[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-resume-'));
  await cp('resources/sample', folder, { recursive: true });
  systemPorts = [];
  served = [];
  workspace = await Workspace.open(folder);
  boards = new VirtualBoards();
  parts = {
    workspace,
    boards,
    ports: boards,
    recordingFolder: workspace.internal('recordings'),
    listPorts: async () => ({ ports: [...boards.list(), ...systemPorts], hint: null }),
  };
});
afterEach(async () => {
  workspace.close();
  await boards.closeAll();
  for (const pty of served) await pty.close();
  await rm(folder, { recursive: true, force: true });
});

const image = (): string => join(folder, 'firmware/sensor-1.1.0.bin');
const context = (onProgress: (progress: Progress) => void = () => undefined) => ({
  signal: new AbortController().signal,
  onProgress,
});
const flash = (
  port: string,
  request: Partial<FlashRequest> = {},
  onProgress?: (progress: Progress) => void,
) =>
  runBench(
    parts,
    { path: image(), port, protocol: 'stm32', expectVersion: '1.1.0', ...request },
    context(onProgress),
  );
const resume = (runId: string) => resumeBench(parts, { runId }, context());
const lastRun = (): BenchRun => workspace.list('benchRun').at(-1) as BenchRun;
const resumable = () => workspace.list('benchOrder').map(({ id }) => id);

/** Flashes and pulls the cable once half of the image is written. */
async function cutOff(
  port: string,
  pull: () => void,
  asked: Partial<FlashRequest> = {},
): Promise<BenchRun> {
  let isIn = true;
  const flashed = flash(port, { hardwareRevision: 'B', ...asked }, ({ step, done, total }) => {
    if (!isIn || step !== 'Writing' || done < total / 2) return;
    isIn = false;
    pull();
  });
  await expect(flashed).rejects.toMatchObject({ problem: { code: 'port-lost' } });
  return lastRun();
}

const problemOf = async (work: Promise<unknown>) =>
  (await work.then(
    () => null,
    (error: unknown) => (error as ProblemError).problem,
  )) ?? { code: 'it passed' };

test('a run that was cut off is gone on with to a verified board, once', async () => {
  const { path } = await boards.start('stm32');
  const cut = await cutOff(path, () => boards.setPlugged(path, false));
  expect(cut).toMatchObject({ passed: false, failure: { code: 'port-lost' } });
  expect(resumable()).toEqual([cut.id]);
  expect(await problemOf(resume(cut.id))).toMatchObject({
    code: 'port-lost',
  });
  boards.setPlugged(path, true);
  const run = await resume(cut.id);
  expect(run).toMatchObject({
    passed: true,
    resumes: cut.id,
    hardwareRevision: 'B',
    board: { id: cut.board?.id, source: 'chip' },
    result: { verified: true, booted: { version: '1.1.0', matched: true } },
  });
  // The attempt while the cable was out could be gone on with as well.
  expect(resumable()).toHaveLength(1);
  expect(await problemOf(resume(cut.id))).toMatchObject({
    code: 'nothing-to-resume',
  });
});

test('what a run was asked to do goes with it, and the console of its port tells how it ends', async () => {
  const { path } = await boards.start('stm32');
  const { listPorts } = parts;
  const openLink = boards.opener();
  const consoles = new Consoles(openLink, rememberByUsbId(listPorts));
  const memories = new BoardMemories(workspace);
  const connections = new Connections({ consoles, memories, listPorts, openLink });
  parts = { ...parts, ports: consoles, connections };
  const asked = {
    usesStub: true,
    mcu: { componentId: 'STM32', version: '1.0.0' },
    bootCommands: bootCommandsSchema.parse({ load: 'loady' }),
    resetSequence: 'dtr=1; wait 1ms; dtr=0',
  };
  const cut = await cutOff(path, () => boards.setPlugged(path, false), asked);
  await problemOf(resume(cut.id));
  expect(workspace.list('benchOrder').map(({ id }) => id)).toContain(lastRun().id);
  for (const order of workspace.list('benchOrder')) expect(order).toMatchObject(asked);
  boards.setPlugged(path, true);
  const session = await consoles.open(path, { baudRate: 115_200, parity: 'none' });
  expect(await resume(lastRun().id)).toMatchObject({ passed: true });
  const reading = { port: path, afterLine: 0, version: -1, waitMs: 0, highlights: [] };
  const { lines } = await session.read({ ...reading, form: 'text' });
  const words = lines.map(({ text }) => text);
  expect(words).toContain('Handed over to the flasher');
  expect(words).toContain('Flashed: STM32F103 medium-density, verified, booted 1.1.0');
  expect(resumable()).toEqual([]);
  await consoles.closeAll();
});

/** Serves an STM32 at a path, as behind a USB adapter. */
async function plugIn(name: string, unit: number, usbId: string): Promise<PortInfo & { pty: Pty }> {
  const path = join(folder, name);
  const pty = await servePty(new VirtualStm32({ isPaced: false, unit }), path);
  served.push(pty);
  return { path, label: path, serialNumber: usbId, virtual: false, usbId, pty };
}

test('another board at the same path is refused by name, and nothing is written to it', async () => {
  const first = await plugIn('tty0', 1, 'usb:1:2:ADAPTER');
  systemPorts = [first];
  const cut = await cutOff(first.path, () => void first.pty.close());
  const id = cut.board?.id ?? '';
  changeBoard(workspace, { board: id, nickname: 'left pump' });
  const second = await plugIn('tty0', 2, 'usb:1:2:ADAPTER');
  systemPorts = [second];
  const refusal = await problemOf(resume(cut.id));
  expect(refusal).toMatchObject({ code: 'other-board', kind: 'gate' });
  expect(refusal).toMatchObject({ detail: expect.stringContaining('expected left pump') });
  expect(lastRun()).toMatchObject({ passed: false, result: { bytesWritten: 0 } });
  expect(resumable()).toEqual([cut.id]);
});

test('the board is found at its new path', async () => {
  const first = await plugIn('tty0', 1, 'usb:1:2:ADAPTER');
  systemPorts = [first];
  const cut = await cutOff(first.path, () => void first.pty.close());
  systemPorts = [await plugIn('tty7', 1, 'usb:1:2:ADAPTER')];
  const run = await resume(cut.id);
  expect(run).toMatchObject({ passed: true, port: join(folder, 'tty7') });
});

test('an image that has changed since is not gone on with', async () => {
  const { path } = await boards.start('stm32');
  const cut = await cutOff(path, () => boards.setPlugged(path, false));
  boards.setPlugged(path, true);
  await writeFile(image(), await readFile(join(folder, 'firmware/sensor-1.0.0.bin')));
  expect(await problemOf(resume(cut.id))).toMatchObject({
    code: 'image-changed',
  });
});

test('the hardware revision of a board is remembered, and told apart by its chip, not by its port', async () => {
  const first = await boards.start('stm32');
  const second = await boards.start('stm32');
  const told = await flash(first.path, { hardwareRevision: 'A' });
  expect(await flash(first.path)).toMatchObject({ hardwareRevision: 'A', virtual: true });
  const other = await flash(second.path);
  expect(other.hardwareRevision).toBeUndefined();
  const [id, otherId] = [told.board?.id ?? '', other.board?.id ?? ''];
  expect(otherId).not.toBe(id);
  changeBoard(workspace, { board: otherId, hardwareRevision: 'C', nickname: 'right' });
  expect(await flash(second.path)).toMatchObject({
    hardwareRevision: 'C',
    board: { nickname: 'right' },
  });
  const ports = withKnownBoards(boards.list(), workspace.list('board'));
  expect(ports.map(({ board }) => board?.hardwareRevision)).toEqual(['A', 'C']);
  expect(() => changeBoard(workspace, { board: id, nickname: 'right' })).toThrow(
    'Another board has this name',
  );
  expect(() => changeBoard(workspace, { board: 'nobody' })).toThrow('No such board');
});
