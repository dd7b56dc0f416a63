import { z } from 'zod';
import { protocols, verifyMethods, virtualBoardNames } from './bench-names.ts';
import { baudFallbackSchema } from './connection.ts';
import { problemSchema } from './job.ts';

export const protocolSchema = z.enum(protocols);
export const virtualBoardKindSchema = z.enum(virtualBoardNames);

/** How what the board holds was compared with the image. */
export const verifyMethodSchema = z.enum(verifyMethods);

/** How a board came up after it was flashed. */
export const bootResultSchema = z.object({
  version: z.string().nullable(),
  matched: z.boolean(),
  /** Absent in runs that older versions recorded. */
  outcome: z.enum(['booted', 'other-version', 'did-not-boot', 'boot-loop']).optional(),
});
export type BootResult = z.infer<typeof bootResultSchema>;

export const portInfoSchema = z.object({
  path: z.string(),
  label: z.string(),
  serialNumber: z.string().nullable(),
  virtual: z.boolean(),
});
export type PortInfo = z.infer<typeof portInfoSchema>;

export const portListSchema = z.object({
  ports: z.array(portInfoSchema),
  /** Why the system's ports cannot be listed; null when they can. */
  hint: z.string().nullable(),
  /** Links to ports by the id of their adapter, which stay when the ports are numbered anew. */
  otherPaths: z.array(z.string()),
});

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
  /** What tells this very board from others of its kind (MAC, unique id, IMEI), where the protocol tells it. */
  boardId: z.string().nullish(),
  bytesWritten: z.number(),
  skippedBytes: z.number(),
  /** Bytes that were left because the board held them already; absent in runs that older versions recorded. */
  unchangedBytes: z.number().optional(),
  verified: z.boolean(),
  verifyMethod: verifyMethodSchema.nullish(),
  booted: bootResultSchema.nullable(),
  elapsedMs: z.number(),
  bytesPerSec: z.number(),
  /** Path of the JSON Lines serial recording. */
  recording: z.string(),
  /** The board did not answer at the wished speed, and did at this one. */
  baudFallback: baudFallbackSchema.optional(),
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
