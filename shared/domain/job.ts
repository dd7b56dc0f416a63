import { z } from 'zod';
import type { FileSoFar } from './finding.ts';

export const problemSchema = z.object({
  code: z.string(),
  title: z.string(),
  detail: z.string(),
  hint: z.string(),
  kind: z.enum(['gate', 'usage', 'io', 'internal']),
});

export const jobSchema = z.object({
  id: z.string(),
  /** Contract method that started it. */
  kind: z.string(),
  title: z.string(),
  state: z.enum(['running', 'succeeded', 'failed', 'cancelled']),
  step: z.string(),
  done: z.number(),
  /** 0 while the total is unknown. */
  total: z.number(),
  unit: z.enum(['bytes', 'items']),
  ratePerSec: z.number(),
  etaMs: z.number().nullable(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  problem: problemSchema.nullable(),
});
export type Job = z.infer<typeof jobSchema>;

/** How long work reports: absolute `done` of `total` in `unit` for the named step. */
export interface Progress {
  readonly step: string;
  readonly done: number;
  readonly total: number;
  readonly unit: 'bytes' | 'items';
}
export type OnProgress = (progress: Progress) => void;

/** What every long piece of work receives. */
export interface WorkContext {
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Takes what is known of a file before the result is there. */
  readonly onFileSoFar?: (file: FileSoFar) => void;
}
