import { z } from 'zod';
import { hardwareRevisionSchema } from './bench-policy-schema.ts';
import { mcuVersionSchema, protocolSchema } from './bench.ts';
import { bootCommandsSchema } from './boot-commands.ts';

/** For example `dtr=1 rts=0; wait 100ms; dtr=0`. */
export const resetSequenceTextSchema = z.string().max(2000);

/** How an image is to get onto a board. */
export const flashRequestSchema = z.object({
  port: z.string(),
  protocol: protocolSchema,
  packageId: z.string().optional(),
  expectVersion: z.string().optional(),
  /** Absent: what the protocol begins with. */
  baudRate: z.number().int().min(1200).max(4_000_000).optional(),
  /** Where an image without addresses goes; absent: where the chip begins. */
  address: z.number().int().nonnegative().max(0xffff_ffff).optional(),
  /** Where a module fetches the package itself, instead of taking it over the line. */
  url: z.url().max(700).optional(),
  /** Flash an Espressif chip through a stub in its RAM: quicker for large images. */
  usesStub: z.boolean().optional(),
  /** The MCU that a module upgrades, and what it runs; absent: what the module says. */
  mcu: mcuVersionSchema.optional(),
  /** What is typed at a bootloader's prompt; absent: what the component says. */
  bootCommands: bootCommandsSchema.optional(),
  /** Leave sectors that the board holds already: less to write, and the way on after a lost port. */
  changedOnly: z.boolean().default(false),
  /** Remembered for the board; absent: what is remembered of it. */
  hardwareRevision: hardwareRevisionSchema.optional(),
  /** Name of the board that may be erased as a whole to take off its read-out protection. */
  unprotect: z.string().min(1).max(200).optional(),
  /** Steps of DTR and RTS before the board is spoken to; absent: those saved for the board, empty: the protocol's own. */
  resetSequence: resetSequenceTextSchema.optional(),
});
