import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { SerialLink } from './serial-link.ts';

/** Records every byte of a line with its time, and writes the record at the end, also after a failure. */
export class Recorder {
  readonly #lines: string[] = [];
  readonly #startedMs = performance.now();
  #bootText = '';

  /** Wraps a link so that its traffic is recorded. */
  wrap(link: SerialLink): SerialLink {
    link.onData((bytes) => {
      this.#add('rx', { hex: Buffer.from(bytes).toString('hex') });
      this.#bootText += Buffer.from(bytes).toString('latin1');
    });
    return {
      write: (bytes) => {
        this.#add('tx', { hex: Buffer.from(bytes).toString('hex') });
        return link.write(bytes);
      },
      onData: (listener) => link.onData(listener),
      onLost: (listener) => link.onLost(listener),
      setParity: (parity) => link.setParity(parity),
      close: () => link.close(),
    };
  }

  note(text: string): void {
    this.#add('note', { text });
  }

  /** Text received since the last call of {@link startBootLog}. */
  get bootLog(): string {
    return this.#bootText;
  }

  startBootLog(): void {
    this.#bootText = '';
  }

  async save(path: string): Promise<void> {
    await writeFileAtomic(path, `${this.#lines.join('\n')}\n`);
  }

  #add(dir: string, content: object): void {
    this.#lines.push(
      JSON.stringify({
        t: Math.round((performance.now() - this.#startedMs) * 1000) / 1000,
        dir,
        ...content,
      }),
    );
  }
}
