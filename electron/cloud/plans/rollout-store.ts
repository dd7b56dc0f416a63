import type Database from 'libsql';
import type {
  ComponentState,
  DeviceState,
  PlanState,
  RolloutDevice,
  Transport,
} from '../../../shared/domain/plan.ts';
import type { CloudDatabase } from '../store/database.ts';
import { likePattern } from '../store/devices.ts';
import type { ServedTime } from '../store/served-time.ts';
import type { Page } from '../types.ts';
import type { DeviceLog } from './device-log.ts';

/** One attempt to upgrade one component of one device; its id is the job id that devices see. */
export interface ActionRow {
  readonly id: number;
  readonly plan_id: string;
  readonly device_id: string;
  readonly ordinal: number;
  readonly package_id: string;
  readonly state: 'open' | 'awaitingVersion' | 'succeeded' | 'failed' | 'cancelled';
  /** 1 once the device has received the job. */
  readonly begun: number;
}

export interface ComponentRow {
  readonly ordinal: number;
  readonly component_id: string;
  readonly state: ComponentState;
  readonly from_version: string | null;
  readonly to_version: string;
  readonly package_type: 'full' | 'delta';
  readonly progress: number;
  readonly attempts: number;
}

export interface RolloutRow {
  readonly plan_id: string;
  readonly state: DeviceState;
  readonly plan_state: PlanState;
  /** What the user of the device said about a manual plan. */
  readonly consent: 'confirmed' | 'appointed' | null;
  /** The appointed window in milliseconds since 1970. */
  readonly window_from_ms: number | null;
  readonly window_to_ms: number | null;
  /** What the device said last: percent, dBm, and whether it is to be asked at all. */
  readonly battery_percent: number | null;
  readonly rsrp_dbm: number | null;
  readonly auto_confirm: number;
}

interface RolloutDeviceRow {
  readonly device_id: string;
  readonly transport: Transport;
  readonly state: DeviceState;
  readonly attempts: number;
  readonly error: string | null;
  readonly updated_at: string;
  /** From 1; null in a plan without stages. */
  readonly stage: number | null;
  readonly silent: number;
  readonly accepted: number;
}

interface DeviceTransportRow {
  readonly device_id: string;
  readonly transport: Transport;
}

/** A device and the way it is reached. */
export interface ReachableDevice {
  readonly deviceId: string;
  readonly transport: Transport;
}

export interface RolloutListQuery {
  readonly offset: number;
  readonly limit: number;
  readonly state: DeviceState | '';
  readonly search: string;
}

const live = `state IN ('open', 'awaitingVersion')`;
const unfinished = `state NOT IN ('upgradeSucceeded', 'noUpdateRequired')`;
/** Plans that a waiting device may begin once its stage is open: open ones, and any that its user has confirmed. */
const mayBegin = `(rollout.stage < plans.open_stages AND (plans.state IN ('activated', 'upgrading')
  OR consent = 'confirmed' AND plans.state IN ('ended', 'terminated')))`;
/** Devices of a plan, as a condition on `rollout`, that fail when it is terminated: neither begun nor confirmed in an open stage. */
export const endsWithPlan = `state = 'notUpgraded' AND (consent IS NOT 'confirmed'
  OR stage >= (SELECT open_stages FROM plans WHERE plans.id = plan_id))`;
const selectRollout = `SELECT rollout.plan_id, rollout.state, plans.state AS plan_state, consent,
  window_from_ms, window_to_ms, battery_percent, rsrp_dbm, auto_confirm
  FROM rollout JOIN plans ON plans.id = rollout.plan_id JOIN devices ON devices.id = device_id`;
const listed = `plan_id = ? AND (? = '' OR rollout.state = ?) AND (? = '' OR device_id LIKE ? ESCAPE '\\')`;
const componentColumns =
  'ordinal, component_id, state, from_version, to_version, package_type, progress, attempts';

/** The rows of device and component states and of actions; rules are in {@link RolloutEngine}. */
export class RolloutStore {
  readonly #served: ServedTime;
  readonly #log: DeviceLog;
  readonly #sql: Record<
    | 'open'
    | 'unfinishedOf'
    | 'waiting'
    | 'upgrading'
    | 'one'
    | 'setRollout'
    | 'countAttempt'
    | 'nextComponent'
    | 'component'
    | 'components'
    | 'setComponent'
    | 'setChoice'
    | 'countComponentAttempt'
    | 'action'
    | 'liveAction'
    | 'insertAction'
    | 'begin'
    | 'setAction'
    | 'mayDownload'
    | 'count'
    | 'page',
    Database.Statement
  >;

