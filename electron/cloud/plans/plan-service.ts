import type Database from 'libsql';
import { canonicalJson } from '../../../shared/domain/canonical-json.ts';
import type { Decision } from '../../../shared/domain/cloud.ts';
import {
  type Device,
  type Plan,
  type PlanChange,
  type PlanDraft,
  type PlanState,
  type PlanStatus,
  type ScopeDecision,
  type ScopeSummary,
  planDraftSchema,
} from '../../../shared/domain/plan.ts';
import {
  type ScopePolicy,
  choosePackage,
  decideScope,
  reportedVersion,
  summarizeScope,
} from '../../../shared/domain/scope.ts';
import type { CloudDatabase } from '../store/database.ts';
import { type DeviceStore, productMissing } from '../store/devices.ts';
import type { PackageStore } from '../store/packages.ts';
import type { Clock } from '../clock.ts';
import type { DeviceLog } from './device-log.ts';
import type { PlanHistory } from './history.ts';
import type { PlanDrafts } from './plan-drafts.ts';
import { checkPackages, checkPlan } from './plan-checks.ts';
import {
  type PlanControl,
  checkSize,
  planExists,
  planMissing,
  wrongState,
} from './plan-problems.ts';
import { PlanStatistics } from './plan-statistics.ts';
import { checkVerification } from './verification.ts';
import type { RolloutGuard } from './rollout-guard.ts';
import { endsWithPlan } from './rollout-store.ts';

interface PlanRow {
  readonly id: string;
  readonly state: PlanState;
  readonly body: string;
  readonly skipped: string;
}

