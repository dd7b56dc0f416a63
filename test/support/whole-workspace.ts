import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { verifyVersionPackage } from '../../electron/core/bundle/version-package.ts';
import { Workspace } from '../../electron/core/workspace/workspace.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';

const context = { signal: new AbortController().signal, onProgress: () => undefined };

/**
 * Opens a workspace and checks that everything recorded is there and is what the record says:
 * each object under its own SHA-256, each version package intact, each delta proven against recorded images.
 */
export async function expectWhole(
  folder: string,
  { temporaryFiles = false } = {},
): Promise<VersionPackage[]> {
  const workspace = await Workspace.open(folder);
  try {
    const packages = workspace.list('package');
    const known = new Set(packages.flatMap((pkg) => pkg.files.map((file) => file.sha256)));
    for (const pkg of packages) {
      expect(workspace.release(pkg.releaseId).version).toBe(pkg.targetVersion);
      for (const { sha256, sizeBytes } of [pkg, ...pkg.files]) {
        const bytes = await readFile(workspace.objects.path(sha256));
        expect(bytes.length).toBe(sizeBytes);
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
      }
      const archive = await verifyVersionPackage(workspace.objects.path(pkg.sha256), context);
      expect(archive.why).toBe('every file matches the manifest');
      if (pkg.deltaProof) expect(known).toContain(pkg.deltaProof.targetSha256);
    }
    if (!temporaryFiles) {
      const left = [
        ...(await readdir(workspace.internal('objects'))).filter((name) => name.length > 2),
        ...(await readdir(workspace.internal('tmp')).catch(() => [])),
        ...(await readdir(join(folder, 'evidence')).catch(() => [])),
      ].filter((name) => name.includes('tmp') || /\.(tar|patch)$/.test(name));
      expect(left).toEqual([]);
    }
    return packages;
  } finally {
    workspace.close();
  }
}
