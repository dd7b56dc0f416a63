const firstBackoffMs = 500;
const longestBackoffMs = 10_000;

/** How long to wait after so many failures in a row: doubling, and spread so that a fleet does not return as one. */
export function backoffMs(failures: number): number {
  const full = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (failures - 1));
  return full * (0.5 + Math.random() / 2);
}

/** Sleeps of the whole fleet, which can all be dropped at once. */
export class Timers {
  readonly #pending = new Set<NodeJS.Timeout>();
  #closed = false;

  /** Resolves after `ms`; never, once closed: whoever sleeps then has nothing left to do. */
  sleep(ms: number): Promise<void> {
    return new Promise((done) => {
      if (this.#closed) return;
      const timer = setTimeout(() => {
        this.#pending.delete(timer);
        done();
      }, ms);
      this.#pending.add(timer);
    });
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#pending) clearTimeout(timer);
    this.#pending.clear();
  }
}
