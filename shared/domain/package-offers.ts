import type { VersionPackage } from './product.ts';

/** What a release offers for one component. */
export interface PackageOffer {
  readonly componentId: string;
  readonly componentType: VersionPackage['componentType'];
  /** Newest first; the first one is what a new plan takes. */
  readonly fulls: readonly VersionPackage[];
  /** Ascending by source version, the newest of each. */
  readonly deltas: readonly VersionPackage[];
}

/** What the packages of a release can upgrade, one offer for each component. */
export function packageOffers(
  releaseId: string,
  packages: readonly VersionPackage[],
): readonly PackageOffer[] {
  const newestFirst = packages
    .filter((pkg) => pkg.releaseId === releaseId)
    .toReversed()
    .toSorted((one, other) => other.createdAt.localeCompare(one.createdAt));
  return [...new Set(newestFirst.map(({ componentId }) => componentId))].map((componentId) => {
    const own = newestFirst.filter((pkg) => pkg.componentId === componentId);
    const bySource = new Map<string, VersionPackage>();
    for (const pkg of own)
      if (pkg.sourceVersion !== null && !bySource.has(pkg.sourceVersion))
        bySource.set(pkg.sourceVersion, pkg);
    return {
      componentId,
      componentType: own[0]?.componentType ?? 'mcu',
      fulls: own.filter((pkg) => pkg.packageType === 'full'),
      deltas: [...bySource]
        .toSorted(([one], [other]) => versionOrder(one, other))
        .map(([, pkg]) => pkg),
    };
  });
}

/** The deltas that a new plan takes beside a full package: those that rebuild exactly its image. */
export function defaultDeltas(offer: PackageOffer): readonly VersionPackage[] {
  return offer.deltas.filter((delta) => rebuilds(delta, offer.fulls[0]));
}

/** True when the delta is proven to rebuild the image of this full package, or there is none to compare with. */
export function rebuilds(delta: VersionPackage, full: VersionPackage | undefined): boolean {
  return !full || delta.deltaProof?.targetSha256 === full.files[0]?.sha256;
}

/** Orders versions by their numbers: 1.9 before 1.10. */
export function versionOrder(one: string, other: string): number {
  return one.localeCompare(other, 'en', { numeric: true });
}
