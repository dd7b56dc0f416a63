import { z } from 'zod';

/** A door that answers at once. */
export const call = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) =>
  ({ type: 'call', input, output }) as const;
/** Long work: shown in the job dock, with progress and cancel; the call resolves with its result. */
export const job = <I extends z.ZodType, O extends z.ZodType>(input: I, output: O) =>
  ({ type: 'job', input, output }) as const;

/** A file as the caller may name it: a path on the command line, a granted handle in the window. */
export const fileRefSchema = z.string().min(1).max(4096);
/** Identifier of a record. */
export const id = z.string().min(1).max(128);
/** A call that needs nothing, or answers nothing. */
export const none = z.object({});

/** Which part of a long list. */
export const page = {
  offset: z.number().int().min(0).default(0),
  limit: z.number().int().min(1).max(500).default(100),
};
