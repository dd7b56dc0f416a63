import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { z } from 'zod';
import { problemSchema } from '../../../shared/domain/job.ts';
import { type Problem, ProblemError, problem } from '../../../shared/domain/problem.ts';
import { entryPath } from '../../worker/run-task.ts';

const endGraceMs = 8_000;
const terminateGraceMs = 2_000;
/** What Node says of its own experiments is no news for the user's log. */
const quiet = '--disable-warning=ExperimentalWarning';
const failureSchema = z.object({ error: problemSchema });

/** What is heard of a child process. */
export interface ChildListener {
  /** A JSON value that the child printed as one line on stdout. */
  readonly onMessage: (message: unknown) => void;
  /** A line of stderr that is not a problem. */
  readonly onLine: (line: string) => void;
  /** The child has ended and everything it printed was heard. */
  readonly onEnd: () => void;
}

/**
 * A process of the product beside this one, spoken to in JSON lines. It ends when its stdin
 * closes, so it never outlives this process, however this one ends.
 */
export class ChildEntry {
  readonly #name: 'cloud' | 'fleet';
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #ended: Promise<void>;
  #running = true;
  #failure: Problem | null = null;
  #lastLine = '';

  constructor(name: 'cloud' | 'fleet', args: readonly string[], listener: ChildListener) {
    this.#name = name;
    this.#child = spawn(process.execPath, [quiet, entryPath(name), ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: childEnv(name),
      // A Ctrl+C on the terminal is for this process; it ends the child itself when it is done.
      detached: process.platform !== 'win32',
      windowsHide: true,
    });
    this.#child.on('error', (error) => {
      this.#lastLine = error.message;
    });
    // A child that has just died: its end is heard below.
    this.#child.stdin.on('error', () => undefined);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const message = parseJson(line);
      if (message !== undefined) listener.onMessage(message);
      else listener.onLine(line);
    });
    createInterface({ input: this.#child.stderr }).on('line', (line) => {
      const failure = failureSchema.safeParse(parseJson(line));
      if (failure.success) this.#failure = failure.data.error;
      else {
        this.#lastLine = line.trim() || this.#lastLine;
        listener.onLine(line);
      }
    });
    this.#ended = new Promise((done) =>
      this.#child.once('close', () => {
        this.#running = false;
        listener.onEnd();
        done();
      }),
    );
  }

  get running(): boolean {
    return this.#running;
  }

  /** Why it ended: the problem that it told, else what is known. */
  get failure(): ProblemError {
    if (this.#failure) return new ProblemError(this.#failure);
    const { exitCode, signalCode } = this.#child;
    return problem(
      'process-ended',
      'A process of the product ended unexpectedly',
      `The ${this.#name} process ended with ${signalCode ?? `code ${exitCode}`}. ${this.#lastLine}`.trim(),
      'Start it again; if it ends again, look into the log.',
    );
  }

  /** Writes one JSON line to the child's stdin. */
  send(message: unknown): void {
    this.#child.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Passes a signal on, such as the one for a renewed certificate. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end by closing its stdin, and insists when it does not. */
  async end(): Promise<void> {
    this.#child.stdin.end();
    const terminate = setTimeout(() => this.#child.kill('SIGTERM'), endGraceMs);
    const kill = setTimeout(() => this.#child.kill('SIGKILL'), endGraceMs + terminateGraceMs);
    await this.#ended;
    clearTimeout(terminate);
    clearTimeout(kill);
  }
}

/** What the child inherits: no secret that it has no use for. */
function childEnv(name: 'cloud' | 'fleet'): NodeJS.ProcessEnv {
  const { SLIPWAY_TOKEN: _operator, ...env } = process.env;
  if (name === 'fleet') delete env.SLIPWAY_MQTT_PASSWORD;
  return { ...env, ELECTRON_RUN_AS_NODE: '1' };
}

function parseJson(line: string): unknown {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}
