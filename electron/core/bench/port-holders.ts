import { readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** The programs that hold a port open, as `name (process id)`; as far as Linux tells this user, else none. */
export function portHolders(path: string, proc = '/proc'): readonly string[] {
  const target = told(() => realpathSync(path));
  if (process.platform !== 'linux' || target === null) return [];
  const processes = told(() => readdirSync(proc)) ?? [];
  return processes
    .filter((id) => /^\d+$/.test(id) && Number(id) !== process.pid && holds(join(proc, id), target))
    .map(
      (id) => `${told(() => readFileSync(join(proc, id, 'comm'), 'utf8').trim()) ?? '?'} (${id})`,
    );
}

function holds(folderOfProcess: string, target: string): boolean {
  const folder = join(folderOfProcess, 'fd');
  const open = (told(() => readdirSync(folder)) ?? []).map((entry) =>
    told(() => readlinkSync(join(folder, entry))),
  );
  // Whoever serves a pseudo terminal has its other end open as well, and is not in the way.
  const servesIt = target.startsWith('/dev/pts/') && open.some((file) => file?.endsWith('/ptmx'));
  return open.includes(target) && !servesIt;
}

/** What the system does not tell, of other users or of processes that have just ended, is null. */
function told<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}
