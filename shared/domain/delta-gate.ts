import { headFormatSchema, patchFormatOf } from './delta.ts';
import { objections } from './delta-cost.ts';
import type { Gate } from './plan.ts';
import type { Product, VersionPackage } from './product.ts';

/** The deltas of a plan, and the packages of its release. */
export interface DeltaFacts {
  readonly product: Product;
  readonly packages: readonly VersionPackage[];
  readonly releasePackages: readonly VersionPackage[];
  /** Every package of the product; without them the sources of deltas are not compared. */
  readonly sourcePackages?: readonly VersionPackage[];
}

/** Whether the delta's file was proven to rebuild the full image of its component in this release. */
export function isProvenDelta(
  { componentId, deltaProof, files }: VersionPackage,
  releasePackages: readonly VersionPackage[],
): boolean {
  return (
    deltaProof !== null &&
    files.length === 1 &&
    files[0]?.sha256 === deltaProof.patchSha256 &&
    releasePackages.some(
      (pkg) =>
        pkg.packageType === 'full' &&
        pkg.componentId === componentId &&
        pkg.files.length === 1 &&
        pkg.files[0]?.sha256 === deltaProof.targetSha256,
    )
  );
}

/** Whether the delta was proven from other bytes than those that its source version was released with. */
function isFromElsewhere(
  { productId, componentId, sourceVersion, deltaProof }: VersionPackage,
  sourcePackages: readonly VersionPackage[],
): boolean {
  const sources = sourcePackages.filter(
    (pkg) =>
      pkg.packageType === 'full' &&
      pkg.productId === productId &&
      pkg.componentId === componentId &&
      pkg.targetVersion === sourceVersion &&
      pkg.files.length === 1,
  );
  return (
    deltaProof !== null &&
    sources.length > 0 &&
    !sources.some(({ files }) => files[0]?.sha256 === deltaProof.sourceSha256)
  );
}

/** Whether the delta is a vendor's own, which nobody but its device can apply. */
function isForeignDelta(delta: VersionPackage): boolean {
  return (
    delta.deltaProof === null &&
    delta.report.files.some((file) => file.findings.some(({ rule }) => rule === 'delta.foreign'))
  );
}

const deltasOf = (packages: readonly VersionPackage[]): readonly VersionPackage[] =>
  packages.filter((pkg) => pkg.packageType === 'delta');

const namesOf = (packages: readonly VersionPackage[]): string =>
  packages.map(({ name }) => name).join(', ');

/** No proof, no publishing. */
export function deltasGate({ packages, releasePackages, sourcePackages = [] }: DeltaFacts): Gate {
  const deltas = deltasOf(packages);
  const strays = deltas.filter((delta) => isFromElsewhere(delta, sourcePackages));
  const foreign = deltas.filter(isForeignDelta);
  const unproven = deltas.filter(
    (delta) => !isForeignDelta(delta) && !isProvenDelta(delta, releasePackages),
  );
  const unchecked =
    foreign.length > 0
      ? ` Could not be checked, as only the vendor’s device applies them: ${namesOf(foreign)}.`
      : '';
  return {
    id: 'deltas',
    title: 'Every delta is proven',
    passed: unproven.length + strays.length === 0,
    why:
      unproven.length > 0
        ? `Not proven against the full image of this release: ${namesOf(unproven)}.`
        : strays.length > 0
          ? `Proven from another image than that of their source version: ${namesOf(strays)}.`
          : deltas.length === 0
            ? 'The plan has no delta.'
            : `${deltas.length - foreign.length} proven by applying and comparing SHA-256.${unchecked}`,
  };
}

/** Whether devices have what the proven deltas need; asked only of components whose device is described. */
export function deltaDeviceGates({ product, packages }: DeltaFacts): Gate[] {
  const described = deltasOf(packages).filter(
    ({ componentId, deltaProof }) => deltaProof && limitsOf(product, componentId),
  );
  if (described.length === 0) return [];
  const refused = described.flatMap((delta) => {
    const why = whyNotApplied(delta, product);
    return why.length > 0 ? [`${delta.name}: ${why.join('; ')}`] : [];
  });
  return [
    {
      id: 'delta-devices',
      title: 'Devices can apply every delta',
      passed: refused.length === 0,
      why:
        refused.length > 0
          ? `${refused.join('. ')}.`
          : `${described.length} within what is described of the device.`,
    },
  ];
}

const limitsOf = ({ components }: Product, componentId: string) =>
  components.find(({ id }) => id === componentId)?.delta;

function whyNotApplied(
  { componentId, deltaProof }: VersionPackage,
  product: Product,
): readonly string[] {
  const limits = limitsOf(product, componentId);
  if (!deltaProof || !limits) return [];
  const { cost, compression = null } = deltaProof;
  const format = headFormatSchema.safeParse(deltaProof.format);
  if (!cost || !format.success) return ['it was made before its needs were counted: make it again'];
  return objections({ format: patchFormatOf(format.data), compression }, cost, limits);
}
