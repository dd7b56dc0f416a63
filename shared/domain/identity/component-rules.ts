import { relatedComponents, worksTogether } from '../compatibility.ts';
import { fullPackages, type ReleasedPackage } from '../release-history.ts';
import { compareVersions } from '../version-scheme.ts';
import type { ExaminedFile, IdentityContext } from './examined-file.ts';

/** Compares the version with those of the product's other components. */
export function checkComponents(files: readonly ExaminedFile[], context: IdentityContext): void {
  checkMatrix(files, context);
  for (const file of files) checkDependencies(file, context);
}

function checkMatrix([first]: readonly ExaminedFile[], context: IdentityContext): void {
  const { product, component, version } = context;
  const related = relatedComponents(product, component.id);
  if (first === undefined || version === undefined || related.length === 0) return;
  const own = { [component.id]: version };
  if (!worksTogether(product, own)) {
    const detail = `no row of the matrix holds ${component.id} ${version}`;
    first.report('identity.incompatible', detail, { found: version });
    return;
  }
  let checked = 0;
  for (const id of related) {
    const { pkg, isInRelease } = counterpart(context, id);
    if (pkg === undefined) continue;
    checked += 1;
    if (worksTogether(product, { ...own, [id]: pkg.version })) continue;
    checked = Number.NaN;
    const pair = `${component.id} ${version} and ${id} ${pkg.version}`;
    first.report(
      isInRelease ? 'identity.incompatible' : 'identity.incompatible-newest',
      `no row of the matrix holds ${pair}`,
      { found: pair },
    );
  }
  if (checked > 0) first.report('identity.compatible', related.join(', '));
}

/** The package of another component that devices will have: that of this release, else the newest. */
function counterpart(
  { history, version }: IdentityContext,
  componentId: string,
): { readonly pkg: ReleasedPackage | undefined; readonly isInRelease: boolean } {
  const packages = fullPackages(history, componentId);
  const inRelease = packages.find((pkg) => pkg.version === version);
  return { pkg: inRelease ?? packages.at(-1), isInRelease: inRelease !== undefined };
}

/** Versions of MCUboot, `major.minor.revision+build`, are ordered number by number. */
const dotted = (version: string): string => version.replace('+', '.');

function checkDependencies({ identity, report }: ExaminedFile, context: IdentityContext): void {
  for (const { imageNumber, minVersion } of identity?.dependencies ?? []) {
    const other = context.product.components.find(
      (component) => component.imageNumber === imageNumber,
    );
    if (other === undefined || other.id === context.component.id) continue;
    const { pkg } = counterpart(context, other.id);
    const found = pkg?.files.find((file) => file.identity?.version !== undefined)?.identity;
    const expected = `${other.id} ${minVersion} or newer`;
    if (pkg === undefined || found?.version === undefined) {
      report('mcuboot.dependency-open', `it needs image ${imageNumber}`, { expected });
      continue;
    }
    const order = compareVersions('dotted', dotted(found.version), dotted(minVersion));
    if (order !== null && order >= 0) continue;
    const detail = `it needs ${expected}; ${pkg.version} is ${found.version}`;
    report('mcuboot.dependency-unmet', detail, { expected, found: found.version });
  }
}
