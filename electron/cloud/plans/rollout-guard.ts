import type Database from 'libsql';
import type { Decision } from '../../../shared/domain/cloud.ts';
import type { PlanDraft, PlanState, PlanStatus } from '../../../shared/domain/plan.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { DeviceStore } from '../store/devices.ts';
import type { ServedTime } from '../store/served-time.ts';
import type { DeviceLog } from './device-log.ts';
import {
  lastStage,
  nothingToAccept,
  planMissing,
  stopNotAccepted,
  wrongState,
} from './plan-problems.ts';
import type { PlanDrafts } from './plan-drafts.ts';
import { Silence, type SilenceChange } from './silence.ts';
import { Stages } from './stages.ts';
import { StopKeeper } from './stop-rules.ts';

const tickMs = 1000;
/** How much served time a kill may forget. */
const saveMs = 5000;

interface GuardedRow {
  readonly id: string;
  readonly state: PlanState;
  readonly guarded: number;
}

/**
 * Opens the stages of plans and stops plans that break their rules: right after each device that
 * finished, in the same transaction, and every second for what time alone brings about. All state
 * is in the database, so that a restart goes on where the last commit was.
 */
export class RolloutGuard {
  readonly #db: CloudDatabase;
  readonly #drafts: PlanDrafts;
  readonly #served: ServedTime;
  readonly #stages: Stages;
  readonly #stops: StopKeeper;
  readonly #silence: Silence;
  readonly #sql: Record<'active' | 'one', Database.Statement>;
  readonly #stopTicking: () => void;
  #savedMs = 0;
  /** What the last tick set going; the next one waits for it. */
  #ticking = false;
  /** Called after the commit that opened a stage or stopped a plan. */
  onChanged: (planId: string) => void = () => undefined;

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly clock: Clock;
    readonly served: ServedTime;
    readonly devices: DeviceStore;
    readonly drafts: PlanDrafts;
    readonly log: DeviceLog;
  }) {
    const { db, clock, served, log } = parts;
    this.#db = db;
    this.#drafts = parts.drafts;
    this.#served = served;
    this.#stages = new Stages(db, clock, served);
    this.#stops = new StopKeeper(db, clock, this.#stages, log);
    this.#silence = new Silence(db, parts.devices, served, log);
    this.#sql = {
      active: db.prepare(
        `SELECT id, state, guarded FROM plans WHERE guarded = 1 AND state IN ('activated', 'upgrading', 'suspended')`,
      ),
      one: db.prepare('SELECT id, state, guarded FROM plans WHERE id = ?'),
    };
    this.#stopTicking = clock.every(tickMs, () => void this.tick());
  }

  /** The stage, from 0, of each device that a plan is to upgrade. */
  deal(planId: string, draft: PlanDraft, deviceIds: readonly string[]): Map<string, number> {
    return this.#stages.deal(planId, draft, deviceIds);
  }

  /** Begins to guard a plan whose devices are in place; call inside a write unit. */
  begin(planId: string, draft: PlanDraft): void {
    this.#stages.begin(planId, draft);
  }

  /** A device of the plan has finished; call inside the write unit of that. */
  changed(planId: string): void {
    const { guarded, state } = this.#require(planId);
    if (!guarded || !isRunning(state)) return;
    const draft = this.#drafts.get(planId);
    if (this.#stops.check(planId, draft.stopRules) || this.#stages.advance(planId, draft))
      // After the commit of the unit that is running now: the commit ends before the next immediate.
      setImmediate(() => this.onChanged(planId));
  }

  /** Before a suspended plan goes on; call inside the write unit of that. @throws ProblemError `stop-not-accepted`, `nothing-to-accept` */
  resume(planId: string, accepted: Decision | null): void {
    if (this.#stops.isOpen(planId)) {
      if (!accepted) throw stopNotAccepted(planId);
      this.#stops.accept(planId, accepted);
    } else if (accepted) throw nothingToAccept(planId);
  }

  /**
   * Opens a stage, from 1, before its time or at a hold; one that is open already stays so.
   * @throws ProblemError `plan-missing`, `plan-state`, `last-stage`
   */
  async openStage(planId: string, stage: number, by: Decision): Promise<void> {
    await this.#db.write(() => {
      const { state } = this.#require(planId);
      const count = this.#drafts.get(planId).stages?.length ?? 0;
      const openCount = this.#stages.openCount(planId);
      if (stage > count || stage > openCount + 1) throw lastStage(planId, openCount, count);
      if (stage <= openCount) return;
      if (!isRunning(state)) throw wrongState(planId, 'open the next stage', state);
      this.#stages.open(planId, stage - 1, by);
      this.changed(planId);
    });
    this.onChanged(planId);
  }

  /** What a guarded plan tells beside its counts. */
  status(planId: string): Pick<PlanStatus, 'stages' | 'stops'> {
    const draft = this.#drafts.get(planId);
    return {
      ...(draft.stages ? { stages: this.#stages.status(planId, draft) } : {}),
      ...(draft.stopRules ? { stops: this.#stops.list(planId) } : {}),
    };
  }

  /** Does what is due by time: silences, soaks that are over, and what a restart left undone. */
  async tick(): Promise<void> {
    if (this.#ticking) return;
    this.#ticking = true;
    try {
      await this.#doDue(this.#sql.active.all() as GuardedRow[]);
    } catch (error) {
      process.stderr.write(`stages and stop rules not looked after: ${String(error)}\n`);
    } finally {
      this.#ticking = false;
    }
  }

  async close(): Promise<void> {
    this.#stopTicking();
    await this.#db.write(() => this.#served.save());
  }

  async #doDue(plans: readonly GuardedRow[]): Promise<void> {
    const isSaveDue = this.#served.nowMs() - this.#savedMs >= saveMs;
    if (plans.length > 0 && isSaveDue) {
      this.#savedMs = this.#served.nowMs();
      await this.#db.write(() => this.#served.save());
    }
    for (const plan of plans) {
      if (!this.#isDue(plan)) continue;
      // Looked at anew inside: a report may have come first.
      await this.#db.write(() => {
        this.#silence.mark(plan.id, this.#silenceOf(this.#require(plan.id)));
        this.changed(plan.id);
      });
    }
  }

  #isDue(plan: GuardedRow): boolean {
    const { fallen, heard } = this.#silenceOf(plan);
    if (fallen.length + heard.length > 0) return true;
    if (!isRunning(plan.state)) return false;
    const draft = this.#drafts.get(plan.id);
    const isBroken = this.#stops.broken(plan.id, draft.stopRules) !== null;
    return isBroken || this.#stages.isDue(plan.id, draft);
  }

  #silenceOf({ id, state }: GuardedRow): SilenceChange {
    const limit = this.#drafts.get(id).stopRules?.silentAfterMinutes;
    if (limit === undefined) return { fallen: [], heard: [] };
    return this.#silence.changes(id, limit, isRunning(state));
  }

  #require(planId: string): GuardedRow {
    const row = this.#sql.one.get(planId) as GuardedRow | undefined;
    if (row) return row;
    throw planMissing(planId);
  }
}

const isRunning = (state: PlanState): boolean => state === 'activated' || state === 'upgrading';
