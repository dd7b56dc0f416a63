import { z } from 'zod';
import { defaultDeltas, packageOffers } from './package-offers.ts';
import { inSequence, inUpgradeSequence } from './upgrade-sequence.ts';
import { planFault } from './plan-strategy.ts';
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
  /** All of these components in the order in which a device takes them; left out, modules before MCUs. */
  upgradeSequence: z.array(z.string()).min(1).optional(),
  batches: planDraftSchema.shape.batches,
  whitelist: planDraftSchema.shape.whitelist,
  blacklist: planDraftSchema.shape.blacklist,
  /** Files with one device per line, or tables (CSV); relative to the plan file. */
  whitelistFile: z.string().min(1).optional(),
  blacklistFile: z.string().min(1).optional(),
  retries: planDraftSchema.shape.retries,
  stages: planDraftSchema.shape.stages,
  cohortSeed: planDraftSchema.shape.cohortSeed,
  stopRules: planDraftSchema.shape.stopRules,
  timeZone: planDraftSchema.shape.timeZone,
  plannedTime: planDraftSchema.shape.plannedTime,
  pushPeriod: planDraftSchema.shape.pushPeriod,
  minRsrpDbm: planDraftSchema.shape.minRsrpDbm,
  minBatteryPercent: planDraftSchema.shape.minBatteryPercent,
  fallbackToFull: planDraftSchema.shape.fallbackToFull,
  allowNeverReported: planDraftSchema.shape.allowNeverReported,
  upgradeTexts: planDraftSchema.shape.upgradeTexts,
});
export type PlanFile = z.infer<typeof planFileSchema>;

/**
 * The components of a plan for a release: of each component the newest full package, and the
 * newest delta package from each source version that rebuilds the image of that full package.
 * Modules come before MCUs, which often are reached through them.
 */
export function planComponents(
  releaseId: string,
  packages: readonly VersionPackage[],
): PlanDraft['components'] {
  const components = packageOffers(releaseId, packages).flatMap((offer) => {
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
  return inUpgradeSequence(components);
}

/** Finds the release and the packages that a plan file means. @throws ProblemError `release-missing` | `package-missing` | `plan-invalid` */
export function resolvePlanFile(
  file: Omit<PlanFile, 'whitelistFile' | 'blacklistFile'>,
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
  const { name, product, version, components: named, upgradeSequence, ...rest } = file;
  const taken = all.filter((entry) => named?.includes(entry.componentId) ?? true);
  const plan: PlanDraft = {
    ...rest,
    name: name ?? `${product} ${version}`,
    productId: product,
    releaseId: release.id,
    components: asSequenced(taken, upgradeSequence ?? []),
  };
  const fault = planFault(plan);
  if (fault !== null) throw planInvalid(fault);
  return plan;
}

/** A plan that cannot be carried out as written ({@link planFault}). */
export function planInvalid(fault: string): Error {
  return problem(
    'plan-invalid',
    'The plan cannot be carried out as written',
    fault,
    'Correct the field that it names.',
    'usage',
  );
}

/** @throws ProblemError `plan-invalid` when the sequence names other components than the plan has */
function asSequenced(
  components: PlanDraft['components'],
  sequence: readonly string[],
): PlanDraft['components'] {
  if (sequence.length === 0) return components;
  const ids = components.map(({ componentId }) => componentId);
  if (ids.toSorted().join(' ') !== sequence.toSorted().join(' '))
    throw planInvalid(
      `upgradeSequence names ${sequence.join(', ')}; the plan has ${ids.join(', ')}.`,
    );
  return inSequence(components, sequence);
}
