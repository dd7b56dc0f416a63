import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ResetLines } from '../../electron/core/bench/connection/reset-lines.ts';
import { RoundTrips } from '../../electron/core/bench/connection/round-trips.ts';
import type { ModemSignals, SerialLink } from '../../electron/core/bench/serial-link.ts';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import {
  parseResetSequence,
  type ResetStep,
  resetSequenceText,
  resetTemplates,
} from '../../shared/domain/reset-sequence.ts';
import { isFault } from '../../shared/domain/text-fault.ts';
import { ConsoleFollower } from '../support/console.ts';
import { espImage } from '../support/esp-images.ts';

let folder: string;
let studio: Studio;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-reset-'));
  studio = await createStudio({ workspacePath: null });
});
afterAll(async () => {
  await studio?.close();
  await rm(folder, { recursive: true, force: true });
});

/** A line in memory that keeps what its modem lines were set to. */
function memoryLink(hasLines = true) {
  const signals: ModemSignals[] = [];
  const link: SerialLink = {
    write: async () => undefined,
    onData: () => undefined,
    onLost: () => undefined,
    isPresent: async () => true,
    setLine: async () => undefined,
    setSignals: async (wanted) => {
      if (hasLines) signals.push({ dtr: wanted.dtr, rts: wanted.rts });
      return hasLines;
    },
    close: async () => undefined,
  };
  return { link, signals };
}

const steps = (text: string): readonly ResetStep[] => {
  const parsed = parseResetSequence(text);
  if (isFault(parsed)) throw new Error(parsed.message);
  return parsed;
};

test('a sequence is read step by step; a line that is not named stays', () => {
  expect(steps('rts=0; wait 0.1s;\nDTR=0 ; wait 20 ms ;')).toEqual([
    { dtr: true, rts: false },
    { waitMs: 100 },
    { dtr: false, rts: false },
    { waitMs: 20 },
  ]);
});

test('every sequence is read back from its own text', () => {
  const set = fc.record({ dtr: fc.boolean(), rts: fc.boolean() });
  const wait = fc.record({ waitMs: fc.integer({ min: 0, max: 10_000 }) });
  fc.assert(
    fc.property(set, fc.array(fc.oneof(set, wait), { maxLength: 60 }), (first, rest) => {
      expect(parseResetSequence(resetSequenceText([first, ...rest]))).toEqual([first, ...rest]);
    }),
  );
});

test('whatever is typed is a sequence or has a fault inside the text', () => {
  const word = fc.constantFrom('dtr=1', 'rts=0', 'wait', '100ms', '5', 'ms', ';', '\n', 'x=1', ' ');
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const text = words.join(' ');
      const result = parseResetSequence(text);
      if (!isFault(result)) return;
      expect(result.position).toBeGreaterThanOrEqual(0);
      expect(result.position + result.length).toBeLessThanOrEqual(text.length);
    }),
  );
});

test.each([
  ['dtr=1; rts=2', 7, 'rts=2'],
  ['dtr=1 wait 100ms', 6, 'wait'],
  ['dtr=1; wait 100', 7, 'A wait has a number'],
  ['dtr=1; wait 20s', 7, 'at most 10 s'],
  ['wait 1s', 0, 'No step sets'],
  ['', 0, 'No step sets'],
])('“%s” is wrong at %i', (text, position, message) => {
  expect(parseResetSequence(text)).toMatchObject({
    position,
    message: expect.stringContaining(message),
  });
});

/** How boards wire the modem lines: levels of the reset pin and the boot pin. */
const wirings: Record<string, (signals: ModemSignals) => { reset: boolean; boot: boolean }> = {
  'stm32-direct': ({ dtr, rts }) => ({ reset: dtr, boot: !rts }),
  'stm32-inverted': ({ dtr, rts }) => ({ reset: !dtr, boot: rts }),
  'esp-classic': ({ dtr, rts }) => ({ reset: rts && !dtr, boot: dtr && !rts }),
};

test.each(Object.keys(wirings))('%s lets go of reset while the boot pin is set', (id) => {
  const template = resetTemplates.find((candidate) => candidate.id === id);
  const states = steps(template?.text ?? '')
    .filter((step) => 'dtr' in step)
    .map((step) => wirings[id]?.(step));
  const release = states.findIndex((state, at) => states[at - 1]?.reset && !state?.reset);
  expect(release).toBeGreaterThan(0);
  expect(states[release]?.boot).toBe(true);
});

test('every template is a sequence', () => {
  for (const { text } of resetTemplates) expect(steps(text).length).toBeGreaterThan(2);
});

