import type Database from 'libsql';
import { type HoldReason, planHold, strategyOf } from '../../../shared/domain/plan-strategy.ts';
import type { PlanDraft, PlanStatus, RolloutDevice } from '../../../shared/domain/plan.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { PlanService } from './plan-service.ts';
import type { Readiness } from './readiness.ts';
import type { RolloutStore } from './rollout-store.ts';

/** Devices that a status names for each reason. */
const namedPerReason = 10;

type Held = NonNullable<PlanStatus['held']>;

interface Query {
  readonly count: Database.Statement;
  readonly first: Database.Statement;
}

/**
 * Which devices of a plan wait and why, for people. Counting costs as much as there are devices
 * that are held for a reason of their own, which the indices find, and not as many as the plan has.
 */
export class HeldDevices {
  readonly #plans: PlanService;
  readonly #rollout: RolloutStore;
  readonly #readiness: Readiness;
  readonly #clock: Clock;
  readonly #sql: Readonly<Record<HoldReason, Query>>;

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly plans: PlanService;
    readonly rollout: RolloutStore;
    readonly readiness: Readiness;
    readonly clock: Clock;
  }) {
    this.#plans = parts.plans;
    this.#rollout = parts.rollout;
    this.#readiness = parts.readiness;
    this.#clock = parts.clock;
    const query = (source: string, where: string): Query => ({
      count: parts.db.prepare(`SELECT count(*) AS count FROM ${source} AND ${where}`),
      first: parts.db.prepare(
        `SELECT device_id FROM ${source} AND ${where} ORDER BY device_id LIMIT ${namedPerReason}`,
      ),
    });
    const waiting = `plan_id = :plan AND state = 'notUpgraded'`;
    const all = `rollout WHERE ${waiting}`;
    // CROSS JOIN keeps SQLite from walking all devices of the plan instead of the few that an index names.
    const few = `devices CROSS JOIN rollout ON device_id = id WHERE ${waiting}`;
    const each = `rollout JOIN devices ON id = device_id WHERE ${waiting}`;
    const strong = 'coalesce(battery_percent, 100) >= :battery AND coalesce(rsrp_dbm, 0) >= :rsrp';
    this.#sql = {
      suspended: query(all, 'true'),
      ended: query(all, `consent IS NOT 'confirmed'`),
      notStarted: query(all, 'true'),
      outsidePushPeriod: query(all, 'true'),
      lowBattery: query(few, 'battery_percent < :battery'),
      weakSignal: query(few, 'rsrp_dbm < :rsrp AND coalesce(battery_percent, 100) >= :battery'),
      confirmation: query(
        each,
        `${strong} AND (consent IS NULL AND auto_confirm = 0 OR consent = 'appointed' AND window_to_ms <= :now)`,
      ),
      appointment: query(each, `${strong} AND consent = 'appointed' AND window_from_ms > :now`),
    };
  }

  /** By reason, with the first devices of each. */
  ofPlan({ planId, state }: Pick<PlanStatus, 'planId' | 'state'>): Held {
    const plan = this.#plans.draft(planId);
    const now = this.#clock.nowMs();
    const { minBatteryPercent: battery, minRsrpDbm: rsrp } = strategyOf(plan);
    const values = { plan: planId, battery, rsrp, now };
    return this.#reasons(plan, state, now).flatMap((reason) => {
      const { count } = this.#sql[reason].count.get(values) as { count: number };
      if (count === 0) return [];
      const rows = this.#sql[reason].first.all(values) as { device_id: string }[];
      const devices = rows.map(({ device_id: deviceId }) => ({
        deviceId,
        detail: this.#holdOf(planId, deviceId)?.detail ?? '',
      }));
      return [{ reason, count, devices }];
    });
  }

  /** The devices of a page, each with why it waits. */
  explain(planId: string, devices: readonly RolloutDevice[]): RolloutDevice[] {
    return devices.map((device) => {
      const held = this.#holdOf(planId, device.deviceId);
      return held ? { ...device, held } : device;
    });
  }

  /** What may hold devices of the plan now: one reason for all of them, or those of each. */
  #reasons(plan: PlanDraft, state: PlanStatus['state'], nowMs: number): readonly HoldReason[] {
    if (state === 'suspended') return ['suspended'];
    if (state === 'ended' || state === 'terminated') return ['ended'];
    const hold = planHold(plan, nowMs);
    if (hold) return [hold.reason];
    const strategy = ['lowBattery', 'weakSignal'] as const;
    return plan.mode === 'silent' ? strategy : [...strategy, 'confirmation', 'appointment'];
  }

  #holdOf(planId: string, deviceId: string) {
    const row = this.#rollout.rollout(planId, deviceId);
    return row && this.#readiness.hold(row);
  }
}
