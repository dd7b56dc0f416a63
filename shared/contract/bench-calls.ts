import { z } from 'zod';
import {
  benchRunSchema,
  flashFootprintSchema,
  knownBoardSchema,
  mcuVersionSchema,
  portInfoSchema,
  portListSchema,
  protocolSchema,
  virtualBoardKindSchema,
} from '../domain/bench.ts';
import { bootCommandsSchema } from '../domain/boot-commands.ts';
import { hardwareRevisionSchema } from '../domain/bench-policy-schema.ts';
import { connectionCalls, resetSequenceTextSchema } from './connection-calls.ts';
import { consoleCalls } from './console-calls.ts';
import { call, fileRefSchema, id, job, none } from './door.ts';

/** The doors of the bench room. */
export const benchCalls = {
  'bench.ports': call(none, portListSchema),
  'bench.virtual.start': call(z.object({ kind: virtualBoardKindSchema }), portInfoSchema),
  'bench.virtual.stop': call(z.object({ path: z.string() }), none),
  'bench.footprint': call(
    z.object({
      file: fileRefSchema.optional(),
      packageId: id.optional(),
      address: z.number().int().nonnegative().max(0xffff_ffff).optional(),
    }),
    flashFootprintSchema,
  ),
  'bench.flash': job(
    z.object({
      port: z.string(),
      protocol: protocolSchema,
      file: fileRefSchema.optional(),
      packageId: id.optional(),
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
    }),
    benchRunSchema,
  ),
  'bench.resume': job(z.object({ runId: id, port: z.string().optional() }), benchRunSchema),
  'bench.boards.list': call(none, z.array(knownBoardSchema)),
  'bench.boards.set': call(
    z.object({
      /** Its id or its nickname. */
      board: z.string().min(1).max(200),
      nickname: z.string().trim().max(64).optional(),
      /** Empty: it is not known. */
      hardwareRevision: z.union([hardwareRevisionSchema, z.literal('')]).optional(),
    }),
    knownBoardSchema,
  ),
  'bench.runs': call(z.object({ releaseId: id.optional() }), z.array(benchRunSchema)),
  'bench.recording': call(z.object({ runId: id }), z.object({ text: z.string() })),
  ...consoleCalls,
  ...connectionCalls,
} as const;
