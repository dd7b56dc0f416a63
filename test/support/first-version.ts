import Database from 'libsql';

/** What the cloud's database held when it was new: tables and their columns. */
const firstTables: Readonly<Record<string, string>> = {
  schema_version: 'version',
  products: 'id name',
  devices: 'id product_id transport imsi iccid batch versions last_seen_at secret_sha256',
  artifacts: 'sha256 size_bytes sha1 md5',
  packages:
    'id product_id component_id package_type source_version target_version name body artifact_name artifact_size_bytes artifact_sha256',
  plans: 'id seq product_id state body skipped published_at',
  rollout: 'plan_id device_id state attempts error updated_at',
  rollout_components:
    'plan_id device_id ordinal component_id state from_version to_version package_type progress attempts',
  actions: 'id plan_id device_id ordinal package_id state begun created_at closed_at',
  history: 'plan_id at_ms not_upgraded upgrading upgraded failed no_update_required',
};
const firstIndices = [
  'devices_by_product',
  'rollout_by_state',
  'rollout_by_device',
  'actions_by_device',
  'actions_live',
];

interface Entry {
  readonly type: 'table' | 'index' | 'trigger' | 'view';
  readonly name: string;
}

/** Takes a database of the cloud back to its first version, whatever came later. */
export function backToFirstVersion(path: string): void {
  const db = new Database(path);
  const entries = db
    .prepare(
      `SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' AND sql IS NOT NULL`,
    )
    .all() as Entry[];
  const isFirst = ({ type, name }: Entry): boolean =>
    type === 'table' ? Object.hasOwn(firstTables, name) : firstIndices.includes(name);
  db.exec('PRAGMA foreign_keys = OFF');
  for (const type of ['trigger', 'view', 'index', 'table'] as const)
    for (const entry of entries.filter((one) => one.type === type && !isFirst(one)))
      db.exec(`DROP ${type} IF EXISTS ${entry.name}`);
  for (const [table, columns] of Object.entries(firstTables)) {
    const known = new Set(columns.split(' '));
    const found = db.prepare(`SELECT name FROM pragma_table_info('${table}')`).all() as Entry[];
    for (const { name } of found)
      if (!known.has(name)) db.exec(`ALTER TABLE ${table} DROP COLUMN ${name}`);
  }
  db.exec('DELETE FROM schema_version WHERE version > 1');
  db.close();
}

/** Takes a database of the cloud back to a version, by the columns that came later, and lets `work` change it there. */
export function backToVersion(
  path: string,
  version: number,
  laterColumns: Readonly<Record<string, readonly string[]>>,
  work: (exec: (sql: string) => void) => void,
): void {
  const db = new Database(path);
  for (const [table, columns] of Object.entries(laterColumns))
    for (const column of columns) db.exec(`ALTER TABLE ${table} DROP COLUMN ${column}`);
  db.exec(`DELETE FROM schema_version WHERE version > ${version}`);
  work((sql) => db.exec(sql));
  db.close();
}
