import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import Database from 'libsql';
import { z } from 'zod';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';
import { renameDurably, writeFileAtomic } from '../../files/atomic-file.ts';
import { copyHashed } from '../../files/hashed-copy.ts';
import { hashFile } from '../workspace/object-store.ts';

const databaseName = 'cloud.db';
const tokenName = 'operator-token';
const manifestName = 'backup.json';
/**
 * Job ids that a restored cloud leaves out: those that were given out after the backup must not
 * come to mean another job to a device that still remembers them.
 */
const jobIdGap = 1_000_000;

const fileSchema = z.object({
  name: z.string().regex(/^(?:cloud\.db|operator-token|artifacts\/[0-9a-f]{64})$/),
  sizeBytes: z.number().int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
const manifestSchema = z.object({
  kind: z.literal('slipway-cloud-backup'),
  createdAt: z.string(),
  files: z.array(fileSchema).min(2),
});
type BackupFile = z.infer<typeof fileSchema>;

/** What a backup holds. */
export interface BackupSummary {
  readonly folder: string;
  readonly files: number;
  readonly sizeBytes: number;
}

/**
 * Copies the data of a cloud, which may go on serving, into a new folder: the database as it is at
 * one moment, every artifact that it names, the operator token, and a list of their SHA-256.
 * The folder appears when it is complete.
 * @throws ProblemError `no-cloud-data`, `folder-exists`, `backup-damaged`
 */
export async function backUpCloud(
  dataDir: string,
  folder: string,
  context: WorkContext,
): Promise<BackupSummary> {
  await requireDatabase(dataDir);
  return fillFolder(folder, async (temporary) => {
    await snapshot(join(dataDir, databaseName), join(temporary, databaseName));
    const artifacts = artifactsOf(join(temporary, databaseName));
    const names = [tokenName, ...artifacts.map(({ sha256 }) => `artifacts/${sha256}`)];
    const totalBytes = artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const copier = new Copier('Copying', totalBytes, context);
    const files: BackupFile[] = [
      { name: databaseName, ...(await hashFile(join(temporary, databaseName), context.signal)) },
    ];
    for (const name of names) {
      const file = await copier.copy(join(dataDir, name), join(temporary, name), name);
      if (name !== tokenName && file.sha256 !== name.slice('artifacts/'.length))
        throw damaged(`${join(dataDir, name)} now has SHA-256 ${file.sha256}.`);
      files.push(file);
    }
    const manifest: z.infer<typeof manifestSchema> = {
      kind: 'slipway-cloud-backup',
      createdAt: new Date().toISOString(),
      files,
    };
    await writeFileAtomic(
      join(temporary, manifestName),
      `${JSON.stringify(manifest, null, 2)}\n`,
      0o600,
    );
    return files;
  });
}

/**
 * Makes the data folder of a cloud from a backup. Nothing is put there before every file has the
 * SHA-256 that the backup tells, and an existing folder is never written over. Devices are given
 * jobs under new ids; what they report about a job that the backup does not know is not counted,
 * and their next report of versions sets it right.
 * @throws ProblemError `no-backup`, `folder-exists`, `backup-damaged`
 */
export async function restoreCloud(
  backup: string,
  dataDir: string,
  context: WorkContext,
): Promise<BackupSummary> {
  const { files } = await readManifest(backup);
  return fillFolder(dataDir, async (temporary) => {
    const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    const copier = new Copier('Restoring', totalBytes, context);
    for (const expected of files) {
      const path = join(backup, expected.name);
      const found = await copier.copy(path, join(temporary, expected.name), expected.name);
      if (found.sha256 !== expected.sha256)
        throw damaged(`${path} has SHA-256 ${found.sha256}, noted was ${expected.sha256}.`);
    }
    skipJobIds(join(temporary, databaseName));
    return files;
  });
}

async function requireDatabase(dataDir: string): Promise<void> {
  if (await isFile(join(dataDir, databaseName))) return;
  throw problem(
    'no-cloud-data',
    'There is no cloud in this folder',
    `${dataDir} holds no ${databaseName}.`,
    'Give the folder that the cloud serves with --data.',
    'usage',
  );
}

async function readManifest(backup: string): Promise<z.infer<typeof manifestSchema>> {
  const path = join(backup, manifestName);
  if (!(await isFile(path))) {
    throw problem(
      'no-backup',
      'There is no backup in this folder',
      `${backup} holds no ${manifestName}.`,
      'Give the folder that "slipway cloud backup" has made.',
      'usage',
    );
  }
  try {
    return manifestSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    throw damaged(
      `${path}: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`,
    );
  }
}

/** Fills a folder under a temporary name beside it and gives it its name when it is complete. */
async function fillFolder(
  target: string,
  fill: (temporary: string) => Promise<readonly BackupFile[]>,
): Promise<BackupSummary> {
  const folder = resolve(target);
  await requireFree(folder);
  const temporary = join(dirname(folder), `.${randomUUID()}.tmp`);
  try {
    await mkdir(join(temporary, 'artifacts'), { recursive: true, mode: 0o700 });
    const files = await fill(temporary);
    await rm(folder, { recursive: true, force: true });
    await renameDurably(temporary, folder);
    const sizeBytes = files.reduce((sum, file) => sum + file.sizeBytes, 0);
    return { folder, files: files.length, sizeBytes };
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
}

async function requireFree(folder: string): Promise<void> {
  const found = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  if (found.length === 0) return;
  throw problem(
    'folder-exists',
    'The folder is not empty',
    `${folder} holds ${found.length} files.`,
    'Name a new folder, or move this one away first; nothing is written over.',
    'usage',
  );
}

/** A consistent copy in one file, while another process may be writing (SQLite: VACUUM INTO). */
async function snapshot(from: string, to: string): Promise<void> {
  const db = new Database(from);
  try {
    db.exec('PRAGMA busy_timeout = 5000');
    db.prepare('VACUUM INTO ?').run(to);
  } finally {
    db.close();
  }
  const file = await open(to, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

function artifactsOf(path: string): { sha256: string; sizeBytes: number }[] {
  const db = new Database(path, { readonly: true });
  try {
    return db
      .prepare('SELECT sha256, size_bytes AS sizeBytes FROM artifacts ORDER BY sha256')
      .all() as { sha256: string; sizeBytes: number }[];
  } finally {
    db.close();
  }
}

function skipJobIds(path: string): void {
  const db = new Database(path);
  try {
    const [{ integrity_check: found } = { integrity_check: 'nothing' }] = db
      .prepare('PRAGMA integrity_check')
      .all() as { integrity_check: string }[];
    if (found !== 'ok') throw damaged(`The database is not sound: ${found}`);
    db.prepare("UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'actions'").run(jobIdGap);
  } finally {
    db.close();
  }
}

/** Copies files with progress over all of them. */
class Copier {
  readonly #step: string;
  readonly #totalBytes: number;
  readonly #context: WorkContext;
  #doneBytes = 0;

  constructor(step: string, totalBytes: number, context: WorkContext) {
    this.#step = step;
    this.#totalBytes = totalBytes;
    this.#context = context;
  }

  async copy(from: string, to: string, name: string): Promise<BackupFile> {
    const { signal, onProgress } = this.#context;
    try {
      const copied = await copyHashed(from, to, {
        signal,
        mode: 0o600,
        onBytes: (count) => {
          this.#doneBytes += count;
          const done = Math.min(this.#doneBytes, this.#totalBytes);
          onProgress({ step: this.#step, done, total: this.#totalBytes, unit: 'bytes' });
        },
      });
      return { name, ...copied };
    } catch (error) {
      if (signal.aborted || error instanceof ProblemError) throw error;
      throw damaged(`${from}: ${(error as Error).message}`);
    }
  }
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null))?.isFile() ?? false;
}

function damaged(detail: string): Error {
  return problem(
    'backup-damaged',
    'The data cannot be copied',
    detail,
    'Nothing was put in place. Check the disk, or use another backup.',
  );
}
