import { z } from 'zod';
import {
  benchRunSchema,
  flashFootprintSchema,
  knownBoardSchema,
  portInfoSchema,
  portListSchema,
  virtualBoardKindSchema,
} from '../domain/bench.ts';
import { hardwareRevisionSchema } from '../domain/bench-policy-schema.ts';
import { flashRequestSchema } from '../domain/flash-request.ts';
import { connectionCalls } from './connection-calls.ts';
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
      address: flashRequestSchema.shape.address,
    }),
    flashFootprintSchema,
  ),
  'bench.flash': job(
    flashRequestSchema.extend({ file: fileRefSchema.optional(), packageId: id.optional() }),
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
