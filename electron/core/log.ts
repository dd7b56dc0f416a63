import { appendFileSync, mkdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LogEntry } from '../../shared/contract/contract.ts';
import { toProblem } from '../../shared/domain/problem.ts';

const secretKey = /token|secret|password|passphrase|authorization|private.?key/i;
const secretText = /\b(Bearer|TargetToken|GatewayToken)\s+\S+/gi;
const maxFileBytes = 5 * 1024 * 1024;
const keptEntries = 2000;

/** Replaces values under secret-looking keys and authorization headers in texts, at any depth. */
export function redact(value: unknown): unknown {
  if (typeof value === 'string') return value.replace(secretText, '$1 [redacted]');
  if (Array.isArray(value)) return value.map(redact);
  if (value && typeof value === 'object') {
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        secretKey.test(key) ? '[redacted]' : redact(inner),
      ]),
    );
  }
  return value;
}

/** Structured JSON Lines log with redaction: a ring for the window, a rotated file for support. */
export class Log {
  readonly #entries: LogEntry[] = [];
  readonly #file: string | null;
  readonly #onEntry: (entry: LogEntry) => void;
  #seq = 0;
  #isFailing = false;

  constructor(folder: string | null, onEntry: (entry: LogEntry) => void) {
    if (folder) mkdirSync(folder, { recursive: true });
    this.#file = folder && join(folder, 'slipway.log');
    this.#onEntry = onEntry;
  }

  write(
    level: LogEntry['level'],
    room: string,
    message: string,
    data?: Record<string, unknown>,
  ): void {
    const entry: LogEntry = {
      seq: ++this.#seq,
      at: new Date().toISOString(),
      level,
      room,
      message: redact(message) as string,
      ...(data ? { data: redact(data) as Record<string, unknown> } : {}),
    };
    this.#keep(entry);
    if (this.#file) this.#append(this.#file, entry);
  }

  #keep(entry: LogEntry): void {
    this.#entries.push(entry);
    if (this.#entries.length > keptEntries) this.#entries.shift();
    this.#onEntry(entry);
  }

  /** A full disk must not stop a release: the entry stays in the window's log, which says once why it is not in the file. */
  #append(file: string, entry: LogEntry): void {
    try {
      if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxFileBytes)
        renameSync(file, `${file}.1`);
      // A line that was cut by a full disk is ended first, so that it spoils no other one.
      appendFileSync(file, `${this.#isFailing ? '\n' : ''}${JSON.stringify(entry)}\n`);
      this.#isFailing = false;
    } catch (error) {
      if (this.#isFailing) return;
      this.#isFailing = true;
      const { title, detail } = toProblem(error);
      this.#keep({
        seq: ++this.#seq,
        at: entry.at,
        level: 'warn',
        room: 'app',
        message: `The log file is not written: ${title}, ${detail}`,
      });
    }
  }

  tail(afterSeq: number): LogEntry[] {
    return this.#entries.filter((entry) => entry.seq > afterSeq);
  }
}
