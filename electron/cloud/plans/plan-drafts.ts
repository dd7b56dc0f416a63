import type Database from 'libsql';
import { type PlanDraft, planDraftSchema } from '../../../shared/domain/plan.ts';
import type { CloudDatabase } from '../store/database.ts';
import { planMissing } from './plan-problems.ts';

/** Plans as they were published; they never change, so each is parsed once. */
export class PlanDrafts {
  readonly #known = new Map<string, PlanDraft>();
  readonly #body: Database.Statement;

  constructor(db: CloudDatabase) {
    this.#body = db.prepare('SELECT body FROM plans WHERE id = ?');
  }

  /** @throws ProblemError `plan-missing` */
  get(planId: string): PlanDraft {
    const known = this.#known.get(planId);
    if (known) return known;
    const row = this.#body.get(planId) as { body: string } | undefined;
    if (!row) throw planMissing(planId);
    const draft = planDraftSchema.parse(JSON.parse(row.body));
    this.#known.set(planId, draft);
    return draft;
  }
}
