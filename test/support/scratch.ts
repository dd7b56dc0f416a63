import { createHash } from 'node:crypto';
import type { Plan, PlanDraft } from '../../shared/domain/plan.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';
import { componentId, makePackage, makePlan } from './cloud.ts';

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

/** A version package with one file: a delta when it has a source version. */
export function packageOf(
  artifact: ArtifactOfTest,
  versions: { readonly source?: string; readonly target: string },
): VersionPackage {
  const { name, sizeBytes, sha256 } = artifact;
  const isDelta = versions.source !== undefined;
  return makePackage({
    packageType: isDelta ? 'delta' : 'full',
    sourceVersion: versions.source ?? null,
    targetVersion: versions.target,
    files: [{ name, role: isDelta ? 'delta' : 'image', sizeBytes, sha256, format: 'unknown' }],
    sha256,
    sizeBytes,
  });
}

/** A silent plan that delivers one package. */
export function planOf(pkg: VersionPackage, changes: Partial<PlanDraft> = {}): Plan {
  const isDelta = pkg.packageType === 'delta';
  const component = {
    componentId,
    componentType: pkg.componentType,
    targetVersion: pkg.targetVersion,
    fullPackageId: isDelta ? null : pkg.id,
    deltas: isDelta ? [{ sourceVersion: pkg.sourceVersion ?? '', packageId: pkg.id }] : [],
  };
  return makePlan(null, { components: [component], ...changes });
}
