import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encode } from 'cborg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { encodeSmp, encodeSmpFrame, smp } from '../../shared/formats/smp-frame.ts';
import { encodeSlip } from '../../shared/formats/slip.ts';
import { hexText } from '../../shared/domain/hex-bytes.ts';
import { ConsoleFollower } from '../support/console.ts';

const firmware = 'resources/sample/firmware/sensor-1.1.0.bin';
let studio: Studio;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-console-'));
  studio = await createStudio({ workspacePath: null });
});
afterAll(async () => {
  await studio?.close();
  await rm(folder, { recursive: true, force: true });
});

const follow = (port: string) => new ConsoleFollower(studio, { port });
const espSync = encodeSlip(
  Uint8Array.from([0, 8, 36, 0, 0, 0, 0, 0, 7, 7, 0x12, 0x20, ...Array(32).fill(0x55)]),
);
const smpEcho = encodeSmpFrame(
  encodeSmp({
    op: smp.write,
    version: 1,
    group: smp.osGroup,
    sequence: 1,
    command: smp.echo,
    body: encode({ d: 'hi' }),
  }),
);

/** What a board is told, and what it answers in any case. */
const talks: readonly (readonly [VirtualBoardKind, { hex: string } | { text: string }, string])[] =
  [
    ['stm32', { hex: '7f' }, 'y'],
    ['esp32', { hex: hexText(espSync) }, '\u2401\u2408'],
    ['smp', { hex: hexText(smpEcho) }, '\u2406'],
    ['optiboot', { hex: '30 20' }, '\u2414\u2410'],
    ['ymodem', { text: '' }, 'YMODEM bootloader, waiting for an image'],
    ['quectel', { text: 'ATI' }, 'Revision: EG800K'],
  ];

test.each(talks)(
  '%s: what the board says is read, in process and over a PTY',
  async (kind, say, expected) => {
    const linkPath = join(folder, `talk-${kind}`);
    for (const board of [
      await studio.boards.start(kind),
      await studio.boards.start(kind, { linkPath, paced: true }),
    ]) {
      const port = board.path;
      await studio.ask('bench.console.open', { port });
      const lines = follow(port);
      await studio.ask('bench.console.send', {
        port,
        ...say,
        ...('text' in say ? { lineEnding: 'cr' } : {}),
      });
      await lines.until(expected);
      await studio.ask('bench.console.close', { port });
      await studio.boards.stop(port);
    }
  },
);

test('a flash borrows the port and gives it back: the console tells it, and gets the boot banner', async () => {
  const { path: port } = await studio.boards.start('stm32');
  await studio.ask('bench.console.open', { port });
  const lines = follow(port);
  const flashing = studio.ask('bench.flash', {
    port,
    protocol: 'stm32',
    file: firmware,
    expectVersion: '1.1.0',
  });
  await lines.until('Handed over to the flasher');
  expect(lines.last.state.state).toBe('flashing');
  await expect(studio.ask('bench.console.send', { port, text: 'x' })).rejects.toMatchObject({
    problem: { code: 'console-lent' },
  });
  const run = await flashing;
  expect(run.passed).toBe(true);
  const text = await lines.until('# Flashed: STM32F103 medium-density, verified, booted 1.1.0');
  const order = ['Handed over', 'Flashing: Writing', 'Flashing: Verifying', 'Waiting for the boot'];
  const places = [...order, 'version 1.1.0', 'Taken back', 'Flashed:'].map((words) =>
    text.indexOf(words),
  );
  expect(places).toEqual(places.toSorted((one, other) => one - other));
  expect(places[0]).toBeGreaterThan(-1);
  expect(lines.last.state).toMatchObject({ state: 'open', baudRate: 115_200, parity: 'none' });
  // The recording of the flash holds all of it, from the first synchronisation to the banner.
  const recording = await readFile(run.result.recording, 'utf8');
  expect(recording).toContain('"dir":"tx","hex":"7f"');
  expect(recording).toContain(Buffer.from('1.1.0').toString('hex'));
  // What the board prints from here on is the console's again.
  await studio.ask('bench.console.send', { port, hex: '7f' });
  await lines.until(/> ␡\n(.*\n)*< .*y$/);
  await studio.ask('bench.console.close', { port });
});

