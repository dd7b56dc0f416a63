import Database from 'libsql';

/** Each entry is applied once, in order, in a transaction of its own. Never edit one that was released. */
const migrations = [
  `CREATE TABLE releases (id TEXT PRIMARY KEY, product_id TEXT NOT NULL, version TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (product_id, version));
   CREATE TABLE records (kind TEXT NOT NULL, id TEXT NOT NULL, release_id TEXT, created_at TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, id));
   CREATE INDEX records_by_release ON records (kind, release_id);
   CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL);`,
];

export type Db = Database.Database;

/** Opens the workspace database: WAL, so that window and CLI work at the same time and a crash loses nothing committed. */
export function openDatabase(path: string): Db {
  const db = new Database(path);
  db.exec('PRAGMA busy_timeout = 5000');
  db.exec('PRAGMA journal_mode = WAL');
  db.exec('PRAGMA synchronous = FULL');
  db.exec('BEGIN IMMEDIATE');
  try {
    db.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)');
    const row = db.prepare('SELECT max(version) AS version FROM schema_version').get() as
      | { version: number | null }
      | undefined;
    for (let next = row?.version ?? 0; next < migrations.length; next++) {
      db.exec(migrations[next] ?? '');
      db.prepare('INSERT INTO schema_version (version) VALUES (?)').run(next + 1);
    }
    db.exec('COMMIT');
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
  return db;
}
