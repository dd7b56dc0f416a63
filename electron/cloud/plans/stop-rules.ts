import type Database from 'libsql';
import type { Decision } from '../../../shared/domain/cloud.ts';
import type { PlanStop } from '../../../shared/domain/plan-stages.ts';
import { type BrokenRule, brokenRule, type StopRules } from '../../../shared/domain/stages.ts';
import type { Clock } from '../clock.ts';
import type { CloudDatabase } from '../store/database.ts';
import type { DeviceLog } from './device-log.ts';
import type { Stages } from './stages.ts';

/** Devices that a stop names. */
const maxNamed = 100;

interface StopRow {
  readonly seq: number;
  readonly body: string;
  readonly resumed: string | null;
}

/** Suspends plans whose failures broke a rule, with the evidence, and records who accepted them. */
export class StopKeeper {
  readonly #clock: Clock;
  readonly #stages: Stages;
  readonly #log: DeviceLog;
  readonly #sql: Record<
    'suspend' | 'insert' | 'culprits' | 'all' | 'open' | 'resume' | 'unaccepted' | 'accept',
    Database.Statement
  >;

  constructor(db: CloudDatabase, clock: Clock, stages: Stages, log: DeviceLog) {
    this.#clock = clock;
    this.#stages = stages;
    this.#log = log;
    const fails = `plan_id = ? AND accepted = 0 AND (state = 'failed' OR silent = 1)`;
    this.#sql = {
      suspend: db.prepare(`UPDATE plans SET state = 'suspended' WHERE id = ?`),
      insert: db.prepare(
        `INSERT INTO plan_stops (plan_id, seq, body)
         SELECT ?1, coalesce(max(seq), 0) + 1, ?2 FROM plan_stops WHERE plan_id = ?1`,
      ),
      culprits: db.prepare(
        `SELECT device_id, CASE WHEN silent THEN 'silent' ELSE coalesce(error, 'unknown') END AS code
         FROM rollout WHERE ${fails} AND (? IS NULL OR stage = ?)
         ORDER BY updated_at DESC, device_id LIMIT ${maxNamed}`,
      ),
      all: db.prepare('SELECT seq, body, resumed FROM plan_stops WHERE plan_id = ? ORDER BY seq'),
      open: db.prepare(
        'SELECT seq FROM plan_stops WHERE plan_id = ? AND resumed IS NULL ORDER BY seq DESC LIMIT 1',
      ),
      resume: db.prepare('UPDATE plan_stops SET resumed = ? WHERE plan_id = ? AND resumed IS NULL'),
      unaccepted: db.prepare(`SELECT device_id FROM rollout WHERE ${fails}`),
      accept: db.prepare('UPDATE rollout SET accepted = 1 WHERE plan_id = ? AND device_id = ?'),
    };
  }

  /** The rule that the open stages break now, or null. */
  broken(planId: string, rules: StopRules | undefined): BrokenRule | null {
    return rules ? brokenRule(rules, this.#stages.openTallies(planId)) : null;
  }

  /** Suspends an active plan that breaks a rule; true when it did. Call inside a write unit. */
  check(planId: string, rules: StopRules | undefined): boolean {
    const found = this.broken(planId, rules);
    if (!found) return false;
    const { stage, ...numbers } = found;
    const rows = this.#sql.culprits.all(planId, stage, stage) as {
      device_id: string;
      code: string;
    }[];
    const stop: Omit<PlanStop, 'resumed'> = {
      ...numbers,
      at: this.#nowText(),
      stage: stage === null ? null : stage + 1,
      devices: rows.map(({ device_id: deviceId, code }) => ({ deviceId, code })),
    };
    this.#sql.insert.run(planId, JSON.stringify(stop));
    this.#sql.suspend.run(planId);
    return true;
  }

  /** Whether a stop waits for a person. */
  isOpen(planId: string): boolean {
    return this.#sql.open.get(planId) !== undefined;
  }

  /** Accepts every failed and silent device of now: they break no rule again. Call inside a write unit. */
  accept(planId: string, { name, reason }: Decision): void {
    const devices = this.#sql.unaccepted.all(planId) as { device_id: string }[];
    for (const { device_id } of devices) {
      this.#sql.accept.run(planId, device_id);
      this.#log.add(planId, device_id, 'accepted', { detail: `${name}: ${reason}` });
    }
    const resumed = { at: this.#nowText(), name, reason, accepted: devices.length };
    this.#sql.resume.run(JSON.stringify(resumed), planId);
  }

  /** Oldest first. */
  list(planId: string): PlanStop[] {
    return (this.#sql.all.all(planId) as StopRow[]).map(({ body, resumed }) => ({
      ...(JSON.parse(body) as Omit<PlanStop, 'resumed'>),
      resumed: resumed === null ? null : (JSON.parse(resumed) as PlanStop['resumed']),
    }));
  }

  #nowText(): string {
    return new Date(this.#clock.nowMs()).toISOString();
  }
}
