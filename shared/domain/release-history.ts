import type { ContentEntropy } from './finding.ts';
import type { ImageIdentity } from './image-identity.ts';
import type { PackageFile, VersionPackage } from './product.ts';

/** A file of a released package, and what it said about itself when it was inspected. */
export interface ReleasedFile extends Pick<PackageFile, 'name' | 'role' | 'sizeBytes' | 'sha256'> {
  readonly format: string;
  /** The first bytes in hex, where they were kept. */
  readonly head: string | undefined;
  readonly entropy: ContentEntropy | undefined;
  readonly identity: ImageIdentity | undefined;
}

/** A version package that was recorded before, without its findings. */
export interface ReleasedPackage
  extends Pick<
    VersionPackage,
    'releaseId' | 'componentId' | 'packageType' | 'sourceVersion' | 'createdAt' | 'deltaProof'
  > {
  readonly version: string;
  readonly files: readonly ReleasedFile[];
}

/** What was recorded of a product before, oldest first. */
export type ReleaseHistory = readonly ReleasedPackage[];

/** The packages of a product as the identity rules need them. */
export function releaseHistory(
  productId: string,
  packages: readonly VersionPackage[],
): ReleaseHistory {
  return packages
    .filter((pkg) => pkg.productId === productId)
    .map((pkg) => ({
      releaseId: pkg.releaseId,
      componentId: pkg.componentId,
      packageType: pkg.packageType,
      sourceVersion: pkg.sourceVersion,
      createdAt: pkg.createdAt,
      deltaProof: pkg.deltaProof,
      version: pkg.targetVersion,
      files: pkg.files.map(({ name, role, sizeBytes, sha256, format }) => {
        const inspected = pkg.report.files.find((file) => file.sha256 === sha256);
        const { head, entropy, identity } = inspected ?? {};
        return { name, role, sizeBytes, sha256, format, head, entropy, identity };
      }),
    }))
    .toSorted((one, other) => one.createdAt.localeCompare(other.createdAt));
}

/** Full packages of a component, oldest first. */
export function fullPackages(history: ReleaseHistory, componentId: string): ReleaseHistory {
  return history.filter((pkg) => pkg.componentId === componentId && pkg.packageType === 'full');
}
