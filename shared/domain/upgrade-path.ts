import type { UpgradePath } from './upgrade-path-schema.ts';
import { compareVersions } from './version-scheme.ts';

/** Why a device must not go straight from one version to another, or null when it may. */
export function skippedStep(
  componentId: string,
  { versionScheme, minSourceVersion, requiredSteps = [] }: UpgradePath,
  from: string,
  to: string,
): string | null {
  const isOlder = (one: string, other: string): boolean =>
    (compareVersions(versionScheme, one, other) ?? 0) < 0;
  if (minSourceVersion !== undefined && isOlder(from, minSourceVersion))
    return `${componentId} ${from} is older than ${minSourceVersion}, the oldest that may be upgraded.`;
  const step = requiredSteps.find((version) => isOlder(from, version) && isOlder(version, to));
  return step === undefined
    ? null
    : `${componentId} must not go from ${from} to ${to} without ${step}.`;
}
