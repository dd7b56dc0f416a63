import type Database from 'libsql';
import type { CloudClock } from '../clock.ts';
import type { CloudDatabase } from './database.ts';

/**
 * How long the cloud has served in all its runs, in milliseconds. Soaks and silences are measured by
 * it: while the cloud is down no device can be heard, and a jump of the machine's clock is no time.
 */
export class ServedTime {
  readonly #clock: CloudClock;
  readonly #beforeMs: number;
  readonly #startedMs: number;
  readonly #put: Database.Statement;

  constructor(db: CloudDatabase, clock: CloudClock) {
    const row = db.prepare('SELECT ms FROM served_time').get() as { ms: number } | undefined;
    this.#put = db.prepare('INSERT OR REPLACE INTO served_time (id, ms) VALUES (1, ?)');
    this.#clock = clock;
    this.#beforeMs = row?.ms ?? 0;
    this.#startedMs = clock.elapsedMs();
  }

  nowMs(): number {
    return Math.floor(this.#beforeMs + this.#clock.elapsedMs() - this.#startedMs);
  }

  /** A kill forgets what was served since the last time; call inside a write unit. */
  save(): void {
    this.#put.run(this.nowMs());
  }
}
