import type { Clock } from '../../electron/cloud/clock.ts';

/** A clock that stands still until the test sets it. */
export class HandClock implements Clock {
  #nowMs: number;
  readonly #runs = new Set<() => void>();

  constructor(at: string) {
    this.#nowMs = Date.parse(at);
  }

  nowMs(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return performance.now();
  }

  every(_periodMs: number, run: () => void): () => void {
    this.#runs.add(run);
    return () => void this.#runs.delete(run);
  }

  /** Sets it, forwards or back. */
  set(at: string): void {
    this.#nowMs = Date.parse(at);
    for (const run of this.#runs) run();
  }
}
