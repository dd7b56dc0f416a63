import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { type Command, Option } from 'commander';
import type { ConsoleBatch, ConsoleLine } from '../../shared/domain/console.ts';
import {
  type LineEnding,
  lineEndings,
  type Parity,
  parities,
} from '../../shared/domain/console-names.ts';
import { toProblem } from '../../shared/domain/problem.ts';
import type { Studio } from '../core/studio.ts';
import { printNote, printProblem } from './output.ts';
import { type Session, withSession } from './session.ts';

const waitMs = 500;

interface ConsoleOptions {
  readonly port: string;
  readonly baud: string;
  readonly parity: Parity;
  readonly capture?: string;
  readonly filter?: string;
  readonly regex?: boolean;
  readonly hex?: boolean;
  readonly timestamps?: boolean;
  readonly lineEnding: LineEnding;
}

/** `slipway bench console` */
export function consoleCommand(bench: Command): void {
  bench
    .command('console')
    .description('show what a board says and send it the lines of stdin, until Ctrl-C')
    .requiredOption('--port <path>', 'serial port')
    .option('--baud <rate>', 'speed of the line', '115200')
    .addOption(
      new Option('--parity <parity>', 'parity of the line').choices(parities).default('none'),
    )
    .option(
      '--capture <file>',
      'write everything to a file: lines with times when it ends in .log, else bytes as they come',
    )
    .option('--filter <text>', 'show only lines that hold this text')
    .option('--regex', 'the filter is a regular expression (RE2)')
    .option('--hex', 'lines to send, and what is shown, are bytes in hexadecimal')
    .option('--timestamps', 'begin each line with its time')
    .addOption(
      new Option('--line-ending <ending>', 'what ends a line that is sent')
        .choices(Object.keys(lineEndings))
        .default('lf'),
    )
    .action((options: ConsoleOptions, command: Command) =>
      withSession(command, (session) => runConsole(session, options)),
    );
}

async function runConsole(
  { studio, json, signal }: Session,
  options: ConsoleOptions,
): Promise<number> {
  const { port, capture } = options;
  const baudRate = Number(options.baud);
  await studio.ask('bench.console.open', { port, baudRate, parity: options.parity });
  if (capture !== undefined) {
    const form = extname(capture) === '.log' ? 'log' : 'raw';
    await studio.ask('bench.console.capture', { port, out: capture, form });
  }
  const stopSending = sendLines(studio, json, options);
  try {
    await show(studio, options, new Printer(json, options.timestamps ?? false), signal);
  } finally {
    stopSending();
  }
  if (capture !== undefined) {
    const { sizeBytes, path, sha256 } = await studio.ask('bench.console.endCapture', { port });
    printNote(json, `Captured ${sizeBytes} bytes to ${path}, SHA-256 ${sha256}`);
  }
  await studio.ask('bench.console.close', { port });
  return 0;
}

/** Sends the lines of stdin, one after the other; what cannot be sent is told, and the console goes on. */
function sendLines(studio: Studio, json: boolean, options: ConsoleOptions): () => void {
  const { port, hex, lineEnding } = options;
  const lines = createInterface({ input: process.stdin });
  let last: Promise<void> = Promise.resolve();
  lines.on('line', (line) => {
    const what = hex ? { hex: line } : { text: line, lineEnding };
    last = last
      .then(async () => void (await studio.ask('bench.console.send', { port, ...what })))
      .catch((error: unknown) => void printProblem(json, toProblem(error)));
  });
  return () => {
    lines.close();
    process.stdin.destroy();
  };
}

async function show(
  studio: Studio,
  { port, filter, regex, hex }: ConsoleOptions,
  printer: Printer,
  signal: AbortSignal,
): Promise<void> {
  const reading = {
    port,
    ...(filter ? { filter: { text: filter, isRegex: regex ?? false } } : {}),
    ...(hex ? { form: 'hex' as const } : {}),
  };
  const stopped = new Promise<null>((done) =>
    signal.addEventListener('abort', () => done(null), { once: true }),
  );
  const read = (after: ConsoleBatch | null, mostMs: number): Promise<ConsoleBatch> =>
    studio.ask('bench.console.read', {
      ...reading,
      ...(after ? { afterLine: after.readTo, version: after.version, waitMs: mostMs } : {}),
    });
  let batch = await read(null, 0);
  await printer.print(batch);
  while (!signal.aborted) {
    const next = await Promise.race([read(batch, waitMs), stopped]);
    if (!next) break;
    batch = next;
    await printer.print(batch);
  }
  // What had come before the end is shown too.
  const { lines, droppedLines } = batch.state.ring;
  const lastN = droppedLines + lines;
  do {
    batch = await read(batch, 0);
    await printer.print(batch);
  } while (batch.hasMore && batch.readTo < lastN);
  printer.end();
}

/** Writes lines to stdout and notes to stderr, and waits for whoever reads them. */
class Printer {
  readonly #json: boolean;
  readonly #hasTimes: boolean;
  /** The line without an end as far as it is on the screen. */
  #shown = '';
  #tail: ConsoleLine | null = null;

  constructor(json: boolean, hasTimes: boolean) {
    this.#json = json;
    this.#hasTimes = hasTimes;
  }

  async print({ lines, tail, missedLines }: ConsoleBatch): Promise<void> {
    if (missedLines > 0)
      printNote(this.#json, `${missedLines} lines came faster than they were read`);
    let text = '';
    for (const line of lines) text += this.#textOf(line);
    // A prompt has no line end, and is waited for.
    if (tail && tail.text !== this.#tail?.text)
      text += this.#json ? ndjson(tail, true) : this.#more(tail);
    this.#tail = tail;
    if (text !== '' && !process.stdout.write(text))
      await new Promise<void>((done) => process.stdout.once('drain', done));
  }

  end(): void {
    if (this.#tail && !this.#json) process.stdout.write('\n');
  }

  #textOf(line: ConsoleLine): string {
    if (this.#json) return ndjson(line);
    if (line.kind === 'rx') {
      const text = `${this.#more(line)}\n`;
      this.#shown = '';
      return text;
    }
    if (line.kind === 'note') printNote(false, line.text);
    // What was typed is on the screen already.
    return '';
  }

  /** What of a line is not on the screen yet. */
  #more(line: ConsoleLine): string {
    const time = this.#hasTimes ? `${new Date(line.atMs).toISOString()} ` : '';
    const whole = time + line.text;
    const rest = whole.startsWith(this.#shown) ? whole.slice(this.#shown.length) : `\n${whole}`;
    this.#shown = whole;
    return rest;
  }
}

/** A line for scripts; one that has no end yet is told again, whole, under the same number. */
const ndjson = ({ n, atMs, kind, text }: ConsoleLine, isOpen = false): string =>
  `${JSON.stringify({ n, at: new Date(atMs).toISOString(), kind, text, ...(isOpen ? { open: true } : {}) })}\n`;
