import type Database from 'libsql';
import type { Decision } from '../../../shared/domain/cloud.ts';
import type { PlanDraft } from '../../../shared/domain/plan.ts';
import type { StageStatus } from '../../../shared/domain/plan-stages.ts';
import {
  dealStages,
  judgeStage,
  type StageJudgement,
  type StageRule,
  type StageTally,
  singleStage,
} from '../../../shared/domain/stages.ts';
import { sha256 } from '../../files/sha256.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { ServedTime } from '../store/served-time.ts';

interface StageRow {
  readonly stage: number;
  readonly devices: number;
  readonly not_upgraded: number;
  readonly upgrading: number;
  readonly upgraded: number;
  readonly failed: number;
  readonly silent: number;
  readonly accepted: number;
  readonly no_update_required: number;
  readonly opened_at: string | null;
  readonly opened_by: string | null;
  readonly gate_met_at: string | null;
  readonly gate_met_ms: number | null;
}

/** The stages of plans: who is in which, how each stands, and when the next one opens. */
export class Stages {
  readonly #clock: Clock;
  readonly #served: ServedTime;
  readonly #sql: Record<
    'insert' | 'all' | 'openCount' | 'setOpenCount' | 'setOpened' | 'setGate' | 'mark',
    Database.Statement
  >;

  constructor(db: CloudDatabase, clock: Clock, served: ServedTime) {
    this.#clock = clock;
    this.#served = served;
    this.#sql = {
      insert: db.prepare(
        `INSERT INTO plan_stages (plan_id, stage, devices, not_upgraded, no_update_required)
         SELECT ?1, ?2, count(*), coalesce(sum(state = 'notUpgraded'), 0),
           coalesce(sum(state = 'noUpdateRequired'), 0)
         FROM rollout WHERE plan_id = ?1 AND stage = ?2`,
      ),
      mark: db.prepare('UPDATE plans SET stages = ?, guarded = 1 WHERE id = ?'),
      all: db.prepare('SELECT * FROM plan_stages WHERE plan_id = ? ORDER BY stage'),
      openCount: db.prepare('SELECT open_stages FROM plans WHERE id = ?'),
      setOpenCount: db.prepare('UPDATE plans SET open_stages = ? WHERE id = ?'),
      setOpened: db.prepare(
        'UPDATE plan_stages SET opened_at = ?, opened_by = ? WHERE plan_id = ? AND stage = ?',
      ),
      setGate: db.prepare(
        'UPDATE plan_stages SET gate_met_at = ?, gate_met_ms = ? WHERE plan_id = ? AND stage = ?',
      ),
    };
  }

  /** The stage, from 0, of each device that the plan is to upgrade. */
  deal(planId: string, draft: PlanDraft, deviceIds: readonly string[]): Map<string, number> {
    if (!draft.stages) return new Map();
    return dealStages(deviceIds, draft.cohortSeed ?? planId, draft.stages, sha256);
  }

  /** Begins to count the stages of a plan whose devices are in place; call inside a write unit. */
  begin(planId: string, draft: PlanDraft): void {
    if (!draft.stages && !draft.stopRules) return;
    for (const stage of rulesOf(draft).keys()) this.#sql.insert.run(planId, stage);
    this.#sql.mark.run(draft.stages?.length ?? 0, planId);
    this.#sql.setOpened.run(this.#nowText(), null, planId, 0);
  }

  /** The tallies of the stages that are open, in their order. */
  openTallies(planId: string): StageTally[] {
    return this.#rows(planId).slice(0, this.openCount(planId)).map(toTally);
  }

  /** How many stages are open. */
  openCount(planId: string): number {
    return (this.#sql.openCount.get(planId) as { open_stages: number }).open_stages;
  }

  /** Whether {@link advance} would change anything now. */
  isDue(planId: string, draft: PlanDraft): boolean {
    const newest = this.#newest(planId, draft);
    if (!newest) return false;
    const { step, gateMetMs } = newest.judgement;
    return step === 'open-next' || gateMetMs !== newest.row.gate_met_ms;
  }

  /** Moves the newest open stage on and opens those that may; true when one was opened. Call inside a write unit. */
  advance(planId: string, draft: PlanDraft): boolean {
    for (let opened = false; ; opened = true) {
      const newest = this.#newest(planId, draft);
      if (!newest) return opened;
      const { row, judgement } = newest;
      const { gateMetMs } = judgement;
      if (gateMetMs !== row.gate_met_ms)
        this.#sql.setGate.run(
          gateMetMs === null ? null : (row.gate_met_at ?? this.#nowText()),
          gateMetMs,
          planId,
          row.stage,
        );
      if (judgement.step !== 'open-next') return opened;
      this.open(planId, row.stage + 1, null);
    }
  }

  /** Opens a stage, from 0, and with it those before; call inside a write unit. */
  open(planId: string, stage: number, by: Decision | null): void {
    this.#sql.setOpenCount.run(stage + 1, planId);
    this.#sql.setOpened.run(this.#nowText(), by && JSON.stringify(by), planId, stage);
  }

  status(planId: string, draft: PlanDraft): StageStatus[] {
    const openCount = this.openCount(planId);
    const newest = this.#newest(planId, draft);
    return this.#rows(planId).map((row) => {
      const isNewest = row.stage === newest?.row.stage;
      const judgement = isNewest ? newest.judgement : null;
      return {
        stage: row.stage + 1,
        state:
          row.stage >= openCount ? 'closed' : judgement ? states[judgement.step] : openState(row),
        devices: row.devices - row.no_update_required,
        notUpgraded: row.not_upgraded,
        upgrading: row.upgrading,
        upgraded: row.upgraded,
        failed: row.failed,
        silent: row.silent,
        accepted: row.accepted,
        openedAt: row.opened_at,
        openedBy: row.opened_by === null ? null : (JSON.parse(row.opened_by) as Decision),
        gateMetAt: row.gate_met_at,
        soakLeftMs: judgement?.step === 'soak' ? judgement.soakLeftMs : null,
      };
    });
  }

  /** The newest open stage that has one behind it, or null. */
  #newest(
    planId: string,
    draft: PlanDraft,
  ): { readonly row: StageRow; readonly judgement: StageJudgement } | null {
    const rows = this.#rows(planId);
    const place = this.openCount(planId) - 1;
    const [row, rule] = [rows[place], rulesOf(draft)[place]];
    if (!row || !rule || place >= rows.length - 1) return null;
    const nowMs = this.#served.nowMs();
    return { row, judgement: judgeStage(rule, toTally(row), row.gate_met_ms, nowMs) };
  }

  #rows(planId: string): StageRow[] {
    return this.#sql.all.all(planId) as StageRow[];
  }

  #nowText(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}

const states = { wait: 'open', soak: 'soaking', hold: 'held', 'open-next': 'passed' } as const;

/** An open stage that is not the newest, or the last one. */
const openState = ({ not_upgraded, upgrading }: StageRow): 'open' | 'passed' =>
  not_upgraded + upgrading > 0 ? 'open' : 'passed';

const rulesOf = ({ stages }: PlanDraft): readonly StageRule[] => stages ?? [singleStage];

const toTally = ({ no_update_required: noUpdateRequired, ...counts }: StageRow): StageTally => ({
  ...counts,
  noUpdateRequired,
});
