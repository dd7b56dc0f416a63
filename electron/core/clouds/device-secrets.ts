import { open } from 'node:fs/promises';
import type { DeviceCredentials } from './local-cloud.ts';
import type { Workspace } from '../workspace/workspace.ts';

/**
 * Adds the secrets of new devices to the workspace's `device-secrets.csv` (id,secret, and for LwM2M
 * the key under DTLS in hex; readable by its owner only) and returns its path, or null when there is
 * none. The cloud tells them once, so this is the one place to provision devices from; the last line of a device counts.
 */
export async function appendSecrets(
  workspace: Workspace,
  { secrets, dtlsKeys }: DeviceCredentials,
): Promise<string | null> {
  const entries = Object.entries(secrets);
  if (entries.length === 0) return null;
  const path = workspace.internal('device-secrets.csv');
  const file = await open(path, 'a', 0o600);
  try {
    const lines = entries.map(([id, secret]) => {
      const key = dtlsKeys[id];
      return key === undefined ? `${id},${secret}\n` : `${id},${secret},${key}\n`;
    });
    await file.appendFile(lines.join(''));
    await file.sync();
  } finally {
    await file.close();
  }
  return path;
}
