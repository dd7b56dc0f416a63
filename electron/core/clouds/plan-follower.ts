import { setTimeout as sleep } from 'node:timers/promises';
import { createParser } from 'eventsource-parser';
import { type PlanChange, planChangeSchema } from '../../../shared/domain/plan.ts';
import type { LocalCloud } from './local-cloud.ts';

const firstRetryMs = 500;
const longestRetryMs = 10_000;
/** The cloud is heard at least every 15 s. */
const silenceMs = 40_000;

/**
 * Follows how one plan goes in a cloud, and goes on by itself when the connection or the cloud was
 * away: each connection begins with the state as it is, so nothing that was missed matters.
 */
export class PlanFollower {
  readonly #connect: () => Promise<LocalCloud | null>;
  readonly #onChange: (planId: string, change: PlanChange) => void;
  #following: { readonly planId: string; readonly stop: AbortController } | null = null;

  /** `connect` gives the cloud that runs, or null while none does. */
  constructor(
    connect: () => Promise<LocalCloud | null>,
    onChange: (planId: string, change: PlanChange) => void,
  ) {
    this.#connect = connect;
    this.#onChange = onChange;
  }

  /** Follows this plan instead of the one before; null follows none. */
  follow(planId: string | null): void {
    if (this.#following?.planId === planId) return;
    this.#following?.stop.abort();
    this.#following = null;
    if (planId === null) return;
    const stop = new AbortController();
    this.#following = { planId, stop };
    void this.#goOn(planId, stop.signal);
  }

  async #goOn(planId: string, signal: AbortSignal): Promise<void> {
    for (let retryMs = firstRetryMs; !signal.aborted; ) {
      const heard = await this.#listen(planId, signal);
      retryMs = heard ? firstRetryMs : Math.min(2 * retryMs, longestRetryMs);
      // Rejected when it is told to stop, which ends the loop.
      await sleep(retryMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Whether anything was heard before the connection ended; how it ended does not matter, as the window asks for the state too. */
  async #listen(planId: string, signal: AbortSignal): Promise<boolean> {
    let heard = false;
    const lost = new AbortController();
    const parser = createParser({
      onEvent: ({ data }) => {
        const change = planChangeSchema.safeParse(JSON.parse(data));
        if (!change.success || signal.aborted) return;
        heard = true;
        this.#onChange(planId, change.data);
      },
    });
    let silence = setTimeout(() => lost.abort(), silenceMs);
    try {
      const cloud = await this.#connect();
      const stream = await cloud?.events(planId, AbortSignal.any([signal, lost.signal]));
      for await (const chunk of stream ?? []) {
        clearTimeout(silence);
        silence = setTimeout(() => lost.abort(), silenceMs);
        parser.feed(String(chunk));
      }
    } catch {
      // The cloud is away, or the plan is none of its: it is asked again, and calls tell why.
    } finally {
      clearTimeout(silence);
    }
    return heard;
  }
}