test('a flash over a link to the port finds the console of the port, and a failed one gives it back too', async () => {
  const board = join(folder, 'real');
  const link = join(folder, 'link');
  await studio.boards.start('stm32', { linkPath: board });
  await symlink(board, link);
  await studio.ask('bench.console.open', { port: board });
  const lines = follow(board);
  const large = join(folder, 'large.bin');
  await writeFile(large, Buffer.alloc(200 * 1024, 1));
  await expect(
    studio.ask('bench.flash', { port: link, protocol: 'stm32', file: large }),
  ).rejects.toMatchObject({ problem: { code: 'image-outside-flash' } });
  await lines.until(/# Taken back from the flasher\n(.*\n)*# The flash failed: /);
  expect(lines.last.state.state).toBe('open');
  await studio.ask('bench.console.close', { port: board });
});

test('a port that goes away and comes back is told in line, and goes on', async () => {
  const { path: port } = await studio.boards.start('ymodem');
  await studio.ask('bench.console.open', { port });
  const lines = follow(port);
  await lines.until('waiting for an image');
  studio.boards.setPlugged(port, false);
  await lines.until('# The port was lost');
  expect(lines.last.state.state).toBe('lost');
  await expect(studio.ask('bench.console.send', { port, text: 'x' })).rejects.toMatchObject({
    problem: { code: 'port-lost' },
  });
  studio.boards.setPlugged(port, true);
  await lines.until(
    /lost(.*\n)*.*(# The port is back after \d+\.\d s)(.*\n)*< .*waiting for an image/,
  );
  await studio.ask('bench.console.close', { port });
});

test('a PTY that is served anew is found again at its path', async () => {
  const port = join(folder, 'again');
  await studio.boards.start('quectel', { linkPath: port });
  await studio.ask('bench.console.open', { port });
  const lines = follow(port);
  await studio.boards.stop(port);
  await lines.until('# The port was lost');
  await studio.boards.start('quectel', { linkPath: port });
  await lines.until('# The port is back');
  await studio.ask('bench.console.send', { port, text: 'AT', lineEnding: 'cr' });
  await lines.until('< OK');
  await studio.ask('bench.console.close', { port });
});

test('a port that a flash could not open goes back to its console', async () => {
  const port = join(folder, 'gone');
  await studio.boards.start('quectel', { linkPath: port });
  await studio.ask('bench.console.open', { port });
  const lines = follow(port);
  await studio.boards.stop(port);
  const flash = studio.ask('bench.flash', { port, protocol: 'quectel', file: firmware });
  await expect(flash).rejects.toMatchObject({ problem: { code: 'port-not-found' } });
  await lines.until('The flasher could not open the port');
  await studio.boards.start('quectel', { linkPath: port });
  await lines.until('# Taken back from the flasher');
  await studio.ask('bench.console.close', { port });
});

test('a console that is closed during a flash leaves the port to the flasher', async () => {
  const { path: port } = await studio.boards.start('stm32');
  await studio.ask('bench.console.open', { port });
  const lines = follow(port);
  const order = { port, protocol: 'stm32', file: firmware, expectVersion: '1.1.0' } as const;
  const flashing = studio.ask('bench.flash', order);
  await lines.until('Handed over to the flasher');
  await studio.ask('bench.console.close', { port });
  expect((await flashing).passed).toBe(true);
});

test('modem lines are set where the port has them; one that has none says so and goes on', async () => {
  const { path: port } = await studio.boards.start('esp32');
  await studio.ask('bench.console.open', { port });
  const lines = follow(port);
  // EN low with IO0 high, then let go: the board starts from its flash, which is empty.
  await studio.ask('bench.console.signals', { port, dtr: false, rts: true });
  const set = await studio.ask('bench.console.signals', { port, dtr: false, rts: false });
  expect(set).toEqual({ hasModemLines: true });
  await lines.until('No bootable app partitions');
  expect(lines.last.state).toMatchObject({ dtr: false, rts: false, hasModemLines: true });
  await studio.ask('bench.console.close', { port });

  const pty = join(folder, 'no-lines');
  await studio.boards.start('stm32', { linkPath: pty });
  await studio.ask('bench.console.open', { port: pty });
  const none = await studio.ask('bench.console.signals', { port: pty, dtr: true, rts: false });
  expect(none).toEqual({ hasModemLines: false });
  const told = follow(pty);
  await told.until('# This port has no modem lines');
  expect(told.last.state.hasModemLines).toBe(false);
  await studio.ask('bench.console.close', { port: pty });
});

test('speed and parity change on an open console', async () => {
  const port = join(folder, 'speed');
  await studio.boards.start('stm32', { linkPath: port });
  await studio.ask('bench.console.open', { port });
  await studio.ask('bench.console.open', { port, baudRate: 57_600, parity: 'even' });
  const lines = follow(port);
  await lines.until('# Now at 57600 baud 8E1');
  await studio.ask('bench.console.send', { port, hex: '7f' });
  await lines.until('< y');
  await studio.ask('bench.console.close', { port });
});

test('a filter shows the lines that hold it and every note; a wrong one is told', async () => {
  const { path: port } = await studio.boards.start('quectel');
  await studio.ask('bench.console.open', { port });
  await studio.ask('bench.console.send', { port, text: 'ATI', lineEnding: 'cr' });
  await follow(port).until('Revision');
  const filtered = new ConsoleFollower(studio, {
    port,
    filter: { text: '^Rev.*0\\d', isRegex: true },
    highlights: [{ text: 'EG800K', tone: 'good' }],
  });
  await filtered.until('Revision');
  expect(filtered.lines.map(({ kind }) => kind)).toEqual(['note', 'rx']);
  expect(filtered.lines[1]?.marks).toEqual([[10, 16, 'good']]);
  await expect(
    studio.ask('bench.console.read', { port, filter: { text: '(', isRegex: true } }),
  ).rejects.toMatchObject({ problem: { code: 'bad-pattern' } });
  const hex = new ConsoleFollower(studio, { port, form: 'hex' });
  await hex.until('> 41 54 49 0d');
  await studio.ask('bench.console.clear', { port });
  expect((await follow(port).read(0)).lines).toEqual([]);
  await studio.ask('bench.console.close', { port });
});

test('bytes in hexadecimal that are none are refused with the place', async () => {
  const { path: port } = await studio.boards.start('stm32');
  await studio.ask('bench.console.open', { port });
  await expect(studio.ask('bench.console.send', { port, hex: '7f 0' })).rejects.toMatchObject({
    problem: { code: 'bad-hex', detail: expect.stringContaining('Character 4') },
  });
  await studio.ask('bench.console.close', { port });
  await expect(studio.ask('bench.console.send', { port, hex: '7f' })).rejects.toMatchObject({
    problem: { code: 'console-not-open' },
  });
});

test('a capture appears whole under its name when it ends, with times or as the bytes came', async () => {
  const { path: port } = await studio.boards.start('quectel');
  await studio.ask('bench.console.open', { port });
  const lines = follow(port);
  const [log, raw] = [join(folder, 'captures/a.log'), join(folder, 'captures/b.bin')];
  await studio.ask('bench.console.capture', { port, out: log, form: 'log' });
  await expect(
    studio.ask('bench.console.capture', { port, out: raw, form: 'raw' }),
  ).rejects.toMatchObject({ problem: { code: 'capture-running' } });
  await studio.ask('bench.console.send', { port, text: 'ATI', lineEnding: 'cr' });
  await lines.until('< OK');
  const files = await readdir(join(folder, 'captures'));
  expect(files).toEqual([expect.stringMatching(/^\.a\.log\..*\.tmp$/)]);
  const { sha256, sizeBytes } = await studio.ask('bench.console.endCapture', { port });
  const written = await readFile(log);
  expect(createHash('sha256').update(written).digest('hex')).toBe(sha256);
  expect(written.length).toBe(sizeBytes);
  expect(written.toString()).toMatch(
    /^\d{4}-\d\d-\d\dT[\d:.]+Z # Capturing to .*\n(.*\n)*.*Z > ATI\n(.*\n)*.*Z OK\n$/,
  );
  expect(await readdir(join(folder, 'captures'))).toEqual(['a.log']);

  await studio.ask('bench.console.capture', { port, out: raw, form: 'raw' });
  await studio.ask('bench.console.send', { port, text: 'AT+QGMR', lineEnding: 'cr' });
  await lines.until(/AT\+QGMR\n< EG800K(.*\n)+< OK/);
  await studio.ask('bench.console.close', { port });
  expect((await readFile(raw)).toString('latin1')).toMatch(
    /^AT\+QGMR\r\r\nEG800K.*\r\n\r\nOK\r\n$/,
  );
  await expect(studio.ask('bench.console.list', {})).resolves.toEqual([]);
});
