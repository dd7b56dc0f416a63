import type Database from 'libsql';
import type { Page } from '../types.ts';
import type { Device, ReportProtocol, VersionReport } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { CloudDatabase } from './database.ts';
import { dtlsKeyOf, hashSecret, newSecret, secretMatches } from './secrets.ts';
import type { ServedTime } from './served-time.ts';
import { type VersionsRow, isNews, reportsIn, versionsIn, within } from './version-reports.ts';

/** How long a "last seen" time may wait in memory before it is stored. */
const lastSeenFlushMs = 5000;

interface DeviceRow {
  readonly id: string;
  readonly product_id: string;
  readonly transport: Device['transport'];
  readonly imsi: string | null;
  readonly iccid: string | null;
  readonly batch: string | null;
  readonly versions: string;
  readonly reports: string;
  readonly last_seen_at: string | null;
  readonly battery_percent: number | null;
  readonly rsrp_dbm: number | null;
  readonly auto_confirm: number;
}

interface KnownRow extends VersionsRow {
  readonly removed_at: string | null;
}

/** Which devices may go. */
export interface DeviceRemoval {
  readonly productId: string;
  readonly batch: string;
  /** Ids that stay. */
  readonly keep: readonly string[];
}

export interface DeviceListQuery {
  readonly productId: string;
  readonly offset: number;
  readonly limit: number;
  readonly search: string;
}

const columns = 'id, product_id, transport, imsi, iccid, batch, versions, last_seen_at';
const allColumns = `${columns}, reports, battery_percent, rsrp_dbm, auto_confirm`;
const matches = `removed_at IS NULL AND product_id = ? AND (? = '' OR id LIKE ? ESCAPE '\\' OR imsi LIKE ? ESCAPE '\\'
  OR iccid LIKE ? ESCAPE '\\' OR batch LIKE ? ESCAPE '\\')`;

/** Products and devices: who they are, how they prove it, which versions they were declared with, and which they reported. */
export class DeviceStore {
  readonly #db: CloudDatabase;
  readonly #served: ServedTime;
  /** When devices were heard of, by the clock and in served time, until it is stored. */
  readonly #lastSeen = new Map<string, { readonly atMs: number; readonly heardMs: number }>();
  readonly #secretListeners: ((deviceId: string) => void)[] = [];
  readonly #flushTimer: NodeJS.Timeout;
  readonly #sql: Record<
    | 'product'
    | 'putProduct'
    | 'one'
    | 'secret'
    | 'dtlsSecret'
    | 'insert'
    | 'update'
    | 'rotate'
    | 'versions'
    | 'setVersions'
    | 'setLastSeen'
    | 'heardMs'
    | 'known'
    | 'unneeded'
    | 'remove'
    | 'all'
    | 'count'
    | 'page',
    Database.Statement
  >;

