import { open } from 'node:fs/promises';
import type { Workspace } from '../workspace/workspace.ts';

/**
 * Adds the secrets of new devices to the workspace's `device-secrets.csv` (id,secret; readable by
 * its owner only) and returns its path, or null when there is none. The cloud keeps only their
 * hashes, so this is the one place to provision devices from; the last line of a device counts.
 */
export async function appendSecrets(
  workspace: Workspace,
  secrets: Readonly<Record<string, string>>,
): Promise<string | null> {
  const entries = Object.entries(secrets);
  if (entries.length === 0) return null;
  const path = workspace.internal('device-secrets.csv');
  const file = await open(path, 'a', 0o600);
  try {
    await file.appendFile(entries.map(([id, secret]) => `${id},${secret}\n`).join(''));
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}
