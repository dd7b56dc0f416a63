import type { Studio } from '../../electron/core/studio.ts';
import type { Input } from '../../shared/contract/contract.ts';
import type { ConsoleBatch, ConsoleLine } from '../../shared/domain/console.ts';

/** Reads a console from its first line on, as the window does: each batch is asked for after the one before. */
export class ConsoleFollower {
  readonly lines: ConsoleLine[] = [];
  readonly batches: ConsoleBatch[] = [];
  readonly #studio: Studio;
  readonly #reading: Input<'bench.console.read'>;

  constructor(studio: Studio, reading: Input<'bench.console.read'>) {
    this.#studio = studio;
    this.#reading = reading;
  }

  get last(): ConsoleBatch {
    const batch = this.batches.at(-1);
    if (!batch) throw new Error('nothing was read yet');
    return batch;
  }

  /** What was received, sent and told, a line each; the line without an end last. */
  get text(): string {
    const { tail } = this.last;
    return [...this.lines, ...(tail ? [tail] : [])]
      .map(({ kind, text }) => `${{ rx: '<', tx: '>', note: '#' }[kind]} ${text}`)
      .join('\n');
  }

  /** Reads until the text holds what is expected. */
  async until(expected: string | RegExp, limitMs = 20_000): Promise<string> {
    const deadlineMs = Date.now() + limitMs;
    for (;;) {
      await this.read(200);
      const { text } = this;
      if (typeof expected === 'string' ? text.includes(expected) : expected.test(text)) return text;
      if (Date.now() > deadlineMs) throw new Error(`${String(expected)} did not come:\n${text}`);
    }
  }

  async read(waitMs: number): Promise<ConsoleBatch> {
    const before = this.batches.at(-1);
    const batch = await this.#studio.ask('bench.console.read', {
      ...this.#reading,
      ...(before ? { afterLine: before.readTo, version: before.version } : {}),
      waitMs,
    });
    this.batches.push(batch);
    this.lines.push(...batch.lines);
    return batch;
  }
}
