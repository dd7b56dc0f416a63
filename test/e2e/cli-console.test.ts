import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { entryPath } from '../../electron/worker/run-task.ts';
import { slipway } from '../support/command.ts';
import { makeSmallDisk } from '../support/small-disk.ts';

let folder: string;
let studio: Studio;
let boards = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-console-'));
  studio = await createStudio({ workspacePath: null });
});
afterAll(async () => {
  await studio?.close();
  await rm(folder, { recursive: true, force: true });
});

async function serve(kind: VirtualBoardKind): Promise<string> {
  const linkPath = join(folder, `board-${++boards}`);
  return (await studio.boards.start(kind, { linkPath })).path;
}

const talk = (port: string) => ['bench', 'console', '--port', port, '--line-ending', 'cr'];

/** A console of the command line that is being used. */
class Terminal {
  readonly #child: ChildProcess;
  stdout = '';
  stderr = '';

  constructor(args: readonly string[], wrapper: readonly string[] = []) {
    const [command = '', ...rest] = [...wrapper, process.execPath, entryPath('cli'), ...args];
    this.#child = spawn(command, rest, { stdio: 'pipe' });
    this.#child.stdout?.on('data', (text: Buffer) => (this.stdout += text.toString()));
    this.#child.stderr?.on('data', (text: Buffer) => (this.stderr += text.toString()));
  }

  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  async shows(text: string, where: 'stdout' | 'stderr' = 'stdout'): Promise<void> {
    await expect.poll(() => this[where], { timeout: 30_000 }).toContain(text);
  }

  async interrupt(): Promise<number | null> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGINT');
    return ((await closed) as [number | null])[0];
  }
}

test('a person talks to a module: lines go out, answers come back, Ctrl-C is the end', async () => {
  const port = await serve('quectel');
  const capture = join(folder, 'talk.log');
  const terminal = new Terminal([...talk(port), '--capture', capture]);
  await terminal.shows('115200 baud 8N1', 'stderr');
  terminal.type('ATI');
  await terminal.shows('Revision: EG800K');
  await terminal.shows('\nOK\n');
  expect(await terminal.interrupt()).toBe(0);
  expect(terminal.stdout).toMatch(/^ATI\nQuectel\n\nEG800K\n\nRevision: .*\n\nOK\n$/);
  const log = await readFile(capture, 'utf8');
  expect(log).toMatch(/Z > ATI\n(.*\n)*.*Z OK\n/);
  await terminal.shows(`Captured ${log.length} bytes`, 'stderr');
});

test('with --json each line is an object, and with --hex bytes are', async () => {
  const port = await serve('stm32');
  const terminal = new Terminal(['--json', 'bench', 'console', '--port', port, '--hex']);
  await terminal.shows('"kind":"note"');
  terminal.type('7 f');
  await terminal.shows('Character 1', 'stderr');
  terminal.type('7f 00 ff');
  await terminal.shows('"kind":"tx","text":"7f 00 ff"');
  await terminal.shows('"kind":"rx","text":"79 79 08 22 00 01 02 11 21 31 43 92 79"');
  expect(await terminal.interrupt()).toBe(0);
  const lines = terminal.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { n: number; at: string; kind: string; open?: true });
  // The acknowledgement and the answer to GET have no line end: they are told as far as they came.
  const ends = lines.filter((line) => !line.open).map(({ n }) => n);
  expect(ends).toEqual(ends.map((_, index) => index + 1));
  expect(lines.at(-1)).toMatchObject({ kind: 'rx', open: true, n: ends.length + 1 });
});

test('a filter leaves out what does not hold it', async () => {
  const port = await serve('quectel');
  const terminal = new Terminal([
    ...talk(port),
    '--filter',
    '^(Rev|OK)',
    '--regex',
    '--timestamps',
  ]);
  await terminal.shows('115200 baud', 'stderr');
  terminal.type('ATI');
  await terminal.shows('Z OK\n');
  expect(await terminal.interrupt()).toBe(0);
  expect(terminal.stdout).toMatch(/^\d{4}-.*Z Revision: .*\n\d{4}-.*Z OK\n$/);
});

test.each([
  [['--port', '/dev/no-such-port'], 3, 'port-not-found'],
  [['--port', 'PORT', '--filter', '(', '--regex'], 2, 'bad-pattern'],
  [['--port', 'PORT', '--baud', 'fast'], 2, 'bad-request'],
])('slipway bench console %j ends with %i, %s', async (args, exitCode, code) => {
  const port = await serve('stm32');
  const outcome = await slipway([
    'bench',
    'console',
    ...args.map((word) => (word === 'PORT' ? port : word)),
  ]);
  expect(outcome).toMatchObject({ exitCode, problem: { code } });
});

test('a reset sequence that is none is refused with its place, before the port is opened', async () => {
  const outcome = await slipway([
    'bench',
    'flash',
    'resources/sample/firmware/sensor-1.1.0.bin',
    '--port',
    '/dev/no-such-port',
    '--protocol',
    'stm32',
    '--reset-sequence',
    'dtr=1; wait 5 minutes',
  ]);
  expect(outcome).toMatchObject({
    exitCode: 2,
    problem: { code: 'bad-reset-sequence', detail: expect.stringContaining('Character 8') },
  });
});

test('a disk that is full ends the capture, told at once; the console goes on and keeps what was written', async () => {
  const disk = makeSmallDisk();
  try {
    disk.fill(16 * 1024);
    const port = await serve('quectel');
    const capture = join(disk.folder, 'long.bin');
    const terminal = new Terminal([...talk(port), '--capture', capture], disk.wrapper);
    await terminal.shows('Capturing to', 'stderr');
    // Each answer has some ninety bytes.
    for (let times = 0; times < 400; times++) terminal.type('ATI');
    await terminal.shows('The capture ended', 'stderr');
    terminal.type('AT+NONSENSE');
    await terminal.shows('ERROR');
    expect(await terminal.interrupt()).toBe(3);
    expect((await readFile(capture, 'latin1')).startsWith('ATI\r\r\nQuectel')).toBe(true);
    expect(await readdir(disk.folder)).not.toContainEqual(expect.stringMatching(/\.tmp$/));
  } finally {
    disk.remove();
  }
});