test('a sequence takes the place of the protocol’s resets until it is connected', async () => {
  const { link, signals } = memoryLink();
  const reset = new ResetLines(link, steps('dtr=0 rts=1; wait 1ms; dtr=1 rts=0'));
  const sequence = [
    { dtr: false, rts: true },
    { dtr: true, rts: false },
  ];
  expect(await reset.play()).toBe(true);
  await reset.link.setSignals({ dtr: false, rts: false });
  expect(signals).toEqual(sequence);
  // Spoken to in vain: the protocol's next reset plays the sequence once more, whatever it sets.
  await reset.link.write(Uint8Array.of(0x7f));
  await reset.link.setSignals({ dtr: true, rts: true });
  await reset.link.setSignals({ dtr: false, rts: true });
  expect(signals).toEqual([...sequence, ...sequence]);
  reset.connected();
  await reset.link.setSignals({ dtr: true, rts: true });
  expect(signals.at(-1)).toEqual({ dtr: true, rts: true });
  expect(await new ResetLines(memoryLink(false).link, steps('dtr=0')).play()).toBe(false);
});

test('how long answers take is measured beside the wire, and slow devices do not count', async () => {
  const trips = new RoundTrips();
  let answer: (bytes: Uint8Array) => void = () => undefined;
  const { link } = memoryLink();
  const watched = trips.watch(
    { ...link, onData: (listener) => void (answer = listener) },
    { baudRate: 9600, parity: 'even' },
  );
  // 2 bytes at 9600 baud 8E1 are 2.3 ms; the adapter holds each answer for 15 ms more.
  for (let at = 0; at < 12; at++) {
    expect(trips.usualMs === null).toBe(at < 8);
    await watched.write(Uint8Array.of(1));
    await new Promise((done) => setTimeout(done, at < 4 ? 60 : 18));
    answer(Uint8Array.of(0x79));
  }
  expect(trips.usualMs).toBeGreaterThan(12);
  expect(trips.usualMs).toBeLessThan(55);
});

test('trying a sequence shows what the board prints: one starts the application, one the loader', async () => {
  const { path: port } = await studio.boards.start('esp32');
  const run = 'dtr=0 rts=1; wait 20ms; rts=0';
  const started = await studio.ask('bench.connection.try', { port, resetSequence: run });
  expect(started.hasModemLines).toBe(true);
  expect(started.received).toContain('rst:0x');
  const loader = resetTemplates.find(({ id }) => id === 'esp-classic')?.text ?? '';
  const quiet = await studio.ask('bench.connection.try', { port, resetSequence: loader });
  expect(quiet).toEqual({ hasModemLines: true, received: '' });
  await expect(
    studio.ask('bench.connection.try', { port, resetSequence: 'dtr=1; halt' }),
  ).rejects.toMatchObject({
    problem: { code: 'bad-reset-sequence', detail: expect.stringContaining('Character 8') },
  });
  // With its console open the console plays it, and shows what comes.
  await studio.ask('bench.console.open', { port });
  const trial = await studio.ask('bench.connection.try', { port, resetSequence: run });
  expect(trial).toEqual({ hasModemLines: true, received: null });
  await new ConsoleFollower(studio, { port }).until('rst:0x');
  await studio.ask('bench.console.close', { port });
});

test('a port without modem lines says so, and a flash with a sequence goes on', async () => {
  const port = join(folder, 'pty');
  await studio.boards.start('esp32', { linkPath: port });
  const sequence = 'dtr=0 rts=1; wait 1ms; dtr=1 rts=0';
  expect(await studio.ask('bench.connection.try', { port, resetSequence: sequence })).toEqual({
    hasModemLines: false,
    received: '',
  });
  const file = join(folder, 'app.bin');
  await writeFile(file, espImage({ version: '3.1.0' }));
  const order = { port, protocol: 'esp', file, expectVersion: '3.1.0' } as const;
  const run = await studio.ask('bench.flash', { ...order, resetSequence: sequence });
  expect(run.passed).toBe(true);
  expect(await readFile(run.result.recording, 'utf8')).toContain('this port has no modem lines');
});

test('a saved sequence is played before a flash of its board, one that is given goes first', async () => {
  const { path: port } = await studio.boards.start('esp32');
  const file = join(folder, 'saved.bin');
  await writeFile(file, espImage({ version: '3.2.0' }));
  await expect(
    studio.ask('bench.connection.save', { port, resetSequence: 'dtr=' }),
  ).rejects.toMatchObject({ problem: { code: 'bad-reset-sequence' } });
  const saved = 'dtr=0 rts=1; wait 5ms; dtr=1 rts=0';
  const { memory } = await studio.ask('bench.connection.save', { port, resetSequence: saved });
  expect(memory.resetSequence).toBe(saved);
  const recorded = async (more: object): Promise<string> => {
    const order = { port, protocol: 'esp', file, expectVersion: '3.2.0', ...more } as const;
    const run = await studio.ask('bench.flash', order);
    expect(run.passed).toBe(true);
    return readFile(run.result.recording, 'utf8');
  };
  expect(await recorded({})).toContain('reset by dtr=0 rts=1; wait 5ms; dtr=1 rts=0');
  expect(await recorded({ resetSequence: 'dtr=1 rts=1' })).toContain('reset by dtr=1 rts=1');
  expect(await recorded({ resetSequence: '' })).not.toContain('reset by');
});
