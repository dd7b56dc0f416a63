import { z } from 'zod';
import { boardReferenceSchema } from '../../../shared/domain/bench.ts';
import { flashRequestSchema } from '../../../shared/domain/flash-request.ts';

/** What is asked of a run and of those that go on with it. Consent to erase a board is asked for anew each time. */
export const askedSchema = flashRequestSchema
  .omit({ changedOnly: true, unprotect: true })
  .extend({ path: z.string().optional() });

/** What a run was asked to do: kept from its beginning until it has passed, so that it can be gone on with. */
export const benchOrderSchema = askedSchema.extend({
  /** That of the run. */
  id: z.string(),
  releaseId: z.string().nullable(),
  imageSha256: z.string(),
  imageName: z.string(),
  startedAt: z.string(),
  recording: z.string(),
  /** The process that carries it out. */
  processId: z.number().int(),
  /** How far it has come: the step that it was at last. */
  step: z.string(),
  chip: z.string(),
  board: boardReferenceSchema.optional(),
  virtual: z.boolean(),
  resumes: z.string().optional(),
});
export type BenchOrder = z.infer<typeof benchOrderSchema>;
