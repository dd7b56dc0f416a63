import {
  type Hold,
  consentHold,
  planHold,
  strategyHold,
} from '../../../shared/domain/plan-strategy.ts';
import type { Clock } from '../clock.ts';
import type { PlanService } from './plan-service.ts';
import type { ActionRow, RolloutRow, RolloutStore } from './rollout-store.ts';

/**
 * Whether a device that waits may begin now, and why not: state and time of the plan, push period,
 * battery, signal strength, and the user's consent in a manual plan. Nothing of it is stored, so
 * it is as true after a restart or a change of the clock; who has begun is not asked again.
 */
export class Readiness {
  readonly #plans: PlanService;
  readonly #rollout: RolloutStore;
  readonly #clock: Clock;

  constructor(parts: {
    readonly plans: PlanService;
    readonly rollout: RolloutStore;
    readonly clock: Clock;
  }) {
    this.#plans = parts.plans;
    this.#rollout = parts.rollout;
    this.#clock = parts.clock;
  }

  /** The plan a device has to follow now: the one it is in the middle of, else the oldest that does not hold it. */
  due(deviceId: string): RolloutRow | null {
    const rows = this.#rollout.openRows(deviceId);
    return rows.find((row) => this.hold(row) === null) ?? null;
  }

  /** The oldest manual plan for which the device's user is to be asked now, or null. */
  toAsk(deviceId: string): RolloutRow | null {
    const rows = this.#rollout.openRows(deviceId);
    return rows.find((row) => this.hold(row)?.reason === 'confirmation') ?? null;
  }

  /** Whether a plan holds the device for what it last told about itself, so that newer values are wanted. */
  wantsSignals(deviceId: string): boolean {
    return this.#rollout.openRows(deviceId).some((row) => {
      const reason = this.hold(row)?.reason;
      return reason === 'lowBattery' || reason === 'weakSignal';
    });
  }

  /** Why the device does not begin the plan now; null when it may, or has begun. */
  hold(row: RolloutRow): Hold | null {
    if (row.state !== 'notUpgraded') return null;
    const plan = this.#plans.draft(row.plan_id);
    const signals = { batteryPercent: row.battery_percent, rsrpDbm: row.rsrp_dbm };
    return (
      stateHold(row) ??
      planHold(plan, this.#clock.nowMs()) ??
      strategyHold(plan, signals) ??
      this.#consentHold(row)
    );
  }

  /** Whether nobody has agreed yet to a job that only the consent of its user begins. */
  lacksConsent({ plan_id, device_id, begun }: ActionRow): boolean {
    if (begun || this.#plans.draft(plan_id).mode === 'silent') return false;
    const row = this.#rollout.rollout(plan_id, device_id);
    return row?.state === 'notUpgraded' && this.#consentHold(row) !== null;
  }

  #consentHold(row: RolloutRow): Hold | null {
    const plan = this.#plans.draft(row.plan_id);
    if (plan.mode === 'silent') return null;
    const { consent, window_from_ms: fromMs, window_to_ms: toMs } = row;
    if (consent === null && row.auto_confirm === 1) return null;
    return consentHold(plan, { given: consent, fromMs, toMs }, this.#clock.nowMs());
  }
}

/** A device that was confirmed is stopped neither by the end of its plan nor by its termination. */
function stateHold({ plan_state, consent }: RolloutRow): Hold | null {
  if (plan_state === 'suspended') return { reason: 'suspended', detail: 'the plan is suspended' };
  if ((plan_state === 'ended' || plan_state === 'terminated') && consent !== 'confirmed')
    return { reason: 'ended', detail: 'the plan ended before it began' };
  return null;
}
