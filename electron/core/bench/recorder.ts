import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { SerialLink } from './serial-link.ts';

type Line =
  | { readonly dir: 'rx' | 'tx'; readonly bytes: Uint8Array }
  | { readonly dir: 'note'; readonly text: string };

/** Records every byte of a line with its time, and writes the record at the end, also after a failure. */
export class Recorder {
  /** Kept as they came and put into words at the end: the line must not wait for its recording. */
  readonly #lines: { readonly atMs: number; readonly line: Line }[] = [];
  readonly #startedMs = performance.now();
  #bootText = '';

  /** Wraps a link so that its traffic is recorded. */
  wrap(link: SerialLink): SerialLink {
    link.onData((bytes) => {
      this.#add({ dir: 'rx', bytes: new Uint8Array(bytes) });
      this.#bootText += Buffer.from(bytes).toString('latin1');
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
    const lines = this.#lines.map(({ atMs, line }) => {
      const content =
        line.dir === 'note'
          ? { text: line.text }
          : { hex: Buffer.from(line.bytes).toString('hex') };
      return JSON.stringify({ t: Math.round(atMs * 1000) / 1000, dir: line.dir, ...content });
    });
    await writeFileAtomic(path, `${lines.join('\n')}\n`);
  }

  #add(line: Line): void {
    this.#lines.push({ atMs: performance.now() - this.#startedMs, line });
  }
}
