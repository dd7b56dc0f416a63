import type { Clock } from '../../electron/cloud/clock.ts';

const workPeriodMs = 10;

/** Time that stands still until a test turns it; work that is due by time is looked for all along, and whenever the clock is set. */
export class TestClock implements Clock {
  readonly #isWorking: boolean;
  readonly #works = new Set<() => void>();
  #nowMs: number;
  #elapsedMs = 0;

  /** `isWorking`: whether repeated work is done all along. */
  constructor({
    at = '2026-03-01T08:00Z',
    isWorking = true,
  }: { at?: string; isWorking?: boolean } = {}) {
    this.#nowMs = Date.parse(at);
    this.#isWorking = isWorking;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  elapsedMs(): number {
    return this.#elapsedMs;
  }

  every(_periodMs: number, work: () => void): () => void {
    this.#works.add(work);
    const timer = this.#isWorking ? setInterval(work, workPeriodMs) : undefined;
    return () => {
      this.#works.delete(work);
      clearInterval(timer);
    };
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

  /** Somebody sets the clock of the machine to a time, and what is due by it is done. */
  set(at: string): void {
    this.#nowMs = Date.parse(at);
    for (const work of this.#works) work();
  }
}
