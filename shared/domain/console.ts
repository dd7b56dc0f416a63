import { z } from 'zod';
import { captureForms, consoleForms, lineEndings, markTones, parities } from './console-names.ts';
import { problemSchema } from './job.ts';

/** A text to look for; a regular expression is one of RE2, whose time is linear in the text. */
export const patternSchema = z.object({
  text: z.string().min(1).max(500),
  isRegex: z.boolean().default(false),
});
export type Pattern = z.infer<typeof patternSchema>;

export const highlightRuleSchema = patternSchema.extend({ tone: z.enum(markTones) });
export type HighlightRule = z.infer<typeof highlightRuleSchema>;

export const lineSettingsSchema = z.object({
  baudRate: z.number().int().min(50).max(12_000_000).default(115_200),
  parity: z.enum(parities).default('none'),
});

/** One line of a console: received, sent, or told by the console itself. */
export const consoleLineSchema = z.object({
  /** Counts every line of the console from 1, those that are not shown included. */
  n: z.number(),
  /** When its first byte came, in milliseconds since 1970. */
  atMs: z.number(),
  kind: z.enum(['rx', 'tx', 'note']),
  /** Text without its line end, or bytes in hexadecimal. */
  text: z.string(),
  /** Parts of the text that stand out: from, to, what it means. */
  marks: z.array(z.tuple([z.number(), z.number(), z.enum(markTones)])).optional(),
});
export type ConsoleLine = z.infer<typeof consoleLineSchema>;

/** Where a console stands. */
export const consoleStateSchema = z.object({
  /** The path it was opened by. */
  port: z.string(),
  /** Where the board is now; another path after it has come back elsewhere. */
  path: z.string(),
  state: z.enum(['open', 'flashing', 'lost', 'closed']),
  baudRate: z.number(),
  parity: z.enum(parities),
  dtr: z.boolean(),
  rts: z.boolean(),
  /** Null until they were set once: only then a port tells that it has none. */
  hasModemLines: z.boolean().nullable(),
  receivedBytes: z.number(),
  sentBytes: z.number(),
  /** What can still be read, and what was pushed out by newer lines. */
  ring: z.object({
    bytes: z.number(),
    capacityBytes: z.number(),
    lines: z.number(),
    droppedLines: z.number(),
    droppedBytes: z.number(),
  }),
  capture: z
    .object({
      path: z.string(),
      form: z.enum(captureForms),
      sizeBytes: z.number(),
      /** Why it ended before it was stopped. */
      problem: problemSchema.nullable(),
    })
    .nullable(),
});
export type ConsoleState = z.infer<typeof consoleStateSchema>;

export const consoleReadSchema = z.object({
  port: z.string(),
  /** Lines after this one; 0 for the oldest that is kept. */
  afterLine: z.number().int().min(0).default(0),
  /** Waits until the console is another than in this version, at most `waitMs`. */
  version: z.number().int().default(-1),
  waitMs: z.number().int().min(0).max(2000).default(0),
  filter: patternSchema.optional(),
  highlights: z.array(highlightRuleSchema).max(20).default([]),
  form: z.enum(consoleForms).default('text'),
});
export type ConsoleReading = z.output<typeof consoleReadSchema>;

/** What a console answers to one reading: at most some thousand lines, the next reading brings more. */
export const consoleBatchSchema = z.object({
  /** Counts the answers of this console from 1. */
  batch: z.number(),
  lines: z.array(consoleLineSchema),
  /** Everything up to this line was looked at. */
  readTo: z.number(),
  hasMore: z.boolean(),
  /** Lines that the ring had dropped before they were read. */
  missedLines: z.number(),
  /** The line that has no end yet. */
  tail: consoleLineSchema.nullable(),
  version: z.number(),
  state: consoleStateSchema,
});
export type ConsoleBatch = z.infer<typeof consoleBatchSchema>;

export const captureResultSchema = z.object({
  path: z.string(),
  sizeBytes: z.number(),
  sha256: z.string(),
});
export type CaptureResult = z.infer<typeof captureResultSchema>;

export const consoleSendSchema = z.object({ port: z.string() }).and(
  z.union([
    z.object({
      text: z.string().max(65_536),
      lineEnding: z.enum(Object.keys(lineEndings) as [keyof typeof lineEndings]).default('lf'),
    }),
    z.object({ hex: z.string().max(262_144) }),
  ]),
);
