import type { VersionScheme } from './version-scheme-schema.ts';

/** Parts from the most to the least significant; numbers are ordered as numbers. */
type VersionKey = readonly (readonly string[])[];

const semver =
  /^[vV]?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+[0-9A-Za-z.-]+)?$/;
const dotted = /^[vV]?\d+(?:\.\d+)*$/;
const number = /^\d+$/;

/** Whether the version is written as the scheme says; without a scheme every version is. */
export function followsScheme(scheme: VersionScheme | undefined, version: string): boolean {
  return scheme === undefined || versionKey(scheme, version) !== null;
}

/**
 * Orders two versions: negative when the first is older. Without a scheme the numbers inside the
 * texts decide; null when one of them is not written as the scheme says.
 */
export function compareVersions(
  scheme: VersionScheme | undefined,
  one: string,
  other: string,
): number | null {
  if (scheme === undefined) return one.localeCompare(other, 'en', { numeric: true });
  const left = versionKey(scheme, one);
  const right = versionKey(scheme, other);
  if (left === null || right === null) return null;
  const [release = [], preRelease = []] = left;
  const [otherRelease = [], otherPreRelease = []] = right;
  const order = compareParts(release, otherRelease, '0');
  if (order !== 0) return order;
  // Semantic Versioning 2.0.0, section 11: a pre-release is older than its release.
  if (preRelease.length === 0 || otherPreRelease.length === 0)
    return otherPreRelease.length - preRelease.length;
  return compareParts(preRelease, otherPreRelease, null);
}

function versionKey(scheme: VersionScheme, version: string): VersionKey | null {
  if (scheme === 'semver') {
    const match = semver.exec(version);
    return match && [match.slice(1, 4), match[4]?.split('.') ?? []];
  }
  if (scheme === 'dotted') {
    return dotted.test(version) ? [version.replace(/^[vV]/, '').split('.')] : null;
  }
  const match = new RegExp(`^(?:${scheme.pattern})$`).exec(version);
  return match && [match.slice(1).map((group: string | undefined) => group ?? '')];
}

/** Missing parts count as `missing`, or make the shorter one older when that is null. */
function compareParts(
  one: readonly string[],
  other: readonly string[],
  missing: string | null,
): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const left = one[index] ?? missing;
    const right = other[index] ?? missing;
    if (left === null || right === null) return left === null ? -1 : 1;
    const order = comparePart(left, right);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(one: string, other: string): number {
  if (number.test(one) && number.test(other)) {
    const difference = BigInt(one) - BigInt(other);
    return difference > 0n ? 1 : difference < 0n ? -1 : 0;
  }
  if (one === other) return 0;
  // An absent group is older than a number, and a number older than a text.
  const rank = (part: string): number => (part === '' ? 0 : number.test(part) ? 1 : 2);
  return rank(one) - rank(other) || (one < other ? -1 : 1);
}
