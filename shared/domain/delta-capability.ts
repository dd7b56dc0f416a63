import { type DeltaLimits, patchFormatSchema } from './delta.ts';
import { objections } from './delta-cost.ts';
import type { PlanDraft } from './plan.ts';
import type { Product, VersionPackage } from './product.ts';

/**
 * Why the devices of a component cannot apply a delta, or null when they can as far as their
 * description tells; a vendor's own delta has a format that no description limits.
 */
export function cannotApply(
  { deltaProof }: Pick<VersionPackage, 'deltaProof'>,
  limits: DeltaLimits | undefined,
): string | null {
  if (!deltaProof || !limits) return null;
  const { format: name, compression = null, cost } = deltaProof;
  const format = patchFormatSchema.safeParse(name === 'bsdiff40' ? 'bsdiff' : name);
  if (!format.success) return `the format ${name} is not one that a description can allow`;
  const unknownCost = { ramBytes: 0, flashBytes: 0, airBytes: 0, airSeconds: null, erases: null };
  const why = objections({ format: format.data, compression }, cost ?? unknownCost, limits);
  return why.length === 0 ? null : why.join('; ');
}

/** The plan with a mark on each delta that the devices of its component cannot apply, as they are described now. */
export function markDeltas(
  plan: PlanDraft,
  product: Product,
  packages: readonly VersionPackage[],
): PlanDraft {
  const byId = new Map(packages.map((pkg) => [pkg.id, pkg]));
  return {
    ...plan,
    components: plan.components.map((component) => {
      const limits = product.components.find(({ id }) => id === component.componentId)?.delta;
      return {
        ...component,
        deltas: component.deltas.map(({ sourceVersion, packageId }) => {
          const pkg = byId.get(packageId);
          const why = pkg ? cannotApply(pkg, limits) : null;
          return { sourceVersion, packageId, ...(why === null ? {} : { cannotApply: why }) };
        }),
      };
    }),
  };
}
