import { z } from 'zod';

/** A hardware revision as people write it on the board: `A`, `1.2`, `rev C`. */
export const hardwareRevisionSchema = z.string().trim().min(1).max(32);

/** What a product asks of the bench before an image may go out; misspelled fields are refused, not ignored. */
export const benchPolicySchema = z.strictObject({
  /** Distinct boards, of each hardware revision when there are any. */
  boards: z.number().int().min(1).max(1000),
  hardwareRevisions: z
    .array(hardwareRevisionSchema)
    .min(1)
    .max(32)
    .refine((names) => new Set(names).size === names.length, 'a revision is there twice')
    .optional(),
  /** How old a run may be when the gates are computed, in days. */
  withinDays: z.number().positive().max(3650).optional(),
  /** Whether virtual boards count; they do not unless this is true. */
  virtualBoards: z.boolean().optional(),
});
export type BenchPolicy = z.infer<typeof benchPolicySchema>;
