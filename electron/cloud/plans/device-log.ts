import type Database from 'libsql';
import type { DeviceLogEntry } from '../../../shared/domain/plan-stages.ts';
import type { CloudClock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';

/** Lines kept for one device in one plan; the oldest go first. */
const maxLines = 200;

interface LogRow {
  readonly at: string;
  readonly event: string;
  readonly component_id: string | null;
  readonly code: string | null;
  readonly detail: string | null;
}

/** What happened to each device in each plan, line by line. */
export class DeviceLog {
  readonly #clock: CloudClock;
  readonly #sql: Record<'add' | 'forget' | 'addWaiting' | 'all', Database.Statement>;

  constructor(db: CloudDatabase, clock: CloudClock) {
    this.#clock = clock;
    this.#sql = {
      add: db.prepare(
        `INSERT INTO device_log (plan_id, device_id, seq, at, event, component_id, code, detail)
         VALUES (?1, ?2, (SELECT coalesce(max(seq), 0) + 1 FROM device_log WHERE plan_id = ?1 AND device_id = ?2),
           ?3, ?4, ?5, ?6, ?7)
         RETURNING seq`,
      ),
      forget: db.prepare('DELETE FROM device_log WHERE plan_id = ? AND device_id = ? AND seq <= ?'),
      addWaiting: db.prepare(
        `INSERT INTO device_log (plan_id, device_id, seq, at, event, code)
         SELECT plan_id, device_id,
           (SELECT coalesce(max(seq), 0) + 1 FROM device_log AS log
            WHERE log.plan_id = rollout.plan_id AND log.device_id = rollout.device_id), ?, 'failed', ?
         FROM rollout WHERE plan_id = ? AND state = 'notUpgraded'`,
      ),
      all: db.prepare(
        'SELECT at, event, component_id, code, detail FROM device_log WHERE plan_id = ? AND device_id = ? ORDER BY seq',
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
    const at = new Date(this.#clock.nowMs()).toISOString();
    const row = this.#sql.add.get(planId, deviceId, at, event, componentId, code, detail);
    const { seq } = row as { seq: number };
    if (seq > maxLines) this.#sql.forget.run(planId, deviceId, seq - maxLines);
  }

  /** A line for each device that has not begun, which fails with the plan; call before it does. */
  addWaitingFailed(planId: string, code: string): void {
    this.#sql.addWaiting.run(new Date(this.#clock.nowMs()).toISOString(), code, planId);
  }

  /** Oldest first; empty for a device that the plan does not know. */
  lines(planId: string, deviceId: string): DeviceLogEntry[] {
    const rows = this.#sql.all.all(planId, deviceId) as LogRow[];
    return rows.map(({ component_id: componentId, ...rest }) => ({ ...rest, componentId }));
  }
}
