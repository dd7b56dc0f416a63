import { z } from 'zod';
import { problemSchema } from './job.ts';

export const protocolSchema = z.enum(['stm32']);
export const virtualBoardKindSchema = z.enum(['stm32']);

export const portInfoSchema = z.object({
  path: z.string(),
  label: z.string(),
  serialNumber: z.string().nullable(),
  virtual: z.boolean(),
});
export type PortInfo = z.infer<typeof portInfoSchema>;

/** What flashing an image will touch, told before anything is erased. */
export const flashFootprintSchema = z.object({
  /** Bytes that are written; blank blocks are skipped. */
  writeBytes: z.number(),
  skippedBytes: z.number(),
  /** Whole pages that are erased, first to last address; null until the chip is known. */
  erase: z
    .object({
      chip: z.string(),
      pages: z.number(),
      pageBytes: z.number(),
      from: z.number(),
      toExclusive: z.number(),
    })
    .nullable(),
});
export type FlashFootprint = z.infer<typeof flashFootprintSchema>;

/** The result of flash + verify + boot check of one image on one board; of a failed run, how far it came. */
export const flashResultSchema = z.object({
  protocol: protocolSchema,
  /** Empty when the board could not be identified. */
  chip: z.string(),
  bytesWritten: z.number(),
  skippedBytes: z.number(),
  verified: z.boolean(),
  booted: z.object({ version: z.string().nullable(), matched: z.boolean() }).nullable(),
  elapsedMs: z.number(),
  bytesPerSec: z.number(),
  /** Path of the JSON Lines serial recording. */
  recording: z.string(),
});
export type FlashResult = z.infer<typeof flashResultSchema>;

export const benchRunSchema = z.object({
  id: z.string(),
  releaseId: z.string().nullable(),
  imageSha256: z.string(),
  imageName: z.string(),
  port: z.string(),
  result: flashResultSchema,
  /** SHA-256 of the serial recording. */
  recordingSha256: z.string(),
  startedAt: z.string(),
  /** The exact image was verified and, where a version was expected, booted it. */
  passed: z.boolean(),
  /** Why the run ended before its boot check was over. */
  failure: problemSchema.optional(),
});
export type BenchRun = z.infer<typeof benchRunSchema>;
