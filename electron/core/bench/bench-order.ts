import { z } from 'zod';
import {
  boardReferenceSchema,
  mcuVersionSchema,
  protocolSchema,
} from '../../../shared/domain/bench.ts';
import { bootCommandsSchema } from '../../../shared/domain/boot-commands.ts';

/** What a run was asked to do: kept from its beginning until it has passed, so that it can be gone on with. */
export const benchOrderSchema = z.object({
  /** That of the run. */
  id: z.string(),
  port: z.string(),
  protocol: protocolSchema,
  path: z.string().optional(),
  packageId: z.string().optional(),
  expectVersion: z.string().optional(),
  baudRate: z.number().optional(),
  address: z.number().optional(),
  url: z.string().optional(),
  usesStub: z.boolean().optional(),
  mcu: mcuVersionSchema.optional(),
  bootCommands: bootCommandsSchema.optional(),
  resetSequence: z.string().optional(),
  hardwareRevision: z.string().optional(),
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
