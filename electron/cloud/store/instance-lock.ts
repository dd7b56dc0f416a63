import Database from 'libsql';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { problem } from '../../../shared/domain/problem.ts';

/**
 * Holds a data folder for one process. The lock is SQLite's own exclusive file lock, which the
 * operating system releases when its holder dies, so a lock left by a killed process never has
 * to be judged stale by its pid; the pid file only names the holder in the message.
 * @throws ProblemError `data-in-use`
 */
export function lockDataFolder(folder: string): { release(): void } {
  const pidPath = join(folder, 'cloud.pid');
  const db = new Database(join(folder, 'cloud.lock'));
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    db.close();
    if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw error;
    throw problem(
      'data-in-use',
      'Another cloud process uses this folder',
      `${folder} is held by ${readPid(pidPath)}.`,
      'Stop that process, or choose another folder with --data.',
    );
  }
  writeFileSync(pidPath, `${process.pid}\n`);
  return {
    release() {
      rmSync(pidPath, { force: true });
      db.exec('ROLLBACK');
      db.close();
    },
  };
}

function readPid(path: string): string {
  try {
    return `process ${readFileSync(path, 'utf8').trim()}`;
  } catch {
    return 'a process that is just starting or stopping';
  }
}
