import { existsSync } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import {
  type BenchRun,
  benchRunSchema,
  type KnownBoard,
  knownBoardSchema,
} from '../../../shared/domain/bench.ts';
import { type BenchOrder, benchOrderSchema } from '../bench/bench-order.ts';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import { type Plan, planCheckSchema, planSchema } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';
import {
  type Product,
  type Release,
  type VersionPackage,
  type WorkspaceConfig,
  productSchema,
  versionPackageSchema,
} from '../../../shared/domain/product.ts';
import { type Waiver, waiverSchema } from '../../../shared/domain/waiver.ts';
import { readConfig, removeFormat, saveFormat, updateConfig } from './config.ts';
import { type Db, inTransaction, openDatabase } from './database.ts';
import { ObjectStore } from './object-store.ts';

export const evidenceRecordSchema = z.object({
  id: z.string(),
  path: z.string(),
  releaseId: z.string(),
  version: z.string(),
  exportedAt: z.string(),
  sha256: z.string(),
});
/** What the gates said when a plan was published, and the product whose policy they went by. */
export const planCheckRecordSchema = planCheckSchema.extend({
  id: z.string(),
  product: productSchema,
});

/** Record kinds and their shapes; bodies are validated again when read, so a damaged row is named and not trusted. */
const recordSchemas = {
  package: versionPackageSchema,
  benchRun: benchRunSchema,
  benchOrder: benchOrderSchema,
  board: knownBoardSchema,
  plan: planSchema,
  evidence: evidenceRecordSchema,
  planCheck: planCheckRecordSchema,
  waiver: waiverSchema,
};
interface Records {
  package: VersionPackage;
  benchRun: BenchRun;
  benchOrder: BenchOrder;
  board: KnownBoard;
  plan: Plan;
  evidence: z.infer<typeof evidenceRecordSchema>;
  planCheck: z.infer<typeof planCheckRecordSchema>;
  waiver: Waiver;
}
export type RecordKind = keyof Records;

/** One workspace folder: `slipway.yaml`, the SQLite database and the object store. */
export class Workspace {
  readonly folder: string;
  readonly objects: ObjectStore;
  config: WorkspaceConfig;
  readonly #db: Db;
  #lastEdit: Promise<void> = Promise.resolve();

  private constructor(folder: string, config: WorkspaceConfig, db: Db) {
    this.folder = folder;
    this.config = config;
    this.#db = db;
    this.objects = new ObjectStore(join(folder, '.slipway', 'objects'));
  }

  /** @throws ProblemError `not-a-workspace` | `config-invalid` | `disk-full` … */
  static async open(path: string): Promise<Workspace> {
    const folder = resolve(path);
    const config = await readConfig(folder);
    await mkdir(join(folder, '.slipway', 'objects'), { recursive: true });
    await sweepAbandoned(join(folder, '.slipway', 'objects'), (name) => name.endsWith('.tmp'));
    await sweepAbandoned(join(folder, '.slipway', 'tmp'), () => true);
    return new Workspace(folder, config, openDatabase(join(folder, '.slipway', 'slipway.db')));
  }

  /**
   * Name that packages are recorded with: the setting of this workspace, else the system's user;
   * null when the system has no name for it, as for a bare user id in a container.
   */
  get person(): string | null {
    const set = this.setting('person');
    if (set !== null) return set;
    try {
      return userInfo().username;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_SYSTEM_ERROR') return null;
      throw error;
    }
  }

  get name(): string {
    return this.config.name || basename(this.folder);
  }

  /** Absolute path inside `.slipway/`. */
  internal(...parts: string[]): string {
    return join(this.folder, '.slipway', ...parts);
  }

  product(productId: string): Product {
    const product = this.config.products.find((candidate) => candidate.id === productId);
    if (!product) throw unknown('product', productId);
    return product;
  }

  updateConfig(changes: Parameters<typeof updateConfig>[1]): Promise<void> {
    return this.#editConfig(() => updateConfig(this.folder, changes));
  }

  /** Writes a format to slipway.yaml, in the place of the one named `replaces` when given. */
  saveFormat(format: DescribedFormat, replaces: string): Promise<void> {
    return this.#editConfig(() => saveFormat(this.folder, format, replaces));
  }

