import { consoleRingBytes, consoleRingLines } from '../../../../shared/domain/console-names.ts';

/** One line as it is kept: its bytes as they came, its end included. */
export interface KeptLine {
  readonly n: number;
  readonly atMs: number;
  readonly kind: 'rx' | 'tx' | 'note';
  readonly bytes: Uint8Array;
}

/** The newest lines of a console, bounded in bytes and lines; counts what newer lines pushed out. */
export class ConsoleRing {
  readonly capacityBytes: number;
  readonly #mostLines: number;
  #lines: KeptLine[] = [];
  /** Lines before this index are dropped and wait for the array to be cut. */
  #head = 0;
  #firstN = 1;
  #bytes = 0;
  #droppedBytes = 0;
  #droppedLines = 0;
  #lastDroppedN = 0;

  constructor(capacityBytes = consoleRingBytes, mostLines = consoleRingLines) {
    this.capacityBytes = capacityBytes;
    this.#mostLines = mostLines;
  }

  push(kind: KeptLine['kind'], atMs: number, bytes: Uint8Array): void {
    this.#lines.push({ n: this.lastN + 1, atMs, kind, bytes });
    this.#bytes += bytes.length;
    while (this.#bytes > this.capacityBytes || this.lineCount > this.#mostLines) this.#drop();
    if (this.#head > 4096 && this.#head * 2 > this.#lines.length) this.#cut();
  }

  /** Forgets every line on purpose; their numbers go on, and they do not count as dropped. */
  clear(): void {
    this.#firstN = this.lastN + 1;
    this.#lines = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  /** The line of this number, unless it was dropped or is yet to come. */
  line(n: number): KeptLine | undefined {
    return n < this.#firstN ? undefined : this.#lines[this.#head + n - this.#firstN];
  }

  get firstN(): number {
    return this.#firstN;
  }

  get lastN(): number {
    return this.#firstN + this.lineCount - 1;
  }

  get lineCount(): number {
    return this.#lines.length - this.#head;
  }

  get sizeBytes(): number {
    return this.#bytes;
  }

  get droppedBytes(): number {
    return this.#droppedBytes;
  }

  get droppedLines(): number {
    return this.#droppedLines;
  }

  /** The last line that newer ones pushed out; 0 when none was. */
  get lastDroppedN(): number {
    return this.#lastDroppedN;
  }

  #drop(): void {
    const sizeBytes = this.#lines[this.#head]?.bytes.length ?? 0;
    this.#bytes -= sizeBytes;
    this.#droppedBytes += sizeBytes;
    this.#droppedLines++;
    this.#lastDroppedN = this.#firstN;
    this.#head++;
    this.#firstN++;
  }

  #cut(): void {
    this.#lines = this.#lines.slice(this.#head);
    this.#head = 0;
  }
}
