import Database from 'libsql';
import { problem } from '../../../shared/domain/problem.ts';

/** Stages and stop rules, and what happened to each device; the trigger keeps the tallies true whoever changes a row. */
const stagesMigration = `
   ALTER TABLE plans ADD COLUMN stages INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE plans ADD COLUMN open_stages INTEGER NOT NULL DEFAULT 1;
   ALTER TABLE plans ADD COLUMN guarded INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE rollout ADD COLUMN stage INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE rollout ADD COLUMN silent INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE rollout ADD COLUMN accepted INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX rollout_silent ON rollout (plan_id) WHERE silent = 1;
   ALTER TABLE actions ADD COLUMN asked_ms INTEGER NOT NULL DEFAULT 0;
   ALTER TABLE devices ADD COLUMN heard_ms INTEGER NOT NULL DEFAULT 0;
   CREATE TABLE served_time (
     id INTEGER PRIMARY KEY CHECK (id = 1), ms INTEGER NOT NULL, runs INTEGER NOT NULL);
   INSERT INTO served_time VALUES (1, 0, 0);
   CREATE TABLE plan_stages (
     plan_id TEXT NOT NULL, stage INTEGER NOT NULL, devices INTEGER NOT NULL,
     not_upgraded INTEGER NOT NULL, upgrading INTEGER NOT NULL DEFAULT 0,
     upgraded INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
     silent INTEGER NOT NULL DEFAULT 0, accepted INTEGER NOT NULL DEFAULT 0,
     no_update_required INTEGER NOT NULL,
     opened_at TEXT, opened_by TEXT, gate_met_at TEXT, gate_met_ms INTEGER,
     PRIMARY KEY (plan_id, stage)) WITHOUT ROWID;
   CREATE TRIGGER rollout_tally AFTER UPDATE OF state, silent, accepted ON rollout
     WHEN old.state <> new.state OR old.silent <> new.silent OR old.accepted <> new.accepted
   BEGIN
     UPDATE plan_stages SET
       not_upgraded = not_upgraded - (old.state = 'notUpgraded') + (new.state = 'notUpgraded'),
       upgrading = upgrading - (old.state = 'upgrading') + (new.state = 'upgrading'),
       upgraded = upgraded - (old.state = 'upgraded') + (new.state = 'upgraded'),
       failed = failed - (old.state = 'failed' AND NOT old.accepted)
         + (new.state = 'failed' AND NOT new.accepted),
       silent = silent - (old.silent AND NOT old.accepted) + (new.silent AND NOT new.accepted),
       accepted = accepted - (old.accepted AND (old.state = 'failed' OR old.silent))
         + (new.accepted AND (new.state = 'failed' OR new.silent)),
       no_update_required = no_update_required - (old.state = 'noUpdateRequired')
         + (new.state = 'noUpdateRequired')
     WHERE plan_id = new.plan_id AND stage = new.stage;
   END;
   CREATE TABLE plan_stops (
     plan_id TEXT NOT NULL, seq INTEGER NOT NULL, body TEXT NOT NULL, resumed TEXT,
     PRIMARY KEY (plan_id, seq)) WITHOUT ROWID;
   CREATE TABLE device_log (
     plan_id TEXT NOT NULL, device_id TEXT NOT NULL, seq INTEGER NOT NULL, at TEXT NOT NULL,
     event TEXT NOT NULL, component_id TEXT, code TEXT, detail TEXT,
     PRIMARY KEY (plan_id, device_id, seq)) WITHOUT ROWID;`;

/**
 * What devices reported, apart from what they were declared with. Until then both were one: a version counts as
 * reported where the protocol has a device say its versions before anything else, or where an upgrade was proven by it.
 */
