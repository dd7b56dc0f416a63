import { z } from 'zod';

/** One thing that may keep a board from answering, and what to do about it. */
export const adviceSchema = z.object({
  id: z.enum(['not-found', 'no-permission', 'busy', 'modem-manager', 'latency-timer']),
  /** `bad` keeps the port from being opened, `warn` may disturb. */
  tone: z.enum(['bad', 'warn']),
  title: z.string(),
  detail: z.string(),
  /** What to type into a terminal, when that helps. */
  command: z.string().nullable(),
  /** A udev rule that helps for good: where it goes, and its text. */
  rule: z.object({ path: z.string(), text: z.string() }).nullable(),
});
export type Advice = z.infer<typeof adviceSchema>;

/** A speed that a board answered at when it did not at the wished one. */
export const baudFallbackSchema = z.object({ wished: z.number(), worked: z.number() });
export type BaudFallback = z.infer<typeof baudFallbackSchema>;

/** What is remembered of a board, by the serial number of its adapter or, without one, by its port. */
export const boardMemorySchema = z.object({
  resetSequence: z.string().optional(),
  baud: baudFallbackSchema.optional(),
  /** The usual time from a request to its answer, without the time on the wire, when it was last flashed. */
  roundTripMs: z.number().optional(),
});
export type BoardMemory = z.infer<typeof boardMemorySchema>;

/** How a port stands before it is opened. */
export const connectionSchema = z.object({
  port: z.string(),
  /** What the memory of this board goes by, in words. */
  board: z.string(),
  advice: z.array(adviceSchema),
  memory: boardMemorySchema,
});
export type Connection = z.infer<typeof connectionSchema>;

/** What playing a reset sequence came to. */
export const resetTrialSchema = z.object({
  hasModemLines: z.boolean(),
  /** What the board printed within a second; null when its open console shows it. */
  received: z.string().nullable(),
});
export type ResetTrial = z.infer<typeof resetTrialSchema>;
