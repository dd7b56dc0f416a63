import { z } from 'zod';
import {
  captureResultSchema,
  consoleBatchSchema,
  consoleReadSchema,
  consoleSendSchema,
  consoleStateSchema,
  lineSettingsSchema,
} from '../domain/console.ts';
import { captureForms } from '../domain/console-names.ts';
import { call, fileRefSchema, none } from './door.ts';

const port = z.object({ port: z.string().min(1).max(4096) });

/** The serial consoles, one for each port. */
export const consoleCalls = {
  /** Opens the console of a port, or sets the speed of one that is open. */
  'bench.console.open': call(port.extend(lineSettingsSchema.shape), consoleStateSchema),
  'bench.console.close': call(port, none),
  'bench.console.list': call(none, z.array(consoleStateSchema)),
  /**
   * The stream of a console: numbered batches, each asked for when the one before has been dealt with, so that a slow
   * reader holds nothing up.
   */
  'bench.console.read': call(consoleReadSchema, consoleBatchSchema),
  'bench.console.send': call(consoleSendSchema, z.object({ sentBytes: z.number() })),
  'bench.console.signals': call(
    port.extend({ dtr: z.boolean(), rts: z.boolean() }),
    z.object({ hasModemLines: z.boolean() }),
  ),
  /** Forgets the lines that are kept; a capture holds them all the same. */
  'bench.console.clear': call(port, z.object({ clearedTo: z.number() })),
  'bench.console.capture': call(
    port.extend({ out: fileRefSchema, form: z.enum(captureForms) }),
    consoleStateSchema,
  ),
  'bench.console.endCapture': call(port, captureResultSchema),
} as const;
