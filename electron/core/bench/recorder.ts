import { appendFile, mkdir, rm, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { SerialLink } from './serial-link.ts';

type Line =
  | { readonly dir: 'rx' | 'tx'; readonly bytes: Uint8Array }
  | { readonly dir: 'note'; readonly text: string };

/** Where the recording of a run that has not ended is kept. */
export const unfinishedPath = (recordingPath: string): string => `${recordingPath}.part`;

/** How often a recording that is kept meanwhile grows, and shows that its run is alive. */
export const keepEveryMs = 1000;
/** The most that one recording holds; the oldest bytes give way, notes stay. */
const mostBytes = 64 * 1024 * 1024;
/** The most of a boot log that is searched. */
const mostBootText = 1024 * 1024;

interface TimedLine {
  readonly atMs: number;
  readonly line: Line;
}

/** Records every byte of a line with its time, and writes the record at the end, also after a failure. */
export class Recorder {
  /** Kept as they came and put into words at the end: the line must not wait for its recording. */
  #lines: TimedLine[] = [];
  readonly #startedMs = performance.now();
  readonly #mostBytes: number;
  #heldBytes = 0;
  #droppedBytes = 0;
  #bootText = '';
  #timer: NodeJS.Timeout | undefined;
  /** How many lines, dropped ones included, are in the unfinished file. */
  #kept = 0;
  #droppedLines = 0;
  #keeping: Promise<void> = Promise.resolve();

  constructor(limitBytes = mostBytes) {
    this.#mostBytes = limitBytes;
  }

  /** Writes what was recorded to a file of its own about each second, so that a crash leaves it. */
  keepAt(path: string): void {
    const keep = (): void => {
      this.#keeping = this.#keeping
        .then(() => this.#keep(unfinishedPath(path)))
        .catch((error: unknown) => {
          clearInterval(this.#timer);
          this.note(`the recording could not be kept meanwhile: ${String(error)}`);
        });
    };
    this.#keeping = mkdir(dirname(path), { recursive: true }).then(() => undefined);
    keep();
    this.#timer = setInterval(keep, keepEveryMs);
    this.#timer.unref();
  }

  /** Wraps a link so that its traffic is recorded. */
  wrap(link: SerialLink): SerialLink {
    link.onData((bytes) => {
      this.#add({ dir: 'rx', bytes: new Uint8Array(bytes) });
      this.#bootText += Buffer.from(bytes).toString('latin1');
      if (this.#bootText.length > 2 * mostBootText)
        this.#bootText = this.#bootText.slice(-mostBootText);
    });
    return {
      write: (bytes) => {
        this.#add({ dir: 'tx', bytes: new Uint8Array(bytes) });
        return link.write(bytes);
      },
      onData: (listener) => link.onData(listener),
      onLost: (listener) => link.onLost(listener),
      isPresent: () => link.isPresent(),
      setLine: (options) => link.setLine(options),
      setSignals: (signals) => link.setSignals(signals),
      close: () => link.close(),
    };
  }

  note(text: string): void {
    this.#add({ dir: 'note', text });
  }

  /** Text received since the last call of {@link startBootLog}. */
  get bootLog(): string {
    return this.#bootText;
  }

  startBootLog(): void {
    this.#bootText = '';
  }

  /** Writes JSON Lines: `t` in milliseconds, `dir`, and `hex` or `text`. */
  async save(path: string): Promise<void> {
    clearInterval(this.#timer);
    await this.#keeping;
    const lines = this.#lines.map(textOf);
    if (this.#droppedBytes > 0)
      lines.unshift(
        textOf({
          atMs: 0,
          line: { dir: 'note', text: `the first ${this.#droppedBytes} bytes are left out` },
        }),
      );
    await writeFileAtomic(path, `${lines.join('\n')}\n`);
    await rm(unfinishedPath(path), { force: true });
  }

  async #keep(path: string): Promise<void> {
    const fresh = this.#lines.slice(Math.max(0, this.#kept - this.#droppedLines));
    this.#kept = this.#droppedLines + this.#lines.length;
    await appendFile(path, fresh.map((line) => `${textOf(line)}\n`).join(''));
    // Nothing new is a sign of life, too.
    if (fresh.length === 0) await utimes(path, new Date(), new Date());
  }

  #add(line: Line): void {
    this.#lines.push({ atMs: performance.now() - this.#startedMs, line });
    if (line.dir !== 'note') this.#heldBytes += line.bytes.length;
    if (this.#heldBytes > this.#mostBytes) this.#dropOldest();
  }

  /** Half of what is held goes at once, so that this is rare. */
  #dropOldest(): void {
    const before = this.#lines.length;
    const target = this.#mostBytes / 2;
    this.#lines = this.#lines.filter(({ line }) => {
      if (line.dir === 'note' || this.#heldBytes <= target) return true;
      this.#heldBytes -= line.bytes.length;
      this.#droppedBytes += line.bytes.length;
      return false;
    });
    this.#droppedLines += before - this.#lines.length;
  }
}

function textOf({ atMs, line }: TimedLine): string {
  const content =
    line.dir === 'note' ? { text: line.text } : { hex: Buffer.from(line.bytes).toString('hex') };
  return JSON.stringify({ t: Math.round(atMs * 1000) / 1000, dir: line.dir, ...content });
}
