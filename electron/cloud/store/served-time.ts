import type Database from 'libsql';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from './database.ts';

/**
 * How long the cloud has served in all its runs, in milliseconds. Soaks and silences are measured by
 * it: while the cloud is down no device can be heard, and a jump of the machine's clock is no time.
 */
export class ServedTime {
  readonly #clock: Clock;
  readonly #beforeMs: number;
  readonly #startedMs: number;
  readonly #put: Database.Statement;
  /** Which run of the cloud on its folder this is, from 1. */
  readonly run: number;

  constructor(db: CloudDatabase, clock: Clock) {
    const start = db.prepare('UPDATE served_time SET runs = runs + 1 RETURNING ms, runs');
    const { ms, runs } = start.get() as { ms: number; runs: number };
    this.#put = db.prepare('UPDATE served_time SET ms = ?');
    this.#clock = clock;
    this.#beforeMs = ms;
    this.#startedMs = clock.elapsedMs();
    this.run = runs;
  }

  nowMs(): number {
    return Math.floor(this.#beforeMs + this.#clock.elapsedMs() - this.#startedMs);
  }

  /** A kill forgets what was served since the last time; call inside a write unit. */
  save(): void {
    this.#put.run(this.nowMs());
  }
}
