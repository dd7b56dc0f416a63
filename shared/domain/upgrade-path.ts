import { z } from 'zod';
import { compareVersions, versionSchemeSchema } from './version-scheme.ts';

/** Which versions of a component an upgrade may start from and must not skip. */
export const upgradePathSchema = z.object({
  /** How versions are written and ordered; without it a downgrade is not told. */
  versionScheme: versionSchemeSchema.optional(),
  /** Oldest version that may be upgraded directly. */
  minSourceVersion: z.string().min(1).optional(),
  /** Versions that no upgrade may skip: an older device must get them first. */
  requiredSteps: z.array(z.string().min(1)).optional(),
});
export type UpgradePath = z.infer<typeof upgradePathSchema>;

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