/** Plans as the operator sees them: publish, suspend, resume, terminate, status (states of the Quectel console). */
export class PlanService {
  readonly #db: CloudDatabase;
  readonly #devices: DeviceStore;
  readonly #packages: PackageStore;
  readonly #history: PlanHistory;
  readonly #drafts: PlanDrafts;
  readonly #guard: RolloutGuard;
  readonly #log: DeviceLog;
  readonly #statistics: PlanStatistics;
  readonly #clock: Clock;
  readonly #sql: Record<
    | 'one'
    | 'insert'
    | 'setState'
    | 'insertRollout'
    | 'insertComponent'
    | 'errors'
    | 'begun'
    | 'failComponents'
    | 'cancelActions'
    | 'failWaiting'
    | 'failed'
    | 'open'
    | 'unfinished',
    Database.Statement
  >;
  /** Called after a plan was published or controlled: other devices of it may have a job now. */
  onChanged: (planId: string) => void = () => undefined;

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly devices: DeviceStore;
    readonly packages: PackageStore;
    readonly history: PlanHistory;
    readonly drafts: PlanDrafts;
    readonly guard: RolloutGuard;
    readonly log: DeviceLog;
    readonly clock: Clock;
  }) {
    const { db } = parts;
    this.#db = db;
    this.#devices = parts.devices;
    this.#packages = parts.packages;
    this.#history = parts.history;
    this.#drafts = parts.drafts;
    this.#guard = parts.guard;
    this.#log = parts.log;
    this.#clock = parts.clock;
    this.#statistics = new PlanStatistics(db);
    const waiting = `SELECT device_id FROM rollout WHERE plan_id = ? AND ${endsWithPlan}`;
    this.#sql = {
      one: db.prepare('SELECT id, state, body, skipped FROM plans WHERE id = ?'),
      insert: db.prepare(
        `INSERT INTO plans (id, seq, product_id, state, body, skipped, published_at)
         VALUES (?, (SELECT coalesce(max(seq), 0) + 1 FROM plans), ?, 'activated', ?, ?, ?)`,
      ),
      setState: db.prepare('UPDATE plans SET state = ? WHERE id = ?'),
      insertRollout: db.prepare(
        'INSERT INTO rollout (plan_id, device_id, state, updated_at, stage) VALUES (?, ?, ?, ?, ?)',
      ),
      insertComponent: db.prepare(
        `INSERT INTO rollout_components (plan_id, device_id, ordinal, component_id, state, from_version,
           to_version, package_type) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      errors: db.prepare(
        `SELECT coalesce(error, 'unknown') AS code, count(*) AS count FROM rollout
         WHERE plan_id = ? AND state = 'failed' GROUP BY code ORDER BY count DESC, code`,
      ),
      begun: db.prepare(
        `SELECT 1 FROM rollout WHERE plan_id = ? AND state IN ('upgrading', 'upgraded', 'failed') LIMIT 1`,
      ),
      failComponents: db.prepare(
        `UPDATE rollout_components SET state = 'upgradeFailed'
         WHERE plan_id = ? AND state <> 'noUpdateRequired' AND device_id IN (${waiting})`,
      ),
      cancelActions: db.prepare(
        `UPDATE actions SET state = 'cancelled', closed_at = ?
         WHERE plan_id = ? AND state IN ('open', 'awaitingVersion') AND device_id IN (${waiting})`,
      ),
      failWaiting: db.prepare(
        `UPDATE rollout SET state = 'failed', error = 'terminated', updated_at = ?, silent = 0
         WHERE plan_id = ? AND ${endsWithPlan}`,
      ),
      failed: db.prepare(`SELECT 1 FROM rollout WHERE plan_id = ? AND state = 'failed' LIMIT 1`),
      open: db.prepare(
        `SELECT id FROM plans WHERE state IN ('activated', 'upgrading', 'suspended')`,
      ),
      unfinished: db.prepare(
        `SELECT 1 FROM rollout WHERE plan_id = ? AND state IN ('notUpgraded', 'upgrading') LIMIT 1`,
      ),
    };
  }

  /** The plan as published. @throws ProblemError `plan-missing` */
  draft(planId: string): PlanDraft {
    return this.#drafts.get(planId);
  }

  /**
   * Publishes a plan; idempotent by its id. The scope is decided here, once, and stored.
   * @throws ProblemError `too-many-devices`, `package-missing`, `package-mismatch`, `no-devices`,
   *   `plan-invalid`, `plan-over`, `plan-exists`, `product-missing`
   */
  async publish(plan: Plan, policy: ScopePolicy): Promise<PlanStatus> {
    const draft = planDraftSchema.parse(plan);
    const body = canonicalJson(draft);
    if (!this.#isPublished(plan.id, body)) {
      checkPlan(draft, this.#clock.nowMs());
      if (!this.#devices.hasProduct(draft.productId)) throw productMissing(draft.productId);
      await checkPackages(draft, this.#packages);
      await this.#db.write(() => {
        if (!this.#isPublished(plan.id, body)) this.#insertPlan(plan.id, draft, body, policy);
      });
      this.onChanged(plan.id);
    }
    return this.status(plan.id);
  }

  /**
   * Suspend: no further device receives the plan. Terminate: waiting devices fail, for good. In both,
   * devices in progress continue, and no termination stops a device that was confirmed (quectel.md
   * 1.5). Repeating a control changes nothing. A plan that a stop rule suspended resumes only with
   * who accepts its failures.
   * @throws ProblemError `plan-missing`, `plan-state`, `stop-not-accepted`, `nothing-to-accept`
   */
  async control(
    planId: string,
    control: PlanControl,
    accepted: Decision | null = null,
  ): Promise<PlanStatus> {
    await this.#db.write(() => {
      const { state } = this.#require(planId);
      const active = state === 'activated' || state === 'upgrading';
      if (control === 'suspend' && active) this.#sql.setState.run('suspended', planId);
      else if (control === 'suspend' && state === 'suspended') return;
      else if (control === 'resume' && state === 'suspended') this.#resume(planId, accepted);
      else if (control === 'resume' && active) return;
      else if (control === 'terminate' && (active || state === 'suspended'))
        this.#terminate(planId);
      else if (control === 'terminate' && state === 'terminated') return;
      else throw wrongState(planId, control, state);
      this.#history.changed(planId);
    });
    this.onChanged(planId);
    return this.status(planId);
  }

  status(planId: string): PlanStatus {
    const { skipped } = this.#require(planId);
    return { ...this.progress(planId), skipped: JSON.parse(skipped) as ScopeSummary['skipped'] };
  }

  /** The part of the status that changes while the plan is carried out. @throws ProblemError `plan-missing` */
  progress(planId: string): PlanChange['progress'] {
    const row = this.#require(planId);
    const counts = this.#history.counts(planId);
    const finished = counts.upgraded + counts.failed;
    const reasons = this.#sql.errors.all(planId) as { code: string; count: number }[];
    return {
      planId,
      state: row.state,
      counts,
      successRate: finished === 0 ? null : counts.upgraded / finished,
      failureReasons: reasons.map(({ code, count }) => ({ code, count })),
      ...this.#guard.status(planId),
      timeTo95Ms: this.#statistics.timeTo95Ms(planId, counts),
      failures: this.#statistics.failures(planId),
    };
  }

  /** The first device acted: an activated plan is now upgrading. Call inside a write unit. */
  markUpgrading(planId: string): void {
    if (this.#require(planId).state === 'activated') this.#sql.setState.run('upgrading', planId);
  }

  /**
   * Ends the plan once every device has finished; a terminated plan stays terminated. One with a planned end
   * stays open for retries while a device of it has failed. Call inside a write unit.
   */
  endIfFinished(planId: string): void {
    if (this.#sql.unfinished.get(planId)) return;
    const { plannedTime, kind } = this.draft(planId);
    const mayRetry = plannedTime !== undefined && !kind && this.#sql.failed.get(planId);
    if (!mayRetry && this.#require(planId).state !== 'terminated')
      this.#sql.setState.run('ended', planId);
    this.#history.sample(planId);
  }

  /**
   * The end of the plan has come: waiting devices are not upgraded, those in progress and those that were
   * confirmed go on. Call inside a write unit.
   */
  endByTime(planId: string): void {
    this.#sql.cancelActions.run(new Date().toISOString(), planId, planId);
    this.#sql.setState.run('ended', planId);
    this.#history.sample(planId);
  }

  /** Plans that are published and not over. */
  openPlans(): string[] {
    return (this.#sql.open.all() as { id: string }[]).map(({ id }) => id);
  }

  /** @throws ProblemError `plan-missing` */
  requirePlan(planId: string): void {
    this.#require(planId);
  }

  #require(planId: string): PlanRow {
    const row = this.#sql.one.get(planId) as PlanRow | undefined;
    if (row) return row;
    throw planMissing(planId);
  }

  #isPublished(planId: string, body: string): boolean {
    const row = this.#sql.one.get(planId) as PlanRow | undefined;
    if (!row) return false;
    // As read now: what an older version wrote lacks the fields that came later.
    if (canonicalJson(planDraftSchema.parse(JSON.parse(row.body))) === body) return true;
    throw planExists(planId);
  }

  #insertPlan(planId: string, draft: PlanDraft, body: string, policy: ScopePolicy): void {
    const devices = this.#devices.ofProduct(draft.productId);
    const decisions = decideScope(draft, devices, policy);
    const scope = summarizeScope(decisions);
    if (draft.kind === 'verification') checkVerification(this.#db, draft, decisions);
    checkSize(scope);
    const nowText = new Date().toISOString();
    this.#sql.insert.run(planId, draft.productId, body, JSON.stringify(scope.skipped), nowText);
    const byId = new Map(devices.map((device) => [device.id, device]));
    const chosen = decisions.filter(({ action }) => action !== 'skip');
    const stages = this.#guard.deal(
      planId,
      draft,
      chosen.map(({ deviceId }) => deviceId),
    );
    for (const decision of decisions) {
      const device = byId.get(decision.deviceId);
      const stage = stages.get(decision.deviceId) ?? 0;
      if (device) this.#insertDevice(planId, draft, device, decision, nowText, stage);
    }
    this.#guard.begin(planId, draft);
    this.#history.sample(planId);
  }

  #insertDevice(
    planId: string,
    draft: PlanDraft,
    device: Device,
    decision: ScopeDecision,
    nowText: string,
    stage: number,
  ): void {
    const upToDate = decision.reason === 'noUpdateRequired';
    if (decision.action === 'skip' && !upToDate) return;
    const deviceState = upToDate ? 'noUpdateRequired' : 'notUpgraded';
    this.#sql.insertRollout.run(planId, device.id, deviceState, nowText, stage);
    for (const [ordinal, component] of draft.components.entries()) {
      const current = reportedVersion(device, component.componentId);
      const done = current === component.targetVersion;
      this.#sql.insertComponent.run(
        planId,
        device.id,
        ordinal,
        component.componentId,
        done ? 'noUpdateRequired' : 'planNotReceived',
        current,
        component.targetVersion,
        choosePackage(component, current, draft)?.packageType ?? 'full',
      );
    }
  }

  #resume(planId: string, accepted: Decision | null): void {
    this.#guard.resume(planId, accepted);
    this.#sql.setState.run(this.#sql.begun.get(planId) ? 'upgrading' : 'activated', planId);
    this.#guard.changed(planId);
  }

  #terminate(planId: string): void {
    const nowText = new Date().toISOString();
    this.#log.addWaitingFailed(planId, 'terminated');
    this.#sql.failComponents.run(planId, planId);
    this.#sql.cancelActions.run(nowText, planId, planId);
    this.#sql.failWaiting.run(nowText, planId);
    this.#sql.setState.run('terminated', planId);
    this.#history.sample(planId);
  }
}