  constructor(db: CloudDatabase, served: ServedTime, log: DeviceLog) {
    this.#served = served;
    this.#log = log;
    this.#sql = {
      open: db.prepare(
        `${selectRollout}
         WHERE device_id = ? AND rollout.state IN ('notUpgraded', 'upgrading')
           AND (rollout.state = 'upgrading' OR ${mayBegin})
         ORDER BY rollout.state = 'upgrading' DESC, plans.seq`,
      ),
      unfinishedOf: db.prepare(
        `SELECT plan_id FROM rollout JOIN plans ON plans.id = plan_id
         WHERE device_id = ? AND (rollout.state = 'upgrading'
           OR rollout.state = 'notUpgraded' AND (plans.state = 'suspended' OR ${mayBegin}))`,
      ),
      waiting: db.prepare(
        `SELECT DISTINCT rollout.device_id, transport
         FROM rollout JOIN plans ON plans.id = rollout.plan_id JOIN devices ON devices.id = device_id
         WHERE rollout.state = 'notUpgraded' AND ${mayBegin}
           AND (? = '' OR device_id IN (SELECT device_id FROM rollout WHERE plan_id = ?))`,
      ),
      upgrading: db.prepare(`SELECT DISTINCT device_id FROM rollout WHERE state = 'upgrading'`),
      one: db.prepare(`${selectRollout} WHERE plan_id = ? AND device_id = ?`),
      setRollout: db.prepare(
        'UPDATE rollout SET state = ?, error = ?, updated_at = ?, silent = 0 WHERE plan_id = ? AND device_id = ?',
      ),
      countAttempt: db.prepare(
        `UPDATE rollout SET attempts = attempts + 1, begun_at_ms = coalesce(begun_at_ms, ?)
         WHERE plan_id = ? AND device_id = ?`,
      ),
      nextComponent: db.prepare(
        `SELECT ${componentColumns} FROM rollout_components
         WHERE plan_id = ? AND device_id = ? AND ${unfinished} ORDER BY ordinal LIMIT 1`,
      ),
      component: db.prepare(
        `SELECT ${componentColumns} FROM rollout_components WHERE plan_id = ? AND device_id = ? AND ordinal = ?`,
      ),
      components: db.prepare(
        `SELECT ${componentColumns} FROM rollout_components WHERE plan_id = ? AND device_id = ? ORDER BY ordinal`,
      ),
      setComponent: db.prepare(
        `UPDATE rollout_components SET state = ?, progress = ? WHERE plan_id = ? AND device_id = ? AND ordinal = ?`,
      ),
      setChoice: db.prepare(
        `UPDATE rollout_components SET from_version = ?, package_type = ? WHERE plan_id = ? AND device_id = ? AND ordinal = ?`,
      ),
      countComponentAttempt: db.prepare(
        `UPDATE rollout_components SET attempts = attempts + 1 WHERE plan_id = ? AND device_id = ? AND ordinal = ?`,
      ),
      action: db.prepare('SELECT * FROM actions WHERE id = ?'),
      liveAction: db.prepare(
        `SELECT * FROM actions WHERE plan_id = ? AND device_id = ? AND ${live}`,
      ),
      insertAction: db.prepare(
        `INSERT INTO actions (plan_id, device_id, ordinal, package_id, state, created_at, asked_ms)
         VALUES (?, ?, ?, ?, 'open', ?, ?) RETURNING *`,
      ),
      begin: db.prepare('UPDATE actions SET begun = 1 WHERE id = ?'),
      setAction: db.prepare('UPDATE actions SET state = ?, closed_at = ? WHERE id = ?'),
      mayDownload: db.prepare(
        'SELECT 1 FROM actions WHERE device_id = ? AND package_id = ? LIMIT 1',
      ),
      count: db.prepare(`SELECT count(*) AS total FROM rollout WHERE ${listed}`),
      page: db.prepare(
        `SELECT device_id, transport, rollout.state, attempts, error, updated_at,
           CASE WHEN plans.stages > 0 THEN rollout.stage + 1 END AS stage, silent, accepted
         FROM rollout JOIN devices ON devices.id = rollout.device_id
           JOIN plans ON plans.id = rollout.plan_id
         WHERE ${listed} ORDER BY device_id LIMIT ? OFFSET ?`,
      ),
    };
  }

  /** Called when a device of a plan, or one of its components, changes. */
  onDeviceChanged: (planId: string, deviceId: string) => void = () => undefined;

  /** The plans that may have a job for a device: the one it is in the middle of, then open ones, oldest first. */
  openRows(deviceId: string): RolloutRow[] {
    return this.#sql.open.all(deviceId) as RolloutRow[];
  }

  /** Plans in which the device has not finished and that are not over for it. */
  unfinishedPlans(deviceId: string): string[] {
    return (this.#sql.unfinishedOf.all(deviceId) as { plan_id: string }[]).map((r) => r.plan_id);
  }

  /** Devices that may begin an open plan; with a plan, only those in it, whichever plan is their next. */
  waitingDevices(planId: string | null): ReachableDevice[] {
    const rows = this.#sql.waiting.all(planId ?? '', planId ?? '') as DeviceTransportRow[];
    return rows.map((row) => ({ deviceId: row.device_id, transport: row.transport }));
  }

  /** Devices in the middle of a plan. */
  upgradingDevices(): string[] {
    return (this.#sql.upgrading.all() as { device_id: string }[]).map((row) => row.device_id);
  }

  rollout(planId: string, deviceId: string): RolloutRow | null {
    return (this.#sql.one.get(planId, deviceId) as RolloutRow | undefined) ?? null;
  }

  setDevice(planId: string, deviceId: string, state: DeviceState, error: string | null): void {
    this.onDeviceChanged(planId, deviceId);
    this.#sql.setRollout.run(state, error, new Date().toISOString(), planId, deviceId);
    if (state !== 'upgrading') this.#log.add(planId, deviceId, state, { code: error });
  }

  nextComponent(planId: string, deviceId: string): ComponentRow | null {
    return (this.#sql.nextComponent.get(planId, deviceId) as ComponentRow | undefined) ?? null;
  }

  components(planId: string, deviceId: string): ComponentRow[] {
    return this.#sql.components.all(planId, deviceId) as ComponentRow[];
  }

  /** The component that an action upgrades. */
  componentOf(at: { plan_id: string; device_id: string; ordinal: number }): ComponentRow {
    const { plan_id, device_id, ordinal } = at;
    return this.#sql.component.get(plan_id, device_id, ordinal) as ComponentRow;
  }

  /** `before` is its row until now, `code` why it failed, where it did. */
  setComponent(
    at: { plan_id: string; device_id: string; ordinal: number },
    before: ComponentRow,
    state: ComponentState,
    progress: number,
    code: string | null = null,
  ): void {
    this.onDeviceChanged(at.plan_id, at.device_id);
    this.#sql.setComponent.run(state, progress, at.plan_id, at.device_id, at.ordinal);
    if (before.state === state) return;
    const componentId = before.component_id;
    this.#log.add(at.plan_id, at.device_id, state, { componentId, code });
  }

  action(actionId: number): ActionRow | null {
    return (this.#sql.action.get(actionId) as ActionRow | undefined) ?? null;
  }

  liveAction(planId: string, deviceId: string): ActionRow | null {
    return (this.#sql.liveAction.get(planId, deviceId) as ActionRow | undefined) ?? null;
  }

  /** Opens an action for a component with the package that fits what the device runs now. */
  openAction(
    at: { plan_id: string; device_id: string; ordinal: number },
    component: ComponentRow,
    from: string | null,
    choice: { packageType: 'full' | 'delta'; packageId: string },
  ): ActionRow {
    const { plan_id, device_id, ordinal } = at;
    this.setChoice(at, from, choice.packageType);
    const values = [plan_id, device_id, ordinal, choice.packageId, new Date().toISOString()];
    const action = this.#sql.insertAction.get(...values, this.#served.nowMs()) as ActionRow;
    this.#log.add(plan_id, device_id, 'jobGiven', {
      componentId: component.component_id,
      detail: `${choice.packageType}, ${from ?? 'unknown'} → ${component.to_version}`,
    });
    return action;
  }

  setChoice(
    at: { plan_id: string; device_id: string; ordinal: number },
    from: string | null,
    packageType: 'full' | 'delta',
  ): void {
    this.#sql.setChoice.run(from, packageType, at.plan_id, at.device_id, at.ordinal);
  }

  /** The device has received the job: this counts as an attempt, and the first one is when its part of the plan began. */
  beginAction(action: ActionRow, nowMs: number): void {
    this.#sql.begin.run(action.id);
    this.#sql.countAttempt.run(nowMs, action.plan_id, action.device_id);
    this.#sql.countComponentAttempt.run(action.plan_id, action.device_id, action.ordinal);
  }

  setAction(action: ActionRow, state: Exclude<ActionRow['state'], 'open'>): void {
    const closedAt = state === 'awaitingVersion' ? null : new Date().toISOString();
    this.#sql.setAction.run(state, closedAt, action.id);
  }

  /** Whether a device was ever given this package. */
  mayDownload(deviceId: string, packageId: string): boolean {
    return this.#sql.mayDownload.get(deviceId, packageId) !== undefined;
  }

  list(planId: string, query: RolloutListQuery): Page<RolloutDevice> {
    const filter = [planId, query.state, query.state, query.search, likePattern(query.search)];
    const { total } = this.#sql.count.get(...filter) as { total: number };
    const rows = this.#sql.page.all(...filter, query.limit, query.offset) as RolloutDeviceRow[];
    return { total, items: rows.map((row) => this.#device(planId, row)) };
  }

  #device(planId: string, row: RolloutDeviceRow): RolloutDevice {
    return {
      deviceId: row.device_id,
      transport: row.transport,
      state: row.state,
      attempts: row.attempts,
      error: row.error,
      updatedAt: row.updated_at,
      ...(row.stage === null ? {} : { stage: row.stage }),
      ...(row.silent ? { silent: true } : {}),
      ...(row.accepted && (row.silent || row.state === 'failed') ? { accepted: true } : {}),
      components: this.components(planId, row.device_id).map((component) => ({
        componentId: component.component_id,
        state: component.state,
        fromVersion: component.from_version,
        toVersion: component.to_version,
        packageType: component.package_type,
        progress: component.progress,
      })),
    };
  }
}
