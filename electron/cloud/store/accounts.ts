import type Database from 'libsql';
import type { Account, Operator, OperatorRole } from '../../../shared/domain/operator.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { sha256 } from '../../files/sha256.ts';
import type { CloudDatabase } from './database.ts';
import { hashSecret, newSecret, secretMatches } from './secrets.ts';

/** The account of the operator token in the data folder. */
const owner: Account = { name: 'owner', role: 'admin', createdAt: '' };

interface AccountRow {
  readonly name: string;
  readonly role: OperatorRole;
  readonly created_at: string;
}

/** Who may operate the cloud: the owner of the data folder, and the accounts that were made. */
export class AccountStore {
  readonly #db: CloudDatabase;
  readonly #ownerSha256: Buffer;
  readonly #sql: Record<'byToken' | 'all' | 'insert' | 'remove', Database.Statement>;

  constructor(db: CloudDatabase, ownerToken: string) {
    this.#db = db;
    this.#ownerSha256 = hashSecret(ownerToken);
    this.#sql = {
      byToken: db.prepare('SELECT name, role, created_at FROM accounts WHERE token_sha256 = ?'),
      all: db.prepare('SELECT name, role, created_at FROM accounts ORDER BY name'),
      insert: db.prepare(
        'INSERT OR IGNORE INTO accounts (name, role, token_sha256, created_at) VALUES (?, ?, ?, ?)',
      ),
      remove: db.prepare('DELETE FROM accounts WHERE name = ?'),
    };
  }

  /** Whose token it is, or null. */
  find(token: string): Account | null {
    if (secretMatches(token, this.#ownerSha256)) return owner;
    // Looked up by its hash: how long that takes tells nothing about the token.
    const row = this.#sql.byToken.get(sha256(token)) as AccountRow | undefined;
    return row ? toAccount(row) : null;
  }

  /** The account as the one who is at work, and whether the decisions of it are signed by hand. */
  operator({ name, role }: Account): Operator {
    return { name, role, typesName: name === owner.name && this.list().length === 0 };
  }

  list(): Account[] {
    return (this.#sql.all.all() as AccountRow[]).map(toAccount);
  }

  /** Makes an account; its token is told only here. @throws ProblemError `account-exists` */
  async add(name: string, role: OperatorRole): Promise<{ token: string }> {
    const token = newSecret();
    const { changes } = await this.#db.write(() =>
      name === owner.name
        ? { changes: 0 }
        : this.#sql.insert.run(name, role, sha256(token), new Date().toISOString()),
    );
    if (changes === 1) return { token };
    throw problem(
      'account-exists',
      'There is such an account already',
      `The name ${name} is taken.`,
      'Choose another name, or remove that account first.',
      'usage',
    );
  }

  /** Its token is worth nothing from now on. @throws ProblemError `account-missing` */
  async remove(name: string): Promise<void> {
    const { changes } = await this.#db.write(() => this.#sql.remove.run(name));
    if (changes > 0) return;
    throw problem(
      'account-missing',
      'There is no such account',
      `No account has the name ${name}.`,
      'List the accounts.',
      'usage',
    );
  }
}

function toAccount({ name, role, created_at }: AccountRow): Account {
  return { name, role, createdAt: created_at };
}
