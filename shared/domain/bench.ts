import { z } from 'zod';
import { protocols, verifyMethods, virtualBoardNames } from './bench-names.ts';
import { baudFallbackSchema } from './connection.ts';
import { problemSchema } from './job.ts';
import { idPattern, versionPattern } from './limits.ts';

export const protocolSchema = z.enum(protocols);
export const virtualBoardKindSchema = z.enum(virtualBoardNames);

/** A component of a device behind a module, and the version that it runs. */
export const mcuVersionSchema = z.object({
  componentId: z.string().regex(idPattern),
  version: z.string().regex(versionPattern),
});
export type McuVersion = z.infer<typeof mcuVersionSchema>;

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
  /** `usb:VENDOR:PRODUCT:SERIAL`; null when the system tells no serial number, or two ports share it. */
  usbId: z.string().nullable().optional(),
  /** Which of several ports of one USB device it is. */
  usbInterface: z.string().nullable().optional(),
  /** What the board register knows of the board that was last seen behind this USB device. */
  board: z
    .object({ id: z.string(), nickname: z.string(), hardwareRevision: z.string().nullable() })
    .optional(),
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
  /** How long each step took, in order; absent in runs that older versions recorded. */
  steps: z.array(z.object({ step: z.string(), elapsedMs: z.number() })).optional(),
  bytesPerSec: z.number(),
  /** Path of the JSON Lines serial recording. */
  recording: z.string(),
  /** The board did not answer at the wished speed, and did at this one. */
  baudFallback: baudFallbackSchema.optional(),
});
export type FlashResult = z.infer<typeof flashResultSchema>;

/** What tells a board from all others: its chip's own number, else the USB serial number of its port; never its path. */
export const boardReferenceSchema = z.object({
  id: z.string(),
  source: z.enum(['chip', 'usb']),
  /** `usb:VENDOR:PRODUCT:SERIAL` of the port that it was behind, where the system tells it. */
  usbId: z.string().optional(),
  /** What people called it at the time of the run. */
  nickname: z.string().optional(),
});
export type BoardReference = z.infer<typeof boardReferenceSchema>;

/** A board as the register of the workspace remembers it. */
export const knownBoardSchema = boardReferenceSchema.extend({
  /** What people call it; empty until they do. */
  nickname: z.string(),
  chip: z.string(),
  hardwareRevision: z.string().nullable(),
  lastPort: z.string(),
  lastSeenAt: z.string(),
});
export type KnownBoard = z.infer<typeof knownBoardSchema>;

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
  // What follows is absent in runs that older versions recorded.
  board: boardReferenceSchema.optional(),
  hardwareRevision: z.string().optional(),
  /** The board exists only as a program, or is behind a pseudo terminal, where nobody can tell. */
  virtual: z.boolean().optional(),
  /** The run that this one went on with. */
  resumes: z.string().optional(),
  /** The run can be gone on with: what was ordered is still known. */
  resumable: z.boolean().optional(),
});
export type BenchRun = z.infer<typeof benchRunSchema>;
