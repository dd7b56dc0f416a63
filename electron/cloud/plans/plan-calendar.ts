import { planHold } from '../../../shared/domain/plan-strategy.ts';
import { verificationTimeout } from '../../../shared/domain/verification.ts';
import { planTimes } from '../../../shared/domain/plan-schedule.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { ConsentStore } from './consent-store.ts';
import type { PlanService } from './plan-service.ts';
import type { RolloutEngine } from './rollout-engine.ts';

const tickPeriodMs = 1000;
/** How often jobs that last too long are looked for. */
const overduePeriodMs = 60_000;
/** Error of an LwM2M device whose job lasted 48 hours. */
const overdueCode = 'job-over-48-hours';

/**
 * What time does to plans: their start and end, the push period that opens, appointed windows, and
 * the jobs of LwM2M devices that last too long. It looks at the clock anew each time and keeps
 * nothing, so neither a restart nor a clock that is set makes it miss or repeat anything.
 */
export class PlanCalendar {
  readonly #db: CloudDatabase;
  readonly #plans: PlanService;
  readonly #consents: ConsentStore;
  readonly #engine: RolloutEngine;
  readonly #clock: Clock;
  /** Plans that pushed when they were last looked at. */
  #pushing = new Set<string>();
  #lastMs: number;
  #overdueMs = 0;
  #stop: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly plans: PlanService;
    readonly consents: ConsentStore;
    readonly engine: RolloutEngine;
    readonly clock: Clock;
  }) {
    this.#db = parts.db;
    this.#plans = parts.plans;
    this.#consents = parts.consents;
    this.#engine = parts.engine;
    this.#clock = parts.clock;
    this.#lastMs = parts.clock.nowMs();
  }

  /** Resolves once what fell due while the cloud was away is done. */
  async start(): Promise<void> {
    await this.#look();
    this.#stop = this.#clock.every(tickPeriodMs, () => {
      this.#work = this.#work
        .then(() => this.#look())
        .catch((error: unknown) => {
          process.stderr.write(`plans were not looked at: ${String(error)}\n`);
        });
    });
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#work;
  }

  async #look(): Promise<void> {
    const nowMs = this.#clock.nowMs();
    await this.#endPlans(nowMs);
    if (Math.abs(nowMs - this.#overdueMs) >= overduePeriodMs) await this.#endOverdue(nowMs);
    const pushing = this.#plans
      .openPlans()
      .filter((planId) => planHold(this.#plans.draft(planId), nowMs) === null);
    for (const planId of pushing) if (!this.#pushing.has(planId)) this.#plans.onChanged(planId);
    this.#pushing = new Set(pushing);
    for (const deviceId of this.#consents.opened(this.#lastMs, nowMs))
      this.#engine.announce(deviceId);
    this.#lastMs = nowMs;
  }

  async #endPlans(nowMs: number): Promise<void> {
    for (const planId of this.#plans.openPlans()) {
      const { endMs } = planTimes(this.#plans.draft(planId));
      if (endMs !== null && endMs <= nowMs)
        await this.#db.write(() => {
          this.#failVerification(planId);
          this.#plans.endByTime(planId);
        });
    }
  }

  /** What was not proven in time has failed, however far its device is. */
  #failVerification(planId: string): void {
    const { kind, whitelist } = this.#plans.draft(planId);
    const [deviceId] = whitelist;
    if (kind === 'verification' && deviceId !== undefined)
      this.#engine.failNow(planId, deviceId, verificationTimeout);
  }

  async #endOverdue(nowMs: number): Promise<void> {
    this.#overdueMs = nowMs;
    for (const { planId, deviceId } of this.#consents.overdue(nowMs))
      await this.#db.write(() => this.#engine.failNow(planId, deviceId, overdueCode));
  }
}
