import { z } from 'zod';
import { compressionSchema, deviceCostSchema, patchFormatSchema } from './delta.ts';
import type { VersionPackage } from './product.ts';
import { versionOrder } from './package-offers.ts';

/** One patch that was made and proven for the matrix; sizes in bytes. */
export const measuredPatchSchema = z.object({
  format: patchFormatSchema,
  compression: compressionSchema.nullable(),
  patchSizeBytes: z.number(),
  patchSha256: z.string(),
  cost: deviceCostSchema,
  /** Why the device cannot apply it; empty when it can. */
  objections: z.array(z.string()),
  /** Applying it gave the target's SHA-256. */
  proven: z.literal(true),
});
export type MeasuredPatch = z.infer<typeof measuredPatchSchema>;

const adviceSchema = z.object({ publish: z.enum(['delta', 'full']), reason: z.string() });

/** One source version: what can be made from it, and what to publish. */
const matrixRowSchema = z.object({
  sourceVersion: z.string(),
  sourcePackageId: z.string(),
  sourceSha256: z.string(),
  /** Devices of the fleet that run it; null while no cloud runs that could be asked. */
  devices: z.number().nullable(),
  patches: z.array(
    measuredPatchSchema.extend({
      /** Size as a share of the compressed full image. */
      ratio: z.number(),
    }),
  ),
  /** Index of the smallest that the device can apply; null without one. */
  best: z.number().nullable(),
  advice: adviceSchema,
});
export type MatrixRow = z.infer<typeof matrixRowSchema>;

/** Every released source version still in the field, by every format that the component allows. */
export const deltaMatrixSchema = z.object({
  productId: z.string(),
  componentId: z.string(),
  targetVersion: z.string(),
  targetSha256: z.string(),
  targetSizeBytes: z.number(),
  /** The full image by Brotli, quality 9: what a delta is compared with. */
  compressedFullBytes: z.number(),
  rows: z.array(matrixRowSchema),
  /** Versions that devices run but no release has: they can only get the full image. */
  unreleased: z.array(z.object({ version: z.string(), devices: z.number() })),
});
export type DeltaMatrix = z.infer<typeof deltaMatrixSchema>;

/** Released packages that devices of the field can be upgraded from, by version; all of them while no device is known. */
export function matrixSources(
  target: VersionPackage,
  packages: readonly VersionPackage[],
  devicesByVersion: ReadonlyMap<string, number> | null,
): readonly VersionPackage[] {
  const sources = packages.filter(
    (pkg) =>
      pkg.packageType === 'full' &&
      pkg.productId === target.productId &&
      pkg.componentId === target.componentId &&
      pkg.targetVersion !== target.targetVersion &&
      pkg.files.length === 1,
  );
  const inField = sources.filter((pkg) => devicesByVersion?.has(pkg.targetVersion));
  return [...(devicesByVersion?.size ? inField : sources)].sort((one, other) =>
    versionOrder(one.targetVersion, other.targetVersion),
  );
}
