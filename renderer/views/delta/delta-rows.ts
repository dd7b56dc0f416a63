import type { VersionPackage } from '../../../shared/domain/product.ts';

/** One source version, and the delta from it to the target if there is one. */
export interface DeltaRow {
  readonly source: VersionPackage;
  readonly delta: VersionPackage | null;
  /** Patch size over the size of the full image, 0..1 and more; null without a delta. */
  readonly ratio: number | null;
}

/** A format as people write it, with its compression. */
export function formatWord(format: string, compression?: string | null): string {
  const words: Readonly<Record<string, string>> = {
    bsdiff: 'BSDIFF40',
    'detools-inplace': 'detools in place',
    hpatchlite: 'HPatchLite',
    hdiffpatch: 'HDIFF13',
  };
  const word = words[format] ?? (format === 'detools' ? format : format.toUpperCase());
  return compression ? `${word}, ${compression}` : word;
}

/** Bytes that a device downloads for a delta, a vendor's own included. */
export const patchBytes = (delta: VersionPackage): number =>
  delta.files.reduce((sum, file) => sum + file.sizeBytes, 0);

/** Deltas to a target that start from none of these versions. */
export function otherDeltas(
  target: VersionPackage,
  sources: readonly VersionPackage[],
  packages: readonly VersionPackage[],
): readonly VersionPackage[] {
  const known = new Set(sources.map(({ targetVersion }) => targetVersion));
  return packages.filter(
    (pkg) =>
      pkg.packageType === 'delta' &&
      pkg.releaseId === target.releaseId &&
      pkg.componentId === target.componentId &&
      !known.has(pkg.sourceVersion ?? ''),
  );
}

/** The source versions for a target, the newest first, with the deltas that start from them. */
export function deltaRows(
  target: VersionPackage,
  sources: readonly VersionPackage[],
  packages: readonly VersionPackage[],
): readonly DeltaRow[] {
  return [...sources]
    .sort((a, b) => b.createdAt.localeCompare(a.createdAt))
    .map((source) => {
      const delta =
        packages.find(
          (pkg) =>
            pkg.packageType === 'delta' &&
            pkg.releaseId === target.releaseId &&
            pkg.componentId === target.componentId &&
            pkg.sourceVersion === source.targetVersion,
        ) ?? null;
      const fullBytes = patchBytes(target);
      const ratio = delta && fullBytes > 0 ? patchBytes(delta) / fullBytes : null;
      return { source, delta, ratio };
    });
}
