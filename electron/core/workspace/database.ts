import Database from 'libsql';

/** Each entry is applied once, in order, in a transaction of its own. Never edit one that was released. */
const migrations = [
  `CREATE TABLE releases (id TEXT PRIMARY KEY, product_id TEXT NOT NULL, version TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (product_id, version));
   CREATE TABLE records (kind TEXT NOT NULL, id TEXT NOT NULL, release_id TEXT, created_at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));
   CREATE INDEX records_by_release ON records (kind, release_id);
   CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);`,
];

export type Db = Database.Database;

/**
 * Opens the workspace database: WAL, so that window and CLI work at the same time and a crash loses nothing committed.
 * One that is up to date is not written to, so that it can be read on a full disk.
 */
export function openDatabase(path: string): Db {
  const db = new Database(path);
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    db.exec('PRAGMA journal_mode = WAL');
    db.exec('PRAGMA synchronous = FULL');
    if (schemaVersion(db) < migrations.length) migrate(db);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function schemaVersion(db: Db): number {
  const table = db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").get();
  if (table === undefined) return 0;
  const row = db.prepare('SELECT max(version) AS version FROM schema_version').get() as
    | { version: number | null }
    | undefined;
  return row?.version ?? 0;
}

function migrate(db: Db): void {
  inTransaction(db, () => {
    db.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)');
    for (let next = schemaVersion(db); next < migrations.length; next++) {
      db.exec(migrations[next] ?? '');
      db.prepare('INSERT INTO schema_version (version) VALUES (?)').run(next + 1);
    }
  });
}

/** Runs reads and writes as one: whole or not at all, and nobody else writes in between. */
export function inTransaction<T>(db: Db, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // A full disk has ended the transaction already; another ROLLBACK (libsql's own does one) would hide why.
    if (db.inTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
