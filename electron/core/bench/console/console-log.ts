import type { Capture } from './capture.ts';
import { ConsoleRing } from './console-ring.ts';
import { lineText } from './console-text.ts';
import { LineSplitter, type SplitLine } from './line-splitter.ts';

/** Everything that went over a console's line, with what it told itself: into the ring and the capture. */
export class ConsoleLog {
  readonly ring = new ConsoleRing();
  /** The capture that runs; null when none does. */
  capture: Capture | null = null;
  readonly #splitter = new LineSplitter();
  readonly #waiting = new Set<() => void>();
  #version = 0;
  #receivedBytes = 0;
  #sentBytes = 0;

  received(bytes: Uint8Array): void {
    const atMs = Date.now();
    this.#receivedBytes += bytes.length;
    if (this.capture?.form === 'raw') this.capture.write(Uint8Array.from(bytes));
    for (const line of this.#splitter.push(bytes, atMs)) this.#keep('rx', line);
    this.changed();
  }

  sent(bytes: Uint8Array): void {
    this.#sentBytes += bytes.length;
    this.#keep('tx', { atMs: Date.now(), bytes });
    this.changed();
  }

  note(text: string): void {
    this.#keep('note', { atMs: Date.now(), bytes: Buffer.from(text) });
    this.changed();
  }

  /** Takes what has no line end yet as a line. */
  flush(): void {
    const line = this.#splitter.flush();
    if (line) this.#keep('rx', line);
    this.changed();
  }

  /** Forgets the kept lines; returns the number of the last one. */
  clear(): number {
    this.ring.clear();
    this.changed();
    return this.ring.lastN;
  }

  get tail(): SplitLine | null {
    return this.#splitter.tail;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  get sentBytes(): number {
    return this.#sentBytes;
  }

  /** Another number after every change. */
  get version(): number {
    return this.#version;
  }

  changed(): void {
    this.#version++;
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  /** Resolves with the next change, or after a time. */
  nextChange(mostMs: number): Promise<void> {
    return new Promise((done) => {
      const wake = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        done();
      };
      const timer = setTimeout(wake, mostMs);
      this.#waiting.add(wake);
    });
  }

  #keep(kind: 'rx' | 'tx' | 'note', { atMs, bytes }: SplitLine): void {
    this.ring.push(kind, atMs, bytes);
    if (this.capture?.form !== 'log') return;
    const direction = { rx: '', tx: '> ', note: '# ' }[kind];
    const time = new Date(atMs).toISOString();
    this.capture.write(Buffer.from(`${time} ${direction}${lineText(bytes)}\n`));
  }
}
