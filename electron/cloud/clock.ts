/** The time that plans follow; the only seam by which the cloud learns what time it is for them. */
export interface Clock {
  /** Milliseconds since 1970. */
  nowMs(): number;
  /** Milliseconds from any beginning; never jumps, and stands still while the machine sleeps. */
  elapsedMs(): number;
  /** Calls back again and again, about this often; gives what ends it. */
  every(periodMs: number, run: () => void): () => void;
}

/** A correction this small is not a jump. */
const toleratedMs = 5_000;
/** How long the wall clock has to stay where it jumped to before plans believe it. */
const settleMs = 120_000;

/**
 * The wall clock without its mistakes: a jump counts only once it has lasted two minutes, so that a
 * clock that is wrong for a moment neither starts nor ends a plan, which could not be undone.
 */
export class SteadyTime {
  readonly #wallMs: () => number;
  readonly #monotonicMs: () => number;
  #offsetMs: number;
  #jump: { readonly offsetMs: number; readonly sinceMs: number } | null = null;

  constructor(wallMs: () => number, monotonicMs: () => number) {
    this.#wallMs = wallMs;
    this.#monotonicMs = monotonicMs;
    this.#offsetMs = wallMs() - monotonicMs();
  }

  nowMs(): number {
    const monotonicMs = this.#monotonicMs();
    const offsetMs = this.#wallMs() - monotonicMs;
    if (Math.abs(offsetMs - this.#offsetMs) <= toleratedMs) {
      this.#offsetMs = offsetMs;
      this.#jump = null;
    } else if (this.#jump === null || Math.abs(offsetMs - this.#jump.offsetMs) > toleratedMs) {
      this.#jump = { offsetMs, sinceMs: monotonicMs };
    } else if (monotonicMs - this.#jump.sinceMs >= settleMs) {
      this.#offsetMs = offsetMs;
      this.#jump = null;
    }
    return Math.floor(this.#offsetMs + monotonicMs);
  }
}

/** The clock of this machine, by {@link SteadyTime}. */
export function systemClock(): Clock {
  const time = new SteadyTime(Date.now, () => performance.now());
  return {
    nowMs: () => time.nowMs(),
    elapsedMs: () => performance.now(),
    every: (periodMs, run) => {
      const timer = setInterval(run, periodMs).unref();
      return () => clearInterval(timer);
    },
  };
}