const reportsMigration = `
   ALTER TABLE devices ADD COLUMN reports TEXT NOT NULL DEFAULT '{}';
   UPDATE devices SET reports = (
     SELECT json_group_object(version.key, json_object(
       'version', version.value, 'at', devices.last_seen_at,
       'protocol', CASE devices.transport WHEN 'http' THEN 'ddi' ELSE devices.transport END))
     FROM json_each(devices.versions) AS version
     WHERE devices.transport <> 'http' OR EXISTS (
       SELECT 1 FROM rollout JOIN rollout_components AS component
         ON component.plan_id = rollout.plan_id AND component.device_id = rollout.device_id
       WHERE rollout.device_id = devices.id AND component.component_id = version.key
         AND component.state = 'upgradeSucceeded' AND component.to_version = version.value))
   WHERE last_seen_at IS NOT NULL;`;

/** Each entry is applied once, in order. Never edit one that was released. */
const migrations = [
  `CREATE TABLE products (id TEXT PRIMARY KEY, name TEXT NOT NULL);
   CREATE TABLE devices (
     id TEXT PRIMARY KEY, product_id TEXT NOT NULL REFERENCES products (id), transport TEXT NOT NULL,
     imsi TEXT, iccid TEXT, batch TEXT, versions TEXT NOT NULL, last_seen_at TEXT,
     secret_sha256 BLOB NOT NULL);
   CREATE INDEX devices_by_product ON devices (product_id, id);
   CREATE TABLE artifacts (sha256 TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL, sha1 TEXT NOT NULL, md5 TEXT NOT NULL);
   CREATE TABLE packages (
     id TEXT PRIMARY KEY, product_id TEXT NOT NULL, component_id TEXT NOT NULL, package_type TEXT NOT NULL,
     source_version TEXT, target_version TEXT NOT NULL, name TEXT NOT NULL, body TEXT NOT NULL,
     artifact_name TEXT NOT NULL, artifact_size_bytes INTEGER NOT NULL, artifact_sha256 TEXT NOT NULL);
   CREATE TABLE plans (
     id TEXT PRIMARY KEY, seq INTEGER NOT NULL UNIQUE, product_id TEXT NOT NULL, state TEXT NOT NULL,
     body TEXT NOT NULL, skipped TEXT NOT NULL, published_at TEXT NOT NULL);
   CREATE TABLE rollout (
     plan_id TEXT NOT NULL REFERENCES plans (id), device_id TEXT NOT NULL REFERENCES devices (id),
     state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, error TEXT, updated_at TEXT NOT NULL,
     PRIMARY KEY (plan_id, device_id)) WITHOUT ROWID;
   CREATE INDEX rollout_by_state ON rollout (plan_id, state, error);
   CREATE INDEX rollout_by_device ON rollout (device_id, state);
   CREATE TABLE rollout_components (
     plan_id TEXT NOT NULL, device_id TEXT NOT NULL, ordinal INTEGER NOT NULL, component_id TEXT NOT NULL,
     state TEXT NOT NULL, from_version TEXT, to_version TEXT NOT NULL, package_type TEXT NOT NULL,
     progress REAL NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0,
     PRIMARY KEY (plan_id, device_id, ordinal)) WITHOUT ROWID;
   CREATE TABLE actions (
     id INTEGER PRIMARY KEY AUTOINCREMENT, plan_id TEXT NOT NULL, device_id TEXT NOT NULL,
     ordinal INTEGER NOT NULL, package_id TEXT NOT NULL, state TEXT NOT NULL, begun INTEGER NOT NULL DEFAULT 0,
     created_at TEXT NOT NULL, closed_at TEXT);
   CREATE INDEX actions_by_device ON actions (device_id, package_id);
   CREATE UNIQUE INDEX actions_live ON actions (plan_id, device_id) WHERE state IN ('open', 'awaitingVersion');
   CREATE TABLE history (
     plan_id TEXT NOT NULL, at_ms INTEGER NOT NULL, not_upgraded INTEGER NOT NULL, upgrading INTEGER NOT NULL,
     upgraded INTEGER NOT NULL, failed INTEGER NOT NULL, no_update_required INTEGER NOT NULL,
     PRIMARY KEY (plan_id, at_ms)) WITHOUT ROWID;`,
  'ALTER TABLE devices ADD COLUMN removed_at TEXT',
  `CREATE TABLE accounts (
     name TEXT PRIMARY KEY, role TEXT NOT NULL, token_sha256 TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL);
   CREATE TABLE audit (
     id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, account TEXT NOT NULL, address TEXT NOT NULL,
     method TEXT NOT NULL, path TEXT NOT NULL, body TEXT, status INTEGER NOT NULL, problem TEXT);
   CREATE TABLE webhooks (
     id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, device_failures INTEGER NOT NULL, created_at TEXT NOT NULL);
   CREATE TABLE webhook_deliveries (
     id INTEGER PRIMARY KEY AUTOINCREMENT, webhook_id TEXT NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
     event TEXT NOT NULL, at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
     plan_id TEXT NOT NULL, device_id TEXT, from_state TEXT, to_state TEXT NOT NULL, code TEXT,
     attempts INTEGER NOT NULL DEFAULT 0, next_at_ms INTEGER NOT NULL DEFAULT 0, ended_at TEXT, error TEXT);
   CREATE INDEX webhook_deliveries_open ON webhook_deliveries (webhook_id, id) WHERE ended_at IS NULL;
   CREATE TRIGGER plan_published AFTER INSERT ON plans BEGIN
     INSERT INTO webhook_deliveries (webhook_id, event, plan_id, to_state)
       SELECT id, 'plan.state', NEW.id, NEW.state FROM webhooks;
   END;
   CREATE TRIGGER plan_state_changed AFTER UPDATE OF state ON plans WHEN OLD.state <> NEW.state BEGIN
     INSERT INTO webhook_deliveries (webhook_id, event, plan_id, from_state, to_state)
       SELECT id, 'plan.state', NEW.id, OLD.state, NEW.state FROM webhooks;
   END;
   CREATE TRIGGER device_failed AFTER UPDATE OF state ON rollout WHEN NEW.state = 'failed' AND OLD.state <> 'failed' BEGIN
     INSERT INTO webhook_deliveries (webhook_id, event, plan_id, device_id, from_state, to_state, code)
       SELECT id, 'device.failed', NEW.plan_id, NEW.device_id, OLD.state, NEW.state, NEW.error
       FROM webhooks WHERE device_failures = 1;
   END;`,
  `ALTER TABLE devices ADD COLUMN battery_percent INTEGER;
   ALTER TABLE devices ADD COLUMN rsrp_dbm INTEGER;
   ALTER TABLE devices ADD COLUMN auto_confirm INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX devices_by_battery ON devices (battery_percent) WHERE battery_percent IS NOT NULL;
   CREATE INDEX devices_by_rsrp ON devices (rsrp_dbm) WHERE rsrp_dbm IS NOT NULL;
   ALTER TABLE rollout ADD COLUMN consent TEXT;
   ALTER TABLE rollout ADD COLUMN window_from_ms INTEGER;
   ALTER TABLE rollout ADD COLUMN window_to_ms INTEGER;
   ALTER TABLE rollout ADD COLUMN begun_at_ms INTEGER;
   CREATE INDEX rollout_appointed ON rollout (window_from_ms) WHERE consent = 'appointed';`,
  stagesMigration,
  reportsMigration,
];

