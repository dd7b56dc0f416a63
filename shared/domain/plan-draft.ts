import { z } from 'zod';
import { defaultDeltas, packageOffers } from './package-offers.ts';
import { type PlanDraft, planDraftSchema } from './plan.ts';
import { problem } from './problem.ts';
import { type Release, type VersionPackage, versionSchema } from './product.ts';

/** A plan as a person writes it down, for `slipway plan create`: product and version instead of ids. */
export const planFileSchema = z.strictObject({
  name: planDraftSchema.shape.name.optional(),
  product: z.string(),
  version: versionSchema,
  mode: planDraftSchema.shape.mode,
  /** Component ids; left out, every component that has a package in the release. */
  components: z.array(z.string()).min(1).optional(),
  batches: planDraftSchema.shape.batches,
  whitelist: planDraftSchema.shape.whitelist,
  blacklist: planDraftSchema.shape.blacklist,
  retries: planDraftSchema.shape.retries,
  stages: planDraftSchema.shape.stages,
  cohortSeed: planDraftSchema.shape.cohortSeed,
  stopRules: planDraftSchema.shape.stopRules,
});
export type PlanFile = z.infer<typeof planFileSchema>;

/**
 * The components of a plan for a release: of each component the newest full package, and the
 * newest delta package from each source version that rebuilds the image of that full package.
 */
export function planComponents(
  releaseId: string,
  packages: readonly VersionPackage[],
): PlanDraft['components'] {
  return packageOffers(releaseId, packages).flatMap((offer) => {
    const [full] = offer.fulls;
    const deltas = defaultDeltas(offer);
    const targetVersion = (full ?? deltas[0])?.targetVersion;
    if (targetVersion === undefined) return [];
    return [
      {
        componentId: offer.componentId,
        componentType: offer.componentType,
        targetVersion,
        fullPackageId: full?.id ?? null,
        deltas: deltas.map((pkg) => ({
          sourceVersion: pkg.sourceVersion ?? '',
          packageId: pkg.id,
        })),
      },
    ];
  });
}

/** Finds the release and the packages that a plan file means. @throws ProblemError `release-missing` | `package-missing` */
export function resolvePlanFile(
  file: PlanFile,
  releases: readonly Release[],
  packages: readonly VersionPackage[],
): PlanDraft {
  const release = releases.find(
    (candidate) => candidate.productId === file.product && candidate.version === file.version,
  );
  if (!release) {
    throw problem(
      'release-missing',
      'There is no such release',
      `product ${file.product}, version ${file.version} is not in this workspace.`,
      'Create it with: slipway bundle create.',
      'usage',
    );
  }
  const all = planComponents(release.id, packages);
  const missing = file.components?.find((id) => !all.some((entry) => entry.componentId === id));
  if (missing !== undefined || all.length === 0) {
    throw problem(
      'package-missing',
      'The release has no such version package',
      missing === undefined
        ? `${file.product} ${file.version} has no version package.`
        : `${file.product} ${file.version} has no version package of component ${missing}.`,
      'Create it with: slipway bundle create.',
      'usage',
    );
  }
  return {
    name: file.name ?? `${file.product} ${file.version}`,
    productId: file.product,
    releaseId: release.id,
    mode: file.mode,
    components: all.filter((entry) => file.components?.includes(entry.componentId) ?? true),
    batches: file.batches,
    whitelist: file.whitelist,
    blacklist: file.blacklist,
    retries: file.retries,
    ...(file.stages ? { stages: file.stages } : {}),
    ...(file.cohortSeed ? { cohortSeed: file.cohortSeed } : {}),
    ...(file.stopRules ? { stopRules: file.stopRules } : {}),
  };
}
