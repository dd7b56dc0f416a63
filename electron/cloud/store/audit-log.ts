import type Database from 'libsql';
import type { AuditEntry } from '../../../shared/domain/operator.ts';
import type { Page } from '../types.ts';
import type { CloudDatabase } from './database.ts';

/** What operators did, in the order in which it was done; entries are added, never changed. */
export class AuditLog {
  readonly #db: CloudDatabase;
  readonly #sql: Record<'insert' | 'count' | 'page', Database.Statement>;

  constructor(db: CloudDatabase) {
    this.#db = db;
    this.#sql = {
      insert: db.prepare(
        'INSERT INTO audit (at, account, address, method, path, body, status, problem) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
      ),
      count: db.prepare('SELECT count(*) AS total FROM audit'),
      page: db.prepare('SELECT * FROM audit ORDER BY id DESC LIMIT ? OFFSET ?'),
    };
  }

  /** Resolves when the entry is on disk. */
  async add(entry: Omit<AuditEntry, 'id' | 'at'>): Promise<void> {
    const { account, address, method, path, body, status, problem } = entry;
    await this.#db.write(() =>
      this.#sql.insert.run(
        new Date().toISOString(),
        account,
        address,
        method,
        path,
        body,
        status,
        problem,
      ),
    );
  }

  /** Newest first. */
  list({ offset, limit }: { readonly offset: number; readonly limit: number }): Page<AuditEntry> {
    const { total } = this.#sql.count.get() as { total: number };
    return { total, items: this.#sql.page.all(limit, offset) as AuditEntry[] };
  }
}
