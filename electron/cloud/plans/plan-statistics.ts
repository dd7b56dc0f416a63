import type Database from 'libsql';
import type { StageFailure } from '../../../shared/domain/plan-stages.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { PlanCounts } from './history.ts';

const wantedShare = 0.95;

/** What a rollout tells beside its counts; read from the rows, so that reports cost nothing more. */
export class PlanStatistics {
  readonly #reached = new Map<string, { readonly wanted: number; readonly ms: number }>();
  readonly #sql: Record<'upgradedAt' | 'published' | 'failures', Database.Statement>;

  constructor(db: CloudDatabase) {
    this.#sql = {
      upgradedAt: db.prepare(
        `SELECT updated_at FROM rollout WHERE plan_id = ? AND state = 'upgraded'
         ORDER BY updated_at LIMIT 1 OFFSET ?`,
      ),
      published: db.prepare('SELECT published_at FROM plans WHERE id = ?'),
      failures: db.prepare(
        `SELECT CASE WHEN plans.stages > 0 THEN rollout.stage + 1 END AS stage,
           CASE WHEN EXISTS (SELECT 1 FROM rollout_components AS part
             WHERE part.plan_id = rollout.plan_id AND part.device_id = rollout.device_id
               AND part.state = 'downloadFailed') THEN 'download' ELSE 'upgrade' END AS step,
           coalesce(error, 'unknown') AS code, count(*) AS count
         FROM rollout JOIN plans ON plans.id = plan_id
         WHERE plan_id = ? AND rollout.state = 'failed'
         GROUP BY 1, 2, 3 ORDER BY 1, count DESC, 2, 3`,
      ),
    };
  }

  /** Milliseconds from publishing until 95 % of the devices that need the update were upgraded, or null. */
  timeTo95Ms(planId: string, counts: PlanCounts): number | null {
    const due = counts.notUpgraded + counts.upgrading + counts.upgraded + counts.failed;
    const wanted = Math.ceil(due * wantedShare);
    if (due === 0 || counts.upgraded < wanted) return null;
    const known = this.#reached.get(planId);
    if (known?.wanted === wanted) return known.ms;
    const last = this.#sql.upgradedAt.get(planId, wanted - 1) as { updated_at: string };
    const { published_at } = this.#sql.published.get(planId) as { published_at: string };
    const ms = Math.max(0, Date.parse(last.updated_at) - Date.parse(published_at));
    this.#reached.set(planId, { wanted, ms });
    return ms;
  }

  /** Failed devices by stage, step and code. */
  failures(planId: string): StageFailure[] {
    return (this.#sql.failures.all(planId) as StageFailure[]).map((row) => ({ ...row }));
  }
}
