/** Time as the cloud sees it; a test brings its own and turns it. */
export interface CloudClock {
  /** Milliseconds since 1970; jumps when somebody sets the clock of the machine. */
  nowMs(): number;
  /** Milliseconds from any beginning; never jumps, and stands still while the machine sleeps. */
  elapsedMs(): number;
  /** Does work again and again; the answer ends that. */
  every(periodMs: number, work: () => void): () => void;
}

/** The clocks of this machine. */
export const machineClock: CloudClock = {
  nowMs: () => Date.now(),
  elapsedMs: () => performance.now(),
  every(periodMs, work) {
    const timer = setInterval(work, periodMs).unref();
    return () => clearInterval(timer);
  },
};