const longestPauseMs = 25;
/** From so many writes in a commit on there is load, and the pause is so many times longer than the commit. */
const loadedUnits = 16;
const loadedPauseFactor = 4;
/** So many writes share a commit at most: a few tenths of a second, in which nothing else is done. */
const mostUnits = 500;

interface Unit {
  readonly run: () => unknown;
  readonly done: (value: unknown) => void;
  readonly fail: (error: unknown) => void;
}

/**
 * The cloud's SQLite database. Writes that arrive together share one transaction and so one disk
 * sync (group commit); the promise of a write resolves only after its commit, which is what lets
 * a device be answered without anything being lost to a kill.
 */
export class CloudDatabase {
  readonly #db: Database.Database;
  #queue: Unit[] = [];
  #closed = false;
  /** The pause that follows the last commit, and when that ended, in milliseconds. */
  #last = { pauseMs: 0, endedMs: 0 };
  #commits = 0;
  readonly #commitListeners: ((tookMs: number) => void)[] = [];

  constructor(path: string) {
    this.#db = new Database(path);
    this.#db.exec('PRAGMA busy_timeout = 5000');
    this.#db.exec('PRAGMA journal_mode = WAL');
    this.#db.exec('PRAGMA synchronous = FULL');
    this.#db.exec('PRAGMA foreign_keys = ON');
    this.#migrate();
  }

