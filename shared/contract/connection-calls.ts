import { z } from 'zod';
import { adviceSchema, connectionSchema, resetTrialSchema } from '../domain/connection.ts';
import { resetSequenceTextSchema } from '../domain/flash-request.ts';
import { call, fileRefSchema } from './door.ts';

const port = z.object({ port: z.string().min(1).max(4096) });

/** Help for boards that do not answer. */
export const connectionCalls = {
  /** What may keep the board at a port from answering, found without opening it, and what is remembered of the board. */
  'bench.connection': call(port, connectionSchema),
  /** Changes what is remembered; an empty sequence stands for the protocol's own reset. */
  'bench.connection.save': call(
    port.extend({
      resetSequence: resetSequenceTextSchema.optional(),
      forgetBaud: z.boolean().default(false),
    }),
    connectionSchema,
  ),
  /** Plays a reset sequence and listens for a second. */
  'bench.connection.try': call(
    port.extend({ resetSequence: resetSequenceTextSchema }),
    resetTrialSchema,
  ),
  /** Writes the udev rule of an advice to a file. */
  'bench.connection.saveRule': call(
    port.extend({ advice: adviceSchema.shape.id, out: fileRefSchema }),
    z.object({ path: z.string() }),
  ),
} as const;
