import type Database from 'libsql';
import type { DeviceLogEntry } from '../../../shared/domain/plan-stages.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import { endsWithPlan } from './rollout-store.ts';
import type { ServedTime } from '../store/served-time.ts';

/** Lines kept for one device in one plan; the oldest go first. */
const maxLines = 200;
/** What may happen to a device without end. */
const recurring: ReadonlySet<string> = new Set(['jobGiven', 'silent']);

interface LogRow {
  readonly at: string;
  readonly event: string;
  readonly component_id: string | null;
  readonly code: string | null;
  readonly detail: string | null;
}

/** Lines of one run of the cloud are numbered behind those of the runs before. */
const linesPerRun = 2 ** 32;

/** What happened to each device in each plan, line by line. */
export class DeviceLog {
  readonly #clock: Clock;
  readonly #sql: Record<'add' | 'forget' | 'addWaiting' | 'all', Database.Statement>;
  #seq: number;

  constructor(db: CloudDatabase, clock: Clock, served: ServedTime) {
    this.#clock = clock;
    this.#seq = served.run * linesPerRun;
    const values = '(plan_id, device_id, seq, at, event, component_id, code, detail)';
    this.#sql = {
      add: db.prepare(`INSERT INTO device_log ${values} VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
      forget: db.prepare(
        `DELETE FROM device_log WHERE plan_id = ?1 AND device_id = ?2 AND seq <= (
           SELECT seq FROM device_log WHERE plan_id = ?1 AND device_id = ?2
           ORDER BY seq DESC LIMIT 1 OFFSET ${maxLines})`,
      ),
      addWaiting: db.prepare(
        `INSERT INTO device_log (plan_id, device_id, seq, at, event, code)
         SELECT plan_id, device_id, ?, ?, 'failed', ? FROM rollout
         WHERE plan_id = ? AND ${endsWithPlan}`,
      ),
      all: db.prepare(
        `SELECT at, event, component_id, code, detail FROM device_log
         WHERE plan_id = ? AND device_id = ? ORDER BY seq DESC LIMIT ${maxLines}`,
      ),
    };
  }

  /** Adds a line; call inside the write unit of what it tells. */
  add(
    planId: string,
    deviceId: string,
    event: string,
    more: { componentId?: string; code?: string | null; detail?: string } = {},
  ): void {
    const { componentId = null, code = null, detail = null } = more;
    this.#sql.add.run(
      planId,
      deviceId,
      ++this.#seq,
      this.#nowText(),
      event,
      componentId,
      code,
      detail,
    );
    // Between two of these a device takes only so many steps, so that other lines need not look.
    if (recurring.has(event)) this.#sql.forget.run(planId, deviceId);
  }

  /** A line for each device that fails with its plan; call before it does. */
  addWaitingFailed(planId: string, code: string): void {
    this.#sql.addWaiting.run(++this.#seq, this.#nowText(), code, planId);
  }

  /** Oldest first; empty for a device that the plan does not know. */
  lines(planId: string, deviceId: string): DeviceLogEntry[] {
    const rows = this.#sql.all.all(planId, deviceId) as LogRow[];
    return rows
      .map(({ component_id: componentId, ...rest }) => ({ ...rest, componentId }))
      .reverse();
  }

  #nowText(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}
