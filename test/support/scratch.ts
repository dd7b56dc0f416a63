import { createHash, randomUUID } from 'node:crypto';
import type { Plan, PlanDraft } from '../../shared/domain/plan.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';

/** A file to put into a package. */
export interface ArtifactOfTest {
  readonly path: string;
  readonly name: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** Names, size and SHA-256 of bytes that are at `path`. */
export function artifactOf(path: string, bytes: Uint8Array): ArtifactOfTest {
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { path, name: 'image.bin', sizeBytes: bytes.length, sha256 };
}

/** A version package of component APP of product P with one file. */
export function packageOf(
  artifact: ArtifactOfTest,
  versions: { readonly source?: string; readonly target: string },
): VersionPackage {
  const { name, sizeBytes, sha256 } = artifact;
  const isDelta = versions.source !== undefined;
  return {
    id: randomUUID(),
    releaseId: 'R',
    productId: 'P',
    componentId: 'APP',
    componentType: 'mcu',
    name: `P APP ${versions.target}`,
    packageType: isDelta ? 'delta' : 'full',
    sourceVersion: versions.source ?? null,
    targetVersion: versions.target,
    files: [{ name, role: isDelta ? 'delta' : 'image', sizeBytes, sha256, format: 'unknown' }],
    sha256,
    sizeBytes,
    report: { verdict: 'pass', files: [] },
    deltaProof: null,
    createdAt: new Date().toISOString(),
  };
}

/** A silent plan for these packages. */
export function planOf(
  packages: readonly VersionPackage[],
  changes: Partial<PlanDraft> = {},
): Plan {
  const createdAt = new Date().toISOString();
  return {
    id: randomUUID(),
    name: 'Test plan',
    productId: 'P',
    releaseId: 'R',
    mode: 'silent',
    state: 'saved',
    createdAt,
    publishedAt: createdAt,
    components: [
      {
        componentId: 'APP',
        componentType: 'mcu',
        targetVersion: packages[0]?.targetVersion ?? '',
        fullPackageId: packages.find((pkg) => pkg.packageType === 'full')?.id ?? null,
        deltas: packages
          .filter((pkg) => pkg.packageType === 'delta')
          .map((pkg) => ({ sourceVersion: pkg.sourceVersion ?? '', packageId: pkg.id })),
      },
    ],
    batches: [],
    whitelist: [],
    blacklist: [],
    retries: 5,
    ...changes,
  };
}

/** Waits until `check` gives a value; fails with the last thing seen. */
export async function until<T>(
  what: string,
  check: () => Promise<T | null> | T | null,
  timeoutMs = 30_000,
): Promise<T> {
  const deadlineMs = Date.now() + timeoutMs;
  for (;;) {
    const value = await check();
    if (value !== null) return value;
    if (Date.now() > deadlineMs) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
