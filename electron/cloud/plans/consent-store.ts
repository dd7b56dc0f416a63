import type Database from 'libsql';
import type { CloudDatabase } from '../store/database.ts';

/** Longest that the job of an LwM2M device lasts, in milliseconds (Quectel FAQ: 48 hours). */
const lwm2mJobMs = 48 * 3_600_000;

/** A window in milliseconds since 1970. */
export interface AppointedWindow {
  readonly fromMs: number;
  readonly toMs: number;
}

const waitingComponents = `state IN ('planNotReceived', 'planReceived', 'upgradeConfirmed')`;

/** Rows of what users said about manual plans, and of when devices began. */
export class ConsentStore {
  readonly #sql: Record<
    | 'setConsent'
    | 'setComponents'
    | 'received'
    | 'failComponents'
    | 'resetComponents'
    | 'resetDevice'
    | 'opened'
    | 'overdue',
    Database.Statement
  >;

  constructor(db: CloudDatabase) {
    const ofDevice = 'plan_id = ? AND device_id = ?';
    this.#sql = {
      setConsent: db.prepare(
        `UPDATE rollout SET consent = ?, window_from_ms = ?, window_to_ms = ?, updated_at = ? WHERE ${ofDevice}`,
      ),
      setComponents: db.prepare(
        `UPDATE rollout_components SET state = ? WHERE ${ofDevice} AND ${waitingComponents}`,
      ),
      received: db.prepare(
        `UPDATE rollout_components SET state = 'planReceived' WHERE ${ofDevice} AND state = 'planNotReceived'`,
      ),
      failComponents: db.prepare(
        `UPDATE rollout_components SET state = 'upgradeFailed' WHERE ${ofDevice} AND ${waitingComponents}`,
      ),
      resetComponents: db.prepare(
        `UPDATE rollout_components SET state = 'planNotReceived', progress = 0, attempts = 0
         WHERE ${ofDevice} AND state NOT IN ('upgradeSucceeded', 'noUpdateRequired')`,
      ),
      resetDevice: db.prepare(
        `UPDATE rollout SET state = 'notUpgraded', error = NULL, consent = NULL, window_from_ms = NULL,
           window_to_ms = NULL, begun_at_ms = NULL, updated_at = ? WHERE ${ofDevice}`,
      ),
      opened: db.prepare(
        `SELECT device_id FROM rollout
         WHERE consent = 'appointed' AND state = 'notUpgraded' AND window_from_ms > ? AND window_from_ms <= ?`,
      ),
      // By the live actions, which have an index of their own: the devices that are at it now.
      overdue: db.prepare(
        `SELECT actions.plan_id, actions.device_id
         FROM actions CROSS JOIN devices ON devices.id = actions.device_id AND transport = 'lwm2m'
           CROSS JOIN rollout ON rollout.plan_id = actions.plan_id AND rollout.device_id = actions.device_id
         WHERE actions.state IN ('open', 'awaitingVersion') AND rollout.state = 'upgrading' AND begun_at_ms < ?`,
      ),
    };
  }

  /** The device, or its user, has seen the plan. */
  markReceived(planId: string, deviceId: string): void {
    this.#sql.received.run(planId, deviceId);
  }

  confirm(planId: string, deviceId: string): void {
    this.#setConsent(planId, deviceId, 'confirmed', null);
    this.#sql.setComponents.run('upgradeConfirmed', planId, deviceId);
  }

  appoint(planId: string, deviceId: string, window: AppointedWindow): void {
    this.#setConsent(planId, deviceId, 'appointed', window);
    this.#sql.setComponents.run('planReceived', planId, deviceId);
  }

  /** What is left of the device's components has failed. */
  failComponents(planId: string, deviceId: string): void {
    this.#sql.failComponents.run(planId, deviceId);
  }

  /** The device waits again as if it had never tried; components that succeeded stay so. */
  reset(planId: string, deviceId: string): void {
    this.#sql.resetComponents.run(planId, deviceId);
    this.#sql.resetDevice.run(new Date().toISOString(), planId, deviceId);
  }

  /** Devices whose appointed window opened after `sinceMs` and by `nowMs`. */
  opened(sinceMs: number, nowMs: number): string[] {
    const rows = this.#sql.opened.all(sinceMs, nowMs) as { device_id: string }[];
    return rows.map(({ device_id }) => device_id);
  }

  /** LwM2M devices that have been at it for longer than their job may last. */
  overdue(nowMs: number): { planId: string; deviceId: string }[] {
    const rows = this.#sql.overdue.all(nowMs - lwm2mJobMs) as {
      plan_id: string;
      device_id: string;
    }[];
    return rows.map(({ plan_id, device_id }) => ({ planId: plan_id, deviceId: device_id }));
  }

  #setConsent(
    planId: string,
    deviceId: string,
    given: 'confirmed' | 'appointed',
    window: AppointedWindow | null,
  ): void {
    const nowText = new Date().toISOString();
    const { fromMs = null, toMs = null } = window ?? {};
    this.#sql.setConsent.run(given, fromMs, toMs, nowText, planId, deviceId);
  }
}
