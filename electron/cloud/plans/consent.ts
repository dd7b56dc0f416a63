import { appointmentFault } from '../../../shared/domain/plan-strategy.ts';
import type { PlanDraft, PlanState } from '../../../shared/domain/plan.ts';
import { type Problem, ProblemError } from '../../../shared/domain/problem.ts';
import { reportedVersion } from '../../../shared/domain/scope.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { SignalsReport, SignalStore } from '../store/device-signals.ts';
import type { DeviceStore } from '../store/devices.ts';
import type { AppointedWindow, ConsentStore } from './consent-store.ts';
import {
  badWindow,
  deviceState,
  notInPlan,
  planOver,
  silentPlan,
  sourceChanged,
} from './consent-problems.ts';
import type { DeviceLog } from './device-log.ts';
import type { PlanService } from './plan-service.ts';
import type { Readiness } from './readiness.ts';
import type { Job, ReportOutcome, RolloutEngine } from './rollout-engine.ts';
import type { RolloutRow, RolloutStore } from './rollout-store.ts';

/** What is done about one device of a plan by its user, or by an operator on the user's behalf. */
export type ConsentAct =
  | { readonly kind: 'confirm' }
  | ({ readonly kind: 'appoint' } & AppointedWindow)
  | { readonly kind: 'cancel'; readonly code?: string | undefined }
  | { readonly kind: 'retry' };

/** A manual plan as its user reads of it, before it is confirmed. */
export interface Invitation {
  readonly job: Job;
  readonly texts: Readonly<Record<string, string>>;
}

/** An act that was refused. */
export interface RefusedAct {
  readonly deviceId: string;
  readonly problem: Problem;
}

const cancelledCode = 'user-cancelled';
/** How the log of a device names what an operator did for its user. */
const actEvents = {
  confirm: 'confirmedBy',
  appoint: 'appointedBy',
  cancel: 'cancelledBy',
  retry: 'retriedBy',
} as const;
const isOpen = (state: PlanState): boolean =>
  state === 'activated' || state === 'upgrading' || state === 'suspended';