  /** @throws ProblemError `unknown-id` when there is no format of this name */
  removeFormat(name: string): Promise<void> {
    return this.#editConfig(() => {
      if (this.config.formats.some((format) => format.name === name))
        return removeFormat(this.folder, name);
      throw unknown('format', name);
    });
  }

  /** One edit after the other: each reads the whole text and writes it again. */
  #editConfig(edit: () => Promise<WorkspaceConfig>): Promise<void> {
    const edited = this.#lastEdit.then(edit).then((config) => {
      this.config = config;
    });
    // A failed edit is told to its caller and must not stop the next one.
    this.#lastEdit = edited.catch(() => undefined);
    return edited;
  }

  releases(): Release[] {
    const rows = this.#db
      .prepare(
        'SELECT id, product_id AS productId, version, created_at AS createdAt FROM releases ORDER BY created_at DESC',
      )
      .all();
    return rows as Release[];
  }

  release(id: string): Release {
    const release = this.releases().find((candidate) => candidate.id === id);
    if (!release) throw unknown('release', id);
    return release;
  }

  /** @throws ProblemError `release-exists` when the product already has this version */
  addRelease(release: Release): void {
    const changes = this.#db
      .prepare(
        'INSERT INTO releases (id, product_id, version, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
      )
      .run(release.id, release.productId, release.version, release.createdAt).changes;
    if (changes === 0) {
      throw problem(
        'release-exists',
        'This version exists',
        `${release.productId} already has a release ${release.version}.`,
        'Open it, or choose another version: versions are never reused.',
        'usage',
      );
    }
  }

  put<K extends RecordKind>(kind: K, releaseId: string | null, record: Records[K]): void {
    this.#db
      .prepare(
        'INSERT INTO records (kind, id, release_id, created_at, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body',
      )
      .run(kind, record.id, releaseId, new Date().toISOString(), JSON.stringify(record));
  }

  list<K extends RecordKind>(kind: K, releaseId?: string): Records[K][] {
    const rows = (
      releaseId === undefined
        ? this.#db
            .prepare('SELECT body FROM records WHERE kind = ? ORDER BY created_at, id')
            .all(kind)
        : this.#db
            .prepare(
              'SELECT body FROM records WHERE kind = ? AND release_id = ? ORDER BY created_at, id',
            )
            .all(kind, releaseId)
    ) as { body: string }[];
    return rows.map((row) => recordSchemas[kind].parse(JSON.parse(row.body)) as Records[K]);
  }

  get<K extends RecordKind>(kind: K, id: string): Records[K] {
    const row = this.#db
      .prepare('SELECT body FROM records WHERE kind = ? AND id = ?')
      .get(kind, id) as { body: string } | undefined;
    if (!row) throw unknown(kind, id);
    return recordSchemas[kind].parse(JSON.parse(row.body)) as Records[K];
  }

  has(kind: RecordKind, id: string): boolean {
    return (
      this.#db.prepare('SELECT 1 FROM records WHERE kind = ? AND id = ?').get(kind, id) !==
      undefined
    );
  }

  /** Runs reads and writes as one: whole or not at all, and nobody else writes in between. */
  transaction<T>(work: () => T): T {
    return inTransaction(this.#db, work);
  }

  remove(kind: RecordKind, id: string): void {
    this.#db.prepare('DELETE FROM records WHERE kind = ? AND id = ?').run(kind, id);
  }

  setting(key: string): string | null {
    return (
      (
        this.#db.prepare('SELECT value FROM settings WHERE key = ?').get(key) as
          | { value: string }
          | undefined
      )?.value ?? null
    );
  }

  setSetting(key: string, value: string): void {
    this.#db
      .prepare(
        'INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
      )
      .run(key, value);
  }

  close(): void {
    this.#db.close();
  }
}

const unknown = (kind: string, id: string) =>
  problem(
    'unknown-id',
    'Not found',
    `There is no ${kind} ${id} in this workspace.`,
    'Check the id; list what is there first.',
    'usage',
  );

const abandonedAfterMs = 24 * 60 * 60 * 1000;

/** Removes temporary files that a crash left behind long ago; younger ones may belong to another running process. */
async function sweepAbandoned(
  folder: string,
  isTemporary: (name: string) => boolean,
): Promise<void> {
  for (const name of existsSync(folder) ? await readdir(folder) : []) {
    if (!isTemporary(name)) continue;
    const file = join(folder, name);
    const info = await stat(file).catch(() => null);
    if (info && Date.now() - info.mtimeMs > abandonedAfterMs) await rm(file, { force: true });
  }
}
