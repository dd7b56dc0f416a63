import { chmod, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { problem } from '../../../shared/domain/problem.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { newSecret } from './secrets.ts';

/** The operator token of a data folder, made on the first start and kept in a file that only its owner reads. */
export async function loadOperatorToken(folder: string): Promise<string> {
  const path = join(folder, 'operator-token');
  const found = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found === null) {
    const token = newSecret();
    await writeFileAtomic(path, `${token}\n`, 0o600);
    return token;
  }
  const token = found.trim();
  if (token.length < 32) {
    throw problem(
      'operator-token-damaged',
      'The operator token is damaged',
      `${path} holds ${token.length} characters.`,
      'Delete the file and start again; a new token is made.',
    );
  }
  if (process.platform !== 'win32' && ((await stat(path)).mode & 0o077) !== 0)
    await chmod(path, 0o600);
  return token;
}
