import { keepNewest } from '../../../shared/domain/newest.ts';

const windowMs = 60_000;
const maxRemembered = 10_000;

/** Counts the keys that were wrong from each network address, so that one machine cannot keep the server at work. */
export class FailedAddresses {
  readonly #most: number;
  readonly #failures = new Map<string, { readonly sinceMs: number; count: number }>();

  /** @param most how many an address may fail within a minute */
  constructor(most: number) {
    this.#most = most;
  }

  note(address: string, nowMs: number): void {
    const known = this.#failures.get(address);
    if (known && nowMs - known.sinceMs < windowMs) known.count++;
    else keepNewest(this.#failures, address, { sinceMs: nowMs, count: 1 }, maxRemembered);
  }

  /** Whether it has failed as often as it may, and has to wait. */
  isSpent(address: string, nowMs: number): boolean {
    const known = this.#failures.get(address);
    return known !== undefined && known.count >= this.#most && nowMs - known.sinceMs < windowMs;
  }
}
