import type Database from 'libsql';
import type { Clock } from '../clock.ts';
import type { ArtifactStore } from './artifact-store.ts';
import type { CloudDatabase } from './database.ts';
import type { PackageStore } from './packages.ts';

const dayMs = 86_400_000;
/** A clock that is wrong after a start has been noticed, or has righted itself, by then. */
const firstLookMs = 6 * 3_600_000;
const lookPeriodMs = 60_000;
/** Rows that are removed at a time: devices wait no longer than for one of their own reports. */
const rowsPerUnit = 2000;

/** What is removed of a plan that ended long ago; how it went for each device stays. */
const details = [
  'DELETE FROM device_log WHERE (plan_id, device_id, seq) IN (SELECT plan_id, device_id, seq FROM device_log WHERE plan_id = ?1 LIMIT ?2)',
  `DELETE FROM actions WHERE id IN (SELECT id FROM actions WHERE plan_id = ?1 LIMIT ?2)`,
  'DELETE FROM history WHERE (plan_id, at_ms) IN (SELECT plan_id, at_ms FROM history WHERE plan_id = ?1 AND at_ms < (SELECT max(at_ms) FROM history WHERE plan_id = ?1) LIMIT ?2)',
] as const;

/**
 * Keeps the data folder from growing for ever: of plans that ended more than so many days ago it
 * removes the log of each device, the jobs and the course over time; the plan, its outcome and the
 * state of each device stay. Artifacts that only such plans name are removed as well.
 */
export class Retention {
  readonly #db: CloudDatabase;
  readonly #packages: PackageStore;
  readonly #artifacts: ArtifactStore;
  readonly #clock: Clock;
  readonly #keepDays: number;
  readonly #details: readonly Database.Statement[];
  readonly #sql: Record<'old' | 'unused' | 'forgetArtifact' | 'deliveries', Database.Statement>;
  #nextMs: number;
  #stop: () => void = () => undefined;
  #work: Promise<void> = Promise.resolve();

  constructor(parts: {
    readonly db: CloudDatabase;
    readonly packages: PackageStore;
    readonly artifacts: ArtifactStore;
    readonly clock: Clock;
    readonly keepDays: number;
  }) {
    const { db } = parts;
    this.#db = db;
    this.#packages = parts.packages;
    this.#artifacts = parts.artifacts;
    this.#clock = parts.clock;
    this.#keepDays = parts.keepDays;
    this.#nextMs = parts.clock.elapsedMs() + firstLookMs;
    this.#details = details.map((sql) => db.prepare(sql));
    const isOld = `plans.state IN ('ended', 'terminated')
      AND (SELECT max(at_ms) FROM history WHERE plan_id = plans.id) < ?
      AND NOT EXISTS (SELECT 1 FROM rollout WHERE plan_id = plans.id AND state = 'upgrading')`;
    this.#sql = {
      old: db.prepare(
        `SELECT id FROM plans WHERE ${isOld} AND (
           EXISTS (SELECT 1 FROM actions WHERE plan_id = plans.id)
           OR EXISTS (SELECT 1 FROM device_log WHERE plan_id = plans.id))`,
      ),
      unused: db.prepare(
        `WITH named AS (
           SELECT plans.id, component.value ->> 'fullPackageId' AS package_id
             FROM plans, json_each(plans.body, '$.components') AS component
           UNION SELECT plans.id, delta.value ->> 'packageId'
             FROM plans, json_each(plans.body, '$.components') AS component,
               json_each(component.value, '$.deltas') AS delta),
         kept AS (
           SELECT package_id FROM named WHERE id NOT IN (SELECT id FROM plans WHERE ${isOld}))
         SELECT DISTINCT artifact_sha256 AS sha256 FROM packages
         WHERE id IN (SELECT package_id FROM named) AND artifact_sha256 IN (SELECT sha256 FROM artifacts)
           AND artifact_sha256 NOT IN (
             SELECT artifact_sha256 FROM packages
             WHERE id NOT IN (SELECT package_id FROM named WHERE package_id IS NOT NULL)
               OR id IN (SELECT package_id FROM kept WHERE package_id IS NOT NULL))`,
      ),
      forgetArtifact: db.prepare('DELETE FROM artifacts WHERE sha256 = ?'),
      deliveries: db.prepare(
        'DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE ended_at < ? LIMIT ?)',
      ),
    };
  }

  /** Looks some hours after the start, and each day from then on. */
  start(): void {
    this.#stop = this.#clock.every(lookPeriodMs, () => {
      if (this.#clock.elapsedMs() < this.#nextMs) return;
      this.#nextMs = this.#clock.elapsedMs() + dayMs;
      this.#work = this.#work
        .then(() => this.#removeOld())
        .catch((error: unknown) => {
          process.stderr.write(`what is old was not removed: ${String(error)}\n`);
        });
    });
  }

  async close(): Promise<void> {
    this.#stop();
    await this.#work;
  }

  async #removeOld(): Promise<void> {
    const beforeMs = this.#clock.nowMs() - this.#keepDays * dayMs;
    for (const { sha256 } of this.#sql.unused.all(beforeMs) as { sha256: string }[]) {
      // The row first: an artifact without one is sent again, one without a file would be missed.
      await this.#db.write(() => this.#sql.forgetArtifact.run(sha256));
      this.#packages.forget(sha256);
      await this.#artifacts.remove(sha256);
    }
    for (const { id } of this.#sql.old.all(beforeMs) as { id: string }[])
      for (const statement of this.#details)
        await this.#removeAll(() => statement.run(id, rowsPerUnit));
    const beforeText = new Date(beforeMs).toISOString();
    await this.#removeAll(() => this.#sql.deliveries.run(beforeText, rowsPerUnit));
  }

  async #removeAll(remove: () => { changes: number }): Promise<void> {
    for (;;) if ((await this.#db.write(remove)).changes < rowsPerUnit) return;
  }
}
