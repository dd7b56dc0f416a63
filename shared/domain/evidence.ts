import { z } from 'zod';
import { benchRunSchema } from './bench.ts';
import { gateSchema, planSchema, planStatusSchema, rolloutDeviceSchema } from './plan.ts';
import { productSchema, releaseSchema, versionPackageSchema } from './product.ts';
import { verificationSchema } from './verification.ts';
import { waiverSchema } from './waiver.ts';

/** The record of one release; `digest` is the SHA-256 of the canonical JSON of everything else. */
export const evidenceSchema = z.object({
  schema: z.literal('slipway.evidence/1'),
  exportedAt: z.string(),
  release: releaseSchema,
  packages: z.array(versionPackageSchema),
  /** Every waiver of this version, also those taken back; absent in records of earlier times. */
  waivers: z.array(waiverSchema).optional(),
  benchRuns: z.array(benchRunSchema.extend({ recordingText: z.string() })),
  rollouts: z.array(
    z.object({
      plan: planSchema,
      /** With the policy that was in force when the plan was published. */
      product: productSchema,
      gates: z.array(gateSchema),
      status: planStatusSchema,
      devices: z.array(rolloutDeviceSchema),
    }),
  ),
  /** Packages tried on one device each, as known at the export; absent in records of earlier times. */
  verifications: z.array(verificationSchema).optional(),
  /** Signatures come with a later version; the record says plainly that it has none. */
  signatures: z.object({ state: z.literal('unsigned'), entries: z.array(z.never()) }),
  digest: z.string(),
});
export type Evidence = z.infer<typeof evidenceSchema>;

export const evidenceReportSchema = z.object({
  verdict: z.enum(['pass', 'block']),
  checks: z.array(z.object({ id: z.string(), passed: z.boolean(), why: z.string() })),
});
export type EvidenceReport = z.infer<typeof evidenceReportSchema>;
