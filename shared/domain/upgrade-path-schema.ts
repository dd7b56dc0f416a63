import { z } from 'zod';
import { versionSchemeSchema } from './version-scheme-schema.ts';

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
