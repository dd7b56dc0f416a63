import type Database from 'libsql';
import type { CloudDatabase } from '../store/database.ts';
import type { DeviceStore } from '../store/devices.ts';
import type { ServedTime } from '../store/served-time.ts';
import type { DeviceLog } from './device-log.ts';

const minuteMs = 60_000;

/** Who has to be marked as silent, and whose mark has to go. */
export interface SilenceChange {
  readonly fallen: readonly string[];
  readonly heard: readonly string[];
}

/** Which devices were given a job and are not heard from; measured in served time. */
export class Silence {
  readonly #devices: DeviceStore;
  readonly #served: ServedTime;
  readonly #log: DeviceLog;
  readonly #sql: Record<'quiet' | 'silent' | 'mark', Database.Statement>;

  constructor(db: CloudDatabase, devices: DeviceStore, served: ServedTime, log: DeviceLog) {
    this.#devices = devices;
    this.#served = served;
    this.#log = log;
    this.#sql = {
      // A suspended plan asks nothing of a device that has not begun.
      quiet: db.prepare(
        `SELECT rollout.device_id FROM actions
           JOIN rollout ON rollout.plan_id = actions.plan_id AND rollout.device_id = actions.device_id
           JOIN devices ON devices.id = actions.device_id
         WHERE actions.plan_id = ? AND actions.state IN ('open', 'awaitingVersion')
           AND rollout.silent = 0 AND rollout.state IN ('notUpgraded', 'upgrading')
           AND (actions.begun = 1 OR ?) AND max(asked_ms, heard_ms) <= ?`,
      ),
      silent: db.prepare('SELECT device_id FROM rollout WHERE plan_id = ? AND silent = 1'),
      mark: db.prepare('UPDATE rollout SET silent = ? WHERE plan_id = ? AND device_id = ?'),
    };
  }

  /** What has changed since the marks were set last. */
  changes(planId: string, limitMinutes: number, isAsking: boolean): SilenceChange {
    const latestMs = this.#served.nowMs() - limitMinutes * minuteMs;
    const isQuiet = ({ device_id }: { device_id: string }): boolean =>
      this.#devices.heardMs(device_id) <= latestMs;
    const quiet = this.#sql.quiet.all(planId, isAsking ? 1 : 0, latestMs) as {
      device_id: string;
    }[];
    const silent = this.#sql.silent.all(planId) as { device_id: string }[];
    return {
      fallen: quiet.filter(isQuiet).map(({ device_id }) => device_id),
      heard: silent.filter((row) => !isQuiet(row)).map(({ device_id }) => device_id),
    };
  }

  /** Sets and takes the marks; call inside a write unit. */
  mark(planId: string, { fallen, heard }: SilenceChange): void {
    for (const deviceId of fallen) {
      this.#sql.mark.run(1, planId, deviceId);
      this.#log.add(planId, deviceId, 'silent');
    }
    for (const deviceId of heard) {
      this.#sql.mark.run(0, planId, deviceId);
      this.#log.add(planId, deviceId, 'heardAgain');
    }
  }
}