  prepare(sql: string): Database.Statement {
    return this.#db.prepare(sql);
  }

  /** Runs a synchronous unit of reads and writes; it is committed whole, or not at all when it throws. */
  write<T>(run: () => T): Promise<T> {
    return new Promise<T>((done, fail) => {
      if (this.#closed) {
        fail(new Error('The database is closed.'));
        return;
      }
      if (this.#queue.length === 0) this.#commitSoon();
      this.#queue.push({ run, done: done as (value: unknown) => void, fail });
    });
  }

  /** How many commits there have been: what was read stays true as long as this stays the same. */
  get commits(): number {
    return this.#commits;
  }

  /** Calls the listener after each commit with the milliseconds that it took. */
  onCommit(listener: (tookMs: number) => void): void {
    this.#commitListeners.push(listener);
  }

  /** A pause after the last commit, so that under load more writes share each disk sync; at rest there is none. */
  #commitSoon(): void {
    const { pauseMs, endedMs } = this.#last;
    const waitMs = Math.min(pauseMs, longestPauseMs) - (performance.now() - endedMs);
    if (waitMs <= 1) setImmediate(() => this.#commit());
    else setTimeout(() => this.#commit(), waitMs);
  }

  /** Commits what waits, then closes. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    while (this.#queue.length > 0) this.#commit();
    try {
      // One file then holds everything, for whoever copies the folder.
      this.#db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    } catch (error) {
      // On a full disk the log stays beside the database, and nothing is lost.
      if (!isDiskFull(error)) throw error;
    } finally {
      this.#db.close();
    }
  }

  #commit(): void {
    const units = this.#queue.splice(0, mostUnits);
    if (units.length === 0) return;
    if (this.#queue.length > 0) setImmediate(() => this.#commit());
    const settle: (() => void)[] = [];
    const startedMs = performance.now();
    try {
      this.#db.exec('BEGIN IMMEDIATE');
      for (const unit of units) settle.push(this.#runUnit(unit));
      this.#db.exec('COMMIT');
    } catch (error) {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
      const reason = isDiskFull(error) ? diskFull(error) : error;
      for (const unit of units) unit.fail(reason);
      return;
    }
    this.#commits++;
    const endedMs = performance.now();
    const tookMs = endedMs - startedMs;
    const pauseFactor = units.length < loadedUnits ? 1 : loadedPauseFactor;
    this.#last = { pauseMs: tookMs * pauseFactor, endedMs };
    for (const answer of settle) answer();
    for (const listener of this.#commitListeners) listener(tookMs);
  }

  #runUnit(unit: Unit): () => void {
    this.#db.exec('SAVEPOINT unit');
    try {
      const value = unit.run();
      this.#db.exec('RELEASE unit');
      return () => unit.done(value);
    } catch (error) {
      // A full disk takes the whole transaction back, and the savepoint with it.
      if (!this.#db.inTransaction) throw error;
      this.#db.exec('ROLLBACK TO unit');
      this.#db.exec('RELEASE unit');
      return () => unit.fail(error);
    }
  }

  #migrate(): void {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      this.#db.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)');
      const row = this.#db.prepare('SELECT max(version) AS version FROM schema_version').get() as
        | { version: number | null }
        | undefined;
      for (let next = row?.version ?? 0; next < migrations.length; next++) {
        this.#db.exec(migrations[next] ?? '');
        this.#db.prepare('INSERT INTO schema_version (version) VALUES (?)').run(next + 1);
      }
      this.#db.exec('COMMIT');
    } catch (error) {
      this.#db.exec('ROLLBACK');
      throw error;
    }
  }
}

function isDiskFull(error: unknown): error is Error {
  return (error as { code?: string }).code === 'SQLITE_FULL';
}

function diskFull(error: Error): Error {
  return problem(
    'disk-full',
    'The disk is full',
    error.message,
    'Free some space and try again; nothing was changed.',
  );
}
