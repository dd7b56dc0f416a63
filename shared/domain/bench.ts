import { z } from 'zod';
import { problemSchema } from './job.ts';

export const protocolSchema = z.enum(['stm32', 'esp', 'smp', 'stk500', 'ymodem', 'quectel']);
export type Protocol = z.infer<typeof protocolSchema>;
export const virtualBoardKindSchema = z.enum([
  'stm32',
  'esp32',
  'smp',
  'optiboot',
  'ymodem',
  'quectel',
]);
export type VirtualBoardKind = z.infer<typeof virtualBoardKindSchema>;

/** Each protocol, for people. */
export const protocolNames: Readonly<Record<Protocol, string>> = {
  stm32: 'STM32 (AN3155)',
  esp: 'Espressif ROM loader',
  smp: 'MCUboot, Zephyr (SMP)',
  stk500: 'Arduino (STK500v1)',
  ymodem: 'YMODEM',
  quectel: 'Quectel module (AT)',
};

/** Each kind of virtual board: what it is called, and the protocol that flashes it. */
export const virtualBoardKinds: Readonly<
  Record<VirtualBoardKind, { readonly name: string; readonly protocol: Protocol }>
> = {
  stm32: { name: 'STM32F103', protocol: 'stm32' },
  esp32: { name: 'ESP32', protocol: 'esp' },
  smp: { name: 'Zephyr with MCUboot', protocol: 'smp' },
  optiboot: { name: 'Arduino Uno', protocol: 'stk500' },
  ymodem: { name: 'YMODEM bootloader', protocol: 'ymodem' },
  quectel: { name: 'Quectel module', protocol: 'quectel' },
};

/** How what the board holds was compared with the image. */
export const verifyMethodSchema = z.enum(['read-back', 'md5', 'hash', 'crc32', 'checksum']);
export type VerifyMethod = z.infer<typeof verifyMethodSchema>;

/** Each way to verify, in words that follow `verified … by`. */
export const verifyWords: Readonly<Record<VerifyMethod, string>> = {
  'read-back': 'read-back',
  md5: 'its MD5',
  crc32: 'the CRC-32 that the bootloader tells',
  checksum: 'the checksum that the module tells',
  hash: 'the hash that the board tells',
};

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
