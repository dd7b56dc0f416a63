import { readFile } from 'node:fs/promises';

/** Connections that a full plan may need at a time, and what the process itself keeps open. */
const wantedOpenFiles = 10_000 + 500;

/** A warning when the system would not let 10,000 devices connect, or null; only Linux tells. */
export async function openFilesWarning(limitsPath = '/proc/self/limits'): Promise<string | null> {
  const limits = await readFile(limitsPath, 'utf8').catch(() => '');
  const soft = /^Max open files\s+(\d+)/m.exec(limits)?.[1];
  if (soft === undefined || Number(soft) >= wantedOpenFiles) return null;
  return `At most ${soft} files may be open, so fewer than 10,000 devices can be connected at a time; raise the limit with "ulimit -n ${wantedOpenFiles}".`;
}
