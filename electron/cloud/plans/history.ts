import type Database from 'libsql';
import type { DeviceState, HistoryPoint } from '../../../shared/domain/plan.ts';
import type { CloudDatabase } from '../store/database.ts';

/** Shortest time between two points of a plan's history. */
const samplePeriodMs = 1000;

export type PlanCounts = Readonly<Record<DeviceState, number>>;

interface HistoryRow {
  readonly at_ms: number;
  readonly not_upgraded: number;
  readonly upgrading: number;
  readonly upgraded: number;
  readonly failed: number;
  readonly no_update_required: number;
}

/** Device counts of plans, and how they went over time. */
export class PlanHistory {
  readonly #db: CloudDatabase;
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #lastMs = new Map<string, number>();
  readonly #sql: Record<'counts' | 'insert' | 'last' | 'all' | 'plans', Database.Statement>;

  constructor(db: CloudDatabase) {
    this.#db = db;
    this.#sql = {
      counts: db.prepare(
        'SELECT state, count(*) AS count FROM rollout WHERE plan_id = ? GROUP BY state',
      ),
      insert: db.prepare('INSERT OR REPLACE INTO history VALUES (?, ?, ?, ?, ?, ?, ?)'),
      last: db.prepare('SELECT * FROM history WHERE plan_id = ? ORDER BY at_ms DESC LIMIT 1'),
      all: db.prepare('SELECT * FROM history WHERE plan_id = ? ORDER BY at_ms'),
      plans: db.prepare('SELECT id FROM plans'),
    };
  }

  counts(planId: string): PlanCounts {
    const counts = { notUpgraded: 0, upgrading: 0, upgraded: 0, failed: 0, noUpdateRequired: 0 };
    for (const row of this.#sql.counts.all(planId) as { state: DeviceState; count: number }[])
      counts[row.state] = row.count;
    return counts;
  }

  points(planId: string): HistoryPoint[] {
    return (this.#sql.all.all(planId) as HistoryRow[]).map(toPoint);
  }

  /** Something of the plan changed: samples now, or as soon as the last point is a second old. */
  changed(planId: string): void {
    if (this.#timers.has(planId)) return;
    const waitMs = (this.#lastMs.get(planId) ?? 0) + samplePeriodMs - Date.now();
    const timer = setTimeout(
      () => {
        this.#timers.delete(planId);
        this.#db
          .write(() => this.sample(planId))
          .catch((error: unknown) =>
            process.stderr.write(`history of plan ${planId} not sampled: ${String(error)}\n`),
          );
      },
      Math.max(0, waitMs),
    );
    timer.unref();
    this.#timers.set(planId, timer);
  }

  /** Adds a point unless nothing changed since the last one; call inside a write unit. */
  sample(planId: string): void {
    const counts = this.counts(planId);
    const last = this.#sql.last.get(planId) as HistoryRow | undefined;
    const unchanged =
      last &&
      last.not_upgraded === counts.notUpgraded &&
      last.upgrading === counts.upgrading &&
      last.upgraded === counts.upgraded &&
      last.failed === counts.failed &&
      last.no_update_required === counts.noUpdateRequired;
    if (unchanged) return;
    const nowMs = Math.max(Date.now(), (last?.at_ms ?? 0) + 1);
    this.#lastMs.set(planId, nowMs);
    this.#sql.insert.run(
      planId,
      nowMs,
      counts.notUpgraded,
      counts.upgrading,
      counts.upgraded,
      counts.failed,
      counts.noUpdateRequired,
    );
  }

  /** Samples what changed just before the process last ended. */
  async catchUp(): Promise<void> {
    await this.#db.write(() => {
      for (const { id } of this.#sql.plans.all() as { id: string }[]) this.sample(id);
    });
  }

  /** Samples what is still waiting for its second to pass. */
  async close(): Promise<void> {
    const waiting = [...this.#timers.keys()];
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    if (waiting.length > 0) await this.#db.write(() => waiting.forEach((id) => this.sample(id)));
  }
}

function toPoint(row: HistoryRow): HistoryPoint {
  return {
    atMs: row.at_ms,
    notUpgraded: row.not_upgraded,
    upgrading: row.upgrading,
    upgraded: row.upgraded,
    failed: row.failed,
    noUpdateRequired: row.no_update_required,
  };
}
