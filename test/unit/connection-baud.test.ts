import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BoardMemories } from '../../electron/core/bench/connection/board-memories.ts';
import { Connections } from '../../electron/core/bench/connection/connections.ts';
import { FlashConnection } from '../../electron/core/bench/connection/flash-connection.ts';
import { Consoles } from '../../electron/core/bench/console/consoles.ts';
import { runBench } from '../../electron/core/bench/bench-service.ts';
import type { BoardIdentity } from '../../electron/core/bench/flasher.ts';
import type { OpenLink } from '../../electron/core/bench/serial-link.ts';
import { problem } from '../../shared/domain/problem.ts';
import { createStudio } from '../../electron/core/studio.ts';
import { type Bench, openBench, rawImage, sampleImage } from '../support/bench.ts';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench.close());

/** A board whose bootloader hears nothing above a speed; `rates` are those that were tried. */
async function slowBoard(
  mostBaud: number,
): Promise<{ port: string; openLink: OpenLink; rates: number[] }> {
  const { path: port } = await bench.boards.start('stm32');
  const rates: number[] = [];
  const openLink: OpenLink = async (path, options) => {
    const link = await bench.boards.opener()(path, options);
    let { baudRate } = options;
    rates.push(baudRate);
    return {
      ...link,
      write: async (bytes) => {
        if (baudRate <= mostBaud) await link.write(bytes);
      },
      setLine: async (line) => {
        baudRate = line.baudRate;
        rates.push(baudRate);
        await link.setLine(line);
      },
    };
  };
  return { port, openLink, rates };
}

test('a board that is silent at the usual speed is flashed at the next lower one that works', async () => {
  const { port, openLink, rates } = await slowBoard(60_000);
  const image = rawImage(await sampleImage('sensor-1.1.0.bin'));
  const result = await bench.flash({
    port,
    protocol: 'stm32',
    image,
    openLink,
    expectVersion: '1.1.0',
  });
  expect(result).toMatchObject({
    verified: true,
    booted: { matched: true },
    baudFallback: { wished: 115_200, worked: 57_600 },
  });
  expect(rates).toEqual([115_200, 57_600]);
  expect(await readFile(bench.recordingPath, 'utf8')).toContain(
    'no answer at 115200 baud; trying 57600',
  );
});

test('what worked is remembered for the board: the next flash begins there', async () => {
  const { port, openLink, rates } = await slowBoard(60_000);
  const consoles = new Consoles(openLink, async () => async () => null);
  const memories = new BoardMemories(null);
  const listPorts = async () => ({ ports: [], hint: null });
  const connections = new Connections({ consoles, memories, listPorts, openLink });
  const path = 'resources/sample/firmware/sensor-1.1.0.bin';
  const parts = {
    workspace: null,
    boards: bench.boards,
    ports: consoles,
    connections,
    recordingFolder: bench.folder,
    listPorts,
  };
  const flash = (baudRate?: number) =>
    runBench(
      parts,
      { port, protocol: 'stm32', path, baudRate },
      { signal: new AbortController().signal, onProgress: () => undefined },
    );
  await flash();
  expect((await connections.report(port)).memory.baud).toEqual({ wished: 115_200, worked: 57_600 });
  rates.length = 0;
  const { result } = await flash();
  expect(rates).toEqual([57_600]);
  expect(result.baudFallback).toEqual({ wished: 115_200, worked: 57_600 });
  rates.length = 0;
  // Another wish is tried as it is.
  await flash(19_200);
  expect(rates).toEqual([19_200]);
  await connections.save(port, { forgetBaud: true });
  expect((await connections.report(port)).memory.baud).toBeUndefined();
  expect((await connections.report(port)).memory.roundTripMs).toBeGreaterThanOrEqual(0);
});

/** Connects with what a protocol does, on a board of this process. */
async function connecting(connect: () => Promise<BoardIdentity>) {
  const line = { baudRate: 115_200, parity: 'even' } as const;
  const { port, openLink, rates } = await slowBoard(0);
  const connection = new FlashConnection();
  const link = await openLink(port, connection.begin(line));
  const outcome = await connection.connect(connect, { link, mayFallBack: true }).then(
    () => null,
    (error: unknown) => error,
  );
  return { outcome, rates, fallback: connection.fallback };
}

test('a board that is silent at every speed ends with the problem of the wished one', async () => {
  let attempts = 0;
  const { outcome, rates, fallback } = await connecting(async () => {
    throw problem('bootloader-silent', `attempt ${++attempts}`, '', '');
  });
  expect(outcome).toMatchObject({ problem: { title: 'attempt 1' } });
  expect(rates).toEqual([115_200, 57_600, 19_200, 9600]);
  expect(fallback).toBeNull();
});

test('a fault that has nothing to do with the speed is no reason to try others', async () => {
  const { outcome, rates } = await connecting(async () => {
    throw new Error('lost');
  });
  expect(outcome).toMatchObject({ message: 'lost' });
  expect(rates).toEqual([115_200]);
});

test('what is remembered of boards is kept in the workspace, and a damaged memory is none', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-memory-'));
  await cp('resources/sample', folder, { recursive: true });
  const port = join(folder, 'no-such-port');
  const resetSequence = 'dtr=1 rts=0; wait 10ms; dtr=0';
  for (const change of [{ resetSequence }, {}]) {
    const studio = await createStudio({ workspacePath: folder });
    const { memory, advice, board } = await studio.ask('bench.connection.save', {
      port,
      ...change,
    });
    expect({ memory, board }).toEqual({ memory: { resetSequence }, board: port });
    expect(advice).toMatchObject([{ id: 'not-found' }]);
    await studio.close();
  }
  const memories = new BoardMemories({ setting: () => '{"x":7}', setSetting: () => undefined });
  expect(memories.of('x')).toEqual({});
  await writeFile(join(folder, 'no-such-port'), '');
  await rm(folder, { recursive: true, force: true });
});
