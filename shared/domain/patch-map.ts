import { z } from 'zod';

/** One operation of a patch; offsets and sizes in bytes. */
const patchOperationSchema = z.object({
  kind: z.enum(['copy', 'insert', 'run']),
  targetStart: z.number(),
  sizeBytes: z.number(),
  /** What a copy reads; null for others, and where it depends on the memory of the device. */
  sourceStart: z.number().nullable(),
  /** What the source offset counts in: a copy may repeat what it has made before. */
  from: z.enum(['source', 'target', 'memory']).nullable(),
  /** Copied bytes that are corrected. */
  changedBytes: z.number(),
});
export type PatchOperation = z.infer<typeof patchOperationSchema>;

/** What a patch does with each part of its target. */
export const patchMapSchema = z.object({
  targetSizeBytes: z.number(),
  total: z.number(),
  /** In the order of the target; the first ones when there are more. */
  listed: z.array(patchOperationSchema),
  /** Bytes of equal shares of the target by what makes them. */
  shares: z.object({
    bucketBytes: z.number(),
    copied: z.array(z.number()),
    corrected: z.array(z.number()),
    inserted: z.array(z.number()),
  }),
});
export type PatchMap = z.infer<typeof patchMapSchema>;
