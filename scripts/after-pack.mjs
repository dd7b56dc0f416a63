import { rm } from 'node:fs/promises';
import { join } from 'node:path';

/** A runtime from the npm registry brings things of its own that a package must not have: a default app and an update feed. */
export async function afterPack({ appOutDir, electronPlatformName }) {
  if (electronPlatformName !== 'linux') return;
  for (const name of ['app', 'app-update.yml'])
    await rm(join(appOutDir, 'resources', name), { recursive: true, force: true });
}