/** Manual plans: asking users, what they answer, and the retry of failed devices (quectel.md 1.5 and 1.8). */
export class ConsentService {
  readonly #db: CloudDatabase;
  readonly #plans: PlanService;
  readonly #devices: DeviceStore;
  readonly #signals: SignalStore;
  readonly #rollout: RolloutStore;
  readonly #store: ConsentStore;
  readonly #readiness: Readiness;
  readonly #engine: RolloutEngine;
  readonly #log: DeviceLog;
  readonly #clock: Clock;

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly plans: PlanService;
    readonly devices: DeviceStore;
    readonly signals: SignalStore;
    readonly rollout: RolloutStore;
    readonly store: ConsentStore;
    readonly readiness: Readiness;
    readonly engine: RolloutEngine;
    readonly log: DeviceLog;
    readonly clock: Clock;
  }) {
    this.#db = parts.db;
    this.#plans = parts.plans;
    this.#devices = parts.devices;
    this.#signals = parts.signals;
    this.#rollout = parts.rollout;
    this.#store = parts.store;
    this.#readiness = parts.readiness;
    this.#engine = parts.engine;
    this.#log = parts.log;
    this.#clock = parts.clock;
  }

  /** What the user of a device is to be asked now, or null; from here on the plan counts as received. */
  async invitation(deviceId: string): Promise<Invitation | null> {
    const asked = this.#readiness.toAsk(deviceId);
    if (asked === null) return null;
    const live = this.#rollout.liveAction(asked.plan_id, deviceId);
    if (live && this.#rollout.componentOf(live).state !== 'planNotReceived')
      return this.#invitation(asked.plan_id, this.#engine.jobOf(live));
    return this.#db.write(() => {
      const row = this.#readiness.toAsk(deviceId);
      const job = row && this.#engine.prepare(row.plan_id, deviceId);
      if (!row || !job) return null;
      this.#store.markReceived(row.plan_id, deviceId);
      return this.#invitation(row.plan_id, job);
    });
  }

  #invitation(planId: string, job: Job): Invitation {
    return { job, texts: this.#plans.draft(planId).upgradeTexts ?? {} };
  }

  /** Does the same for many devices, each for itself; gives those that were refused, with why. */
  async act(
    planId: string,
    deviceIds: readonly string[],
    act: ConsentAct,
    by: string,
  ): Promise<RefusedAct[]> {
    this.#plans.requirePlan(planId);
    const acts = deviceIds.map(async (deviceId): Promise<RefusedAct | null> => {
      try {
        await this.actOn(planId, deviceId, act, by);
        return null;
      } catch (error) {
        if (!(error instanceof ProblemError)) throw error;
        return { deviceId, problem: error.problem };
      }
    });
    return (await Promise.all(acts)).filter((refused) => refused !== null);
  }

  /**
   * Repeating an act changes nothing. `by` is the operator who does it for the user; null when the device says so.
   * @throws ProblemError `plan-missing`, `device-not-in-plan`, `plan-silent`, `plan-state`, `device-state`,
   *   `appointment-window`, `source-changed`
   */
  async actOn(planId: string, deviceId: string, act: ConsentAct, by: string | null): Promise<void> {
    await this.#db.write(() => {
      this.#plans.requirePlan(planId);
      const row = this.#rollout.rollout(planId, deviceId);
      if (!row) throw notInPlan(planId, deviceId);
      const plan = this.#plans.draft(planId);
      const isNew =
        act.kind === 'retry'
          ? this.#retry(plan, row, deviceId)
          : this.#answer(plan, row, deviceId, act);
      if (isNew && by !== null)
        this.#log.add(planId, deviceId, actEvents[act.kind], { detail: by });
    });
    this.#engine.announce(deviceId);
  }

  /** What a device says that its user answered to an invitation; `refused` is a window that does not fit the plan. */
  async answerJob(
    deviceId: string,
    actionId: number,
    act: ConsentAct,
  ): Promise<ReportOutcome | 'refused'> {
    const action = this.#rollout.action(actionId);
    if (action?.device_id !== deviceId) return 'unknown';
    try {
      await this.actOn(action.plan_id, deviceId, act, null);
      return 'accepted';
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return error.problem.code === 'appointment-window' ? 'refused' : 'gone';
    }
  }

  /** Takes what a device says about itself; unless it is asking anyway, it is told its job when that no longer holds it. */
  async reportSignals(
    deviceId: string,
    report: SignalsReport,
    { isAsking = false }: { readonly isAsking?: boolean } = {},
  ): Promise<void> {
    if (!this.#signals.isNews(deviceId, report)) return;
    await this.#db.write(() => this.#signals.merge(deviceId, report));
    if (!isAsking) this.#engine.announce(deviceId);
  }

  /** False when it changes nothing. */
  #answer(
    plan: PlanDraft,
    row: RolloutRow,
    deviceId: string,
    act: Exclude<ConsentAct, { kind: 'retry' }>,
  ): boolean {
    const planId = row.plan_id;
    if (plan.mode === 'silent') throw silentPlan(planId);
    if (act.kind === 'confirm' && row.consent === 'confirmed' && row.state !== 'failed')
      return false;
    if (act.kind === 'cancel' && row.state === 'failed') return false;
    if (!isOpen(row.plan_state)) throw planOver(planId, row.plan_state);
    if (row.state !== 'notUpgraded') throw deviceState(deviceId, row.state, act.kind);
    if (act.kind === 'confirm') this.#store.confirm(planId, deviceId);
    else if (act.kind === 'appoint') {
      const fault = appointmentFault(plan, act.fromMs, act.toMs, this.#clock.nowMs());
      if (fault !== null) throw badWindow(deviceId, fault);
      this.#store.appoint(planId, deviceId, act);
    } else {
      this.#store.failComponents(planId, deviceId);
      this.#engine.failNow(planId, deviceId, act.code ?? cancelledCode);
    }
    return true;
  }

  /** Silent: by the console, while the plan is upgrading. Manual: by the user (operType 5), who confirms by it. */
  #retry(plan: PlanDraft, row: RolloutRow, deviceId: string): boolean {
    const planId = row.plan_id;
    const isAllowed =
      plan.mode === 'silent' ? row.plan_state === 'upgrading' : isOpen(row.plan_state);
    if (!isAllowed) throw planOver(planId, row.plan_state);
    if (row.state !== 'failed') throw deviceState(deviceId, row.state, 'retry');
    const component = this.#rollout.nextComponent(planId, deviceId);
    const reports = this.#devices.reports(deviceId);
    const runs = component && reportedVersion({ reports }, component.component_id);
    if (plan.mode === 'silent' && component && runs !== component.from_version)
      throw sourceChanged(deviceId, component.from_version, runs);
    this.#store.reset(planId, deviceId);
    if (plan.mode === 'manual') this.#store.confirm(planId, deviceId);
    return true;
  }
}
