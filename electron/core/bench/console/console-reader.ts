import type {
  ConsoleBatch,
  ConsoleLine,
  ConsoleReading,
} from '../../../../shared/domain/console.ts';
import { hexText } from '../../../../shared/domain/hex-bytes.ts';
import type { ConsoleLog } from './console-log.ts';
import type { KeptLine } from './console-ring.ts';
import { lineText, marker, textTest } from './console-text.ts';

/** One answer looks at lines for this long, so that nothing else waits for a slow pattern. */
const mostWorkMs = 12;
const linesBetweenLooks = 64;
const mostLines = 4000;
const mostBytes = 512 * 1024;

/** A batch without the state of the session. */
export type ConsoleAnswer = Omit<ConsoleBatch, 'state'>;

/** Turns kept lines into numbered batches, filtered and marked; a reader asks for the next when it is done with one. */
export class ConsoleReader {
  readonly #log: ConsoleLog;
  #batch = 0;

  constructor(log: ConsoleLog) {
    this.#log = log;
  }

  /** @throws ProblemError `bad-pattern` */
  async read(reading: ConsoleReading): Promise<ConsoleAnswer> {
    const { ring } = this.#log;
    const passes = reading.filter ? textTest(reading.filter) : () => true;
    const marks = marker(reading.highlights);
    if (ring.lastN <= reading.afterLine && this.#log.version === reading.version)
      await this.#log.nextChange(reading.waitMs);
    const startN = Math.max(reading.afterLine + 1, ring.firstN);
    const lines: ConsoleLine[] = [];
    const startedMs = performance.now();
    let bytes = 0;
    let n = startN;
    for (; n <= ring.lastN && lines.length < mostLines && bytes < mostBytes; n++) {
      if ((n - startN) % linesBetweenLooks === 0 && performance.now() - startedMs > mostWorkMs)
        break;
      const kept = ring.line(n);
      if (!kept) continue;
      const line = shown(kept, reading, passes);
      if (!line) continue;
      lines.push(reading.form === 'text' ? withMarks(line, marks) : line);
      bytes += kept.bytes.length;
    }
    const tail = this.#log.tail;
    const open = tail && shown({ n: ring.lastN + 1, kind: 'rx', ...tail }, reading, passes);
    return {
      batch: ++this.#batch,
      lines,
      readTo: n - 1,
      hasMore: n <= ring.lastN,
      missedLines: Math.max(0, ring.lastDroppedN - reading.afterLine),
      tail: open && n > ring.lastN ? withMarks(open, marks) : null,
      version: this.#log.version,
    };
  }
}

function shown(
  { n, atMs, kind, bytes }: KeptLine,
  { form }: ConsoleReading,
  passes: (text: string) => boolean,
): ConsoleLine | null {
  const text = lineText(bytes);
  // What the console itself tells is never filtered away: a lost port explains why nothing comes.
  if (kind !== 'note' && !passes(text)) return null;
  return { n, atMs, kind, text: form === 'hex' && kind !== 'note' ? hexText(bytes) : text };
}

function withMarks(line: ConsoleLine, marks: ReturnType<typeof marker>): ConsoleLine {
  if (line.kind === 'note') return line;
  const found = marks(line.text);
  return found.length > 0 ? { ...line, marks: found } : line;
}
