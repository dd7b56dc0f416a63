import type { Clock } from '../../electron/cloud/clock.ts';

const workPeriodMs = 10;

/** Time that stands still until a test turns it; work that is due by time is looked for all along. */
export class TestClock implements Clock {
  readonly #isWorking: boolean;
  #nowMs = Date.parse('2026-03-01T08:00:00.000Z');
  #elapsedMs = 0;

  /** @param isWorking whether repeated work is done; without it the test does that itself */
  constructor(isWorking = true) {
    this.#isWorking = isWorking;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  every(_periodMs: number, work: () => void): () => void {
    if (!this.#isWorking) return () => undefined;
    const timer = setInterval(work, workPeriodMs);
    return () => clearInterval(timer);
  }

  /** Lets minutes go by. */
  turn(minutes: number): void {
    this.#nowMs += minutes * 60_000;
    this.#elapsedMs += minutes * 60_000;
  }

  /** Somebody sets the clock of the machine. */
  jump(minutes: number): void {
    this.#nowMs += minutes * 60_000;
  }
}
