import { z } from 'zod';
import { benchPolicySchema } from './bench-policy-schema.ts';
import { bootCommandsSchema } from './boot-commands.ts';
import { descriptionFaults } from './description-faults.ts';
import { describedFormatSchema } from './described-format.ts';
import { componentIdentitySchema, productIdentitySchema } from './product-identity.ts';
import { chinaTelecomIccidPattern, fileTypePattern, idPattern, versionPattern } from './limits.ts';
import { compressionSchema, deltaLimitsSchema, deviceCostSchema } from './delta.ts';
import { inspectReportSchema } from './finding.ts';
import { findingPolicySchema, policyFaults } from './policy.ts';

export const componentTypeSchema = z.enum(['module', 'mcu']);
export type ComponentType = z.infer<typeof componentTypeSchema>;

/** A memory region of a component, bytes from `start`, used to check that an image fits. */
export const memoryRegionSchema = z.object({
  name: z.string(),
  start: z.number().int().nonnegative(),
  sizeBytes: z.number().int().positive(),
  /** What it is for; left out, it is like any other memory that an image may lie in. */
  role: z.enum(['bootloader', 'slot', 'app', 'ram', 'other']).optional(),
  /** End of a slot that the boot loader keeps for its own trailer (MCUboot, "Image trailer"). */
  trailerBytes: z.number().int().nonnegative().optional(),
});
export type MemoryRegion = z.infer<typeof memoryRegionSchema>;

export const componentSchema = z.object({
  /** Identifier unique within the product, for example `EC600N` or `STM32`. */
  id: z.string().regex(idPattern),
  name: z.string(),
  type: componentTypeSchema,
  /** Chip the flasher must find on the bench, for example `STM32F103 medium-density`. */
  chip: z.string().optional(),
  memory: z.array(memoryRegionSchema).optional(),
  /** What the flasher types where the bootloader has a prompt. */
  bootCommands: bootCommandsSchema.optional(),
  /** What the device can apply; without it, only BSDIFF40 is made for it. */
  delta: deltaLimitsSchema.optional(),
  ...componentIdentitySchema.shape,
});
export type Component = z.infer<typeof componentSchema>;

export const productSchema = z.object({
  /** ProductKey in the cloud. */
  id: z.string().regex(idPattern),
  name: z.string(),
  components: z.array(componentSchema).min(1),
  policy: z
    .object({
      benchRunsRequired: z.number().int().nonnegative().default(0),
      bench: benchPolicySchema.optional(),
      findings: findingPolicySchema.optional(),
    })
    .default({ benchRunsRequired: 0 }),
  ...productIdentitySchema.shape,
});
export type Product = z.infer<typeof productSchema>;

/** What `slipway.yaml` holds. */
export const workspaceConfigSchema = z
  .object({
    version: z.literal(1),
    name: z.string(),
    products: z.array(productSchema),
    fileTypes: z.array(z.string().regex(fileTypePattern)).default([]),
    formats: z.array(describedFormatSchema).default([]),
    /** ICCID prefixes that mean a China Telecom SIM; each must start with 898603 or 898611. */
    chinaTelecomIccidPrefixes: z
      .array(z.string().regex(chinaTelecomIccidPattern))
      .default(['898603', '898611']),
  })
  .superRefine(({ products, formats }, context) => {
    const names = formats.map(({ name }) => name);
    for (const [index, name] of names.entries())
      if (names.indexOf(name) < index) {
        const path = ['formats', index, 'name'];
        context.addIssue({ code: 'custom', path, message: `"${name}" is there twice` });
      }
    for (const [index, product] of products.entries()) {
      for (const { key, why } of policyFaults(product.policy.findings ?? {})) {
        const path = ['products', index, 'policy', 'findings', key];
        context.addIssue({ code: 'custom', path, message: why });
      }
      for (const { path, why } of descriptionFaults(product))
        context.addIssue({ code: 'custom', path: ['products', index, ...path], message: why });
    }
  });
export type WorkspaceConfig = z.infer<typeof workspaceConfigSchema>;

export const packageFileSchema = z.object({
  name: z.string(),
  role: z.enum(['image', 'delta', 'script', 'asset']),
  sizeBytes: z.number().int(),
  sha256: z.string(),
  format: z.string(),
});
export type PackageFile = z.infer<typeof packageFileSchema>;

export const versionSchema = z
  .string()
  .regex(versionPattern, 'letters, digits, "_", "-" and "." only');

/** Proof that a delta rebuilds its target: recorded only after applying it gave `targetSha256`. */
export const deltaProofSchema = z.object({
  format: z.string(),
  /** Null for formats that leave no choice; records from before there was one do not have it. */
  compression: compressionSchema.nullable().optional(),
  /** What applying it costs the device. */
  cost: deviceCostSchema.optional(),
  /** RAM in bytes that the decoder of the proof took; older records do not have it. */
  proofRamBytes: z.number().optional(),
  /** How often the device of the proof lost its power and went on; only updates in place are interrupted. */
  powerLosses: z.number().optional(),
  sourceSha256: z.string(),
  targetSha256: z.string(),
  patchSha256: z.string(),
  patchSizeBytes: z.number(),
  targetSizeBytes: z.number(),
  elapsedMs: z.number(),
  peakRssBytes: z.number(),
  proven: z.literal(true),
});
export type DeltaProof = z.infer<typeof deltaProofSchema>;

export const versionPackageSchema = z.object({
  id: z.string(),
  releaseId: z.string(),
  productId: z.string(),
  componentId: z.string(),
  componentType: componentTypeSchema,
  name: z.string(),
  packageType: z.enum(['full', 'delta']),
  sourceVersion: z.string().nullable(),
  targetVersion: z.string(),
  files: z.array(packageFileSchema),
  /** SHA-256 of the deterministic version package archive. */
  sha256: z.string(),
  sizeBytes: z.number(),
  report: inspectReportSchema,
  /** Who made the package; absent in records of times when no name was kept. */
  author: z.string().optional(),
  deltaProof: deltaProofSchema.nullable(),
  createdAt: z.string(),
});
export type VersionPackage = z.infer<typeof versionPackageSchema>;

export const releaseSchema = z.object({
  id: z.string(),
  productId: z.string(),
  version: z.string(),
  createdAt: z.string(),
});
export type Release = z.infer<typeof releaseSchema>;