  constructor(db: CloudDatabase, served: ServedTime) {
    this.#db = db;
    this.#served = served;
    this.#sql = {
      product: db.prepare('SELECT id FROM products WHERE id = ?'),
      putProduct: db.prepare(
        'INSERT INTO products (id, name) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name',
      ),
      one: db.prepare(`SELECT ${allColumns} FROM devices WHERE id = ? AND removed_at IS NULL`),
      secret: db.prepare('SELECT secret_sha256 FROM devices WHERE id = ? AND removed_at IS NULL'),
      dtlsSecret: db.prepare(
        `SELECT secret_sha256 FROM devices
         WHERE id = ? AND transport = 'lwm2m' AND removed_at IS NULL`,
      ),
      known: db.prepare('SELECT versions, reports, removed_at FROM devices WHERE id = ?'),
      insert: db.prepare(
        `INSERT INTO devices (${columns}, secret_sha256) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ),
      update: db.prepare(
        'UPDATE devices SET product_id = ?, transport = ?, imsi = ?, iccid = ?, batch = ?, versions = ?, removed_at = NULL WHERE id = ?',
      ),
      rotate: db.prepare(
        `UPDATE devices SET secret_sha256 = ?, reports = '{}', battery_percent = NULL, rsrp_dbm = NULL, auto_confirm = 0
         WHERE id = ?`,
      ),
      versions: db.prepare('SELECT versions, reports FROM devices WHERE id = ?'),
      setVersions: db.prepare('UPDATE devices SET versions = ?, reports = ? WHERE id = ?'),
      setLastSeen: db.prepare('UPDATE devices SET last_seen_at = ?, heard_ms = ? WHERE id = ?'),
      heardMs: db.prepare('SELECT heard_ms FROM devices WHERE id = ?'),
      unneeded: db.prepare(
        `SELECT id FROM devices
         WHERE product_id = ? AND batch = ? AND removed_at IS NULL AND id NOT IN (
           SELECT device_id FROM rollout JOIN plans ON plans.id = plan_id
           WHERE rollout.state IN ('notUpgraded', 'upgrading')
             AND plans.state NOT IN ('ended', 'terminated'))`,
      ),
      remove: db.prepare('UPDATE devices SET removed_at = ? WHERE id = ?'),
      all: db.prepare(
        `SELECT ${allColumns} FROM devices WHERE product_id = ? AND removed_at IS NULL ORDER BY id`,
      ),
      count: db.prepare(`SELECT count(*) AS total FROM devices WHERE ${matches}`),
      page: db.prepare(
        `SELECT ${allColumns} FROM devices WHERE ${matches} ORDER BY id LIMIT ? OFFSET ?`,
      ),
    };
    this.#flushTimer = setInterval(() => void this.#flushLastSeen(), lastSeenFlushMs);
    this.#flushTimer.unref();
  }

  async putProduct(id: string, name: string): Promise<void> {
    await this.#db.write(() => this.#sql.putProduct.run(id, name));
  }

  hasProduct(id: string): boolean {
    return this.#sql.product.get(id) !== undefined;
  }

  /** `listener` hears when the secret of a device has stopped being good: whoever logged in with it has to go. */
  whenSecretEnds(listener: (deviceId: string) => void): void {
    this.#secretListeners.push(listener);
  }

  /** The secret of a device has stopped being good. */
  secretEnded(deviceId: string): void {
    for (const listener of this.#secretListeners) listener(deviceId);
  }

  /**
   * Adds new devices and updates known ones; the versions given are what they are declared with. A
   * new device gets a secret, answered only here, with the key for DTLS in hex that follows from it
   * when it uses LwM2M; a known one keeps its secret and the versions it reported, unless `rotate`
   * provisions it anew.
   * @throws ProblemError `product-missing`, `device-twice`
   */
  async put(
    devices: readonly Device[],
    rotate: boolean,
  ): Promise<{
    added: number;
    secrets: Record<string, string>;
    dtlsKeys: Record<string, string>;
  }> {
    const result = await this.#db.write(() => {
      this.#checkDevices(devices);
      const secrets: Record<string, string> = {};
      const dtlsKeys: Record<string, string> = {};
      let added = 0;
      for (const device of devices) {
        const row = this.#sql.known.get(device.id) as KnownRow | undefined;
        const isKnown = row?.removed_at === null;
        const secret = isKnown && !rotate ? null : newSecret();
        if (row) this.#update(device, row, secret);
        else if (secret !== null) this.#insert(device, secret);
        if (!isKnown) added++;
        if (secret === null) continue;
        secrets[device.id] = secret;
        if (device.transport === 'lwm2m')
          dtlsKeys[device.id] = dtlsKeyOf(hashSecret(secret)).toString('hex');
      }
      return { added, secrets, dtlsKeys };
    });
    for (const deviceId of Object.keys(result.secrets)) this.secretEnded(deviceId);
    return result;
  }

  /** Ids that may be removed: those of the batch, except `keep` and those that an open plan waits for. */
  removable(query: DeviceRemoval): string[] {
    const keep = new Set(query.keep);
    const rows = this.#sql.unneeded.all(query.productId, query.batch) as { id: string }[];
    return rows.map(({ id }) => id).filter((id) => !keep.has(id));
  }

  /** The device is gone, and its row stays for the plans that it was in; call inside a write unit. */
  markRemoved(deviceId: string): void {
    this.#sql.remove.run(new Date().toISOString(), deviceId);
    this.#lastSeen.delete(deviceId);
  }

  /** Whether `secret` is the device's; unknown devices cost the same work as wrong secrets. */
  authenticate(deviceId: string, secret: string): boolean {
    const row = this.#sql.secret.get(deviceId) as { secret_sha256: Uint8Array } | undefined;
    const matched = secretMatches(secret, row?.secret_sha256 ?? new Uint8Array(32));
    if (!matched || !row) return false;
    this.heard(deviceId);
    return true;
  }

  /** The key of an LwM2M device for DTLS; null for anyone else. */
  dtlsKey(deviceId: string): Uint8Array | null {
    const row = this.#sql.dtlsSecret.get(deviceId) as { secret_sha256: Uint8Array } | undefined;
    return row ? dtlsKeyOf(row.secret_sha256) : null;
  }

  /** Notes that a device was heard of; false when there is no such device. */
  seen(deviceId: string): boolean {
    // A device at work sends many messages in a row.
    const isKnown = this.#lastSeen.has(deviceId) || this.#sql.secret.get(deviceId) !== undefined;
    if (!isKnown) return false;
    this.heard(deviceId);
    return true;
  }

  /** A known device said something. */
  heard(deviceId: string): void {
    const heardMs = this.#served.nowMs();
    this.#lastSeen.set(deviceId, { atMs: Date.now(), heardMs });
  }

  /** When a device was last heard of, in served milliseconds; 0 when never. */
  heardMs(deviceId: string): number {
    const seen = this.#lastSeen.get(deviceId);
    if (seen) return seen.heardMs;
    const row = this.#sql.heardMs.get(deviceId) as { heard_ms: number } | undefined;
    return row?.heard_ms ?? 0;
  }

  get(deviceId: string): Device | null {
    const row = this.#sql.one.get(deviceId) as DeviceRow | undefined;
    return row ? this.#device(row) : null;
  }

  /** What each component runs as far as is known: as reported, else as declared. */
  versions(deviceId: string): Record<string, string> {
    return versionsIn(this.#sql.versions.get(deviceId) as VersionsRow | undefined);
  }

  /** What a device itself reported, by component. */
  reports(deviceId: string): Record<string, VersionReport> {
    return reportsIn(this.#sql.versions.get(deviceId) as VersionsRow | undefined);
  }

  /** Records what a device says it runs, and when and over what it said so; call inside a write unit. */
  report(
    deviceId: string,
    reported: Readonly<Record<string, string>>,
    protocol: ReportProtocol,
  ): void {
    const row = this.#sql.versions.get(deviceId) as VersionsRow | undefined;
    const known = reportsIn(row);
    const now = new Date();
    if (!isNews(known, reported, protocol, now)) return;
    const at = now.toISOString();
    const reports = Object.fromEntries(
      Object.entries(reported).map(([id, version]) => [id, { version, at, protocol }]),
    );
    this.#sql.setVersions.run(
      JSON.stringify(within(versionsIn(row), reported)),
      JSON.stringify(within(known, reports)),
      deviceId,
    );
  }

  /** Every device of a product, by id. */
  ofProduct(productId: string): Device[] {
    return (this.#sql.all.all(productId) as DeviceRow[]).map((row) => this.#device(row));
  }

  list(query: DeviceListQuery): Page<Device> {
    const like = likePattern(query.search);
    const filter = [query.productId, query.search, like, like, like, like];
    const { total } = this.#sql.count.get(...filter) as { total: number };
    const rows = this.#sql.page.all(...filter, query.limit, query.offset) as DeviceRow[];
    return { total, items: rows.map((row) => this.#device(row)) };
  }

  async close(): Promise<void> {
    clearInterval(this.#flushTimer);
    await this.#flushLastSeen();
  }

  #checkDevices(devices: readonly Device[]): void {
    const seen = new Set<string>();
    for (const device of devices) {
      if (seen.has(device.id)) {
        throw problem(
          'device-twice',
          'A device is listed twice',
          `The device ${device.id} appears more than once in the request.`,
          'Send each device once.',
          'usage',
        );
      }
      seen.add(device.id);
    }
    for (const productId of new Set(devices.map((device) => device.productId))) {
      if (!this.hasProduct(productId)) throw productMissing(productId);
    }
  }

  #insert(device: Device, secret: string): void {
    const { id, productId, transport, imsi, iccid, batch, versions, lastSeenAt } = device;
    this.#sql.insert.run(
      id,
      productId,
      transport,
      imsi,
      iccid,
      batch,
      JSON.stringify(versions),
      lastSeenAt,
      hashSecret(secret),
    );
  }

  #update(device: Device, known: VersionsRow, secret: string | null): void {
    const { id, productId, transport, imsi, iccid, batch, versions } = device;
    const isKept = secret === null;
    const reported = Object.entries(isKept ? reportsIn(known) : {}).map(
      ([componentId, { version }]) => [componentId, version],
    );
    const declared = isKept ? { ...versionsIn(known), ...versions } : versions;
    this.#sql.update.run(
      productId,
      transport,
      imsi,
      iccid,
      batch,
      JSON.stringify({ ...declared, ...Object.fromEntries(reported) }),
      id,
    );
    if (secret !== null) this.#sql.rotate.run(hashSecret(secret), id);
  }

  async #flushLastSeen(): Promise<void> {
    if (this.#lastSeen.size === 0) return;
    const seen = [...this.#lastSeen];
    this.#lastSeen.clear();
    await this.#db
      .write(() => {
        for (const [id, { atMs, heardMs }] of seen)
          this.#sql.setLastSeen.run(new Date(atMs).toISOString(), heardMs, id);
      })
      .catch(() => {
        for (const [id, when] of seen) if (!this.#lastSeen.has(id)) this.#lastSeen.set(id, when);
      });
  }

  #device(row: DeviceRow): Device {
    const seen = this.#lastSeen.get(row.id);
    return {
      id: row.id,
      productId: row.product_id,
      transport: row.transport,
      imsi: row.imsi,
      iccid: row.iccid,
      batch: row.batch,
      versions: versionsIn(row),
      reports: reportsIn(row),
      lastSeenAt: seen ? new Date(seen.atMs).toISOString() : row.last_seen_at,
      batteryPercent: row.battery_percent,
      rsrpDbm: row.rsrp_dbm,
      autoConfirm: row.auto_confirm === 1,
    };
  }
}

/** The refusal for a product that was never put. */
export function productMissing(productId: string): Error {
  return problem(
    'product-missing',
    'The product is not known',
    `The cloud has no product ${productId}.`,
    'Put the product first.',
    'usage',
  );
}

/** A LIKE pattern that finds `text` anywhere, with the wildcards in it taken literally. */
export function likePattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, (character) => `\\${character}`)}%`;
}
