import { z } from 'zod';

/** Minutes after which a verification that has not ended has failed (Quectel console, Verify Firmware). */
export const verificationMinutes = 60;
/** Error of a verification that did not end in time. */
export const verificationTimeout = 'verification-timeout';

/** One version package tried on one device, before many get it. */
export const verificationSchema = z.object({
  /** Id of the plan in the cloud that carries it out. */
  id: z.string(),
  releaseId: z.string(),
  packageId: z.string(),
  packageName: z.string(),
  componentId: z.string(),
  deviceId: z.string(),
  fromVersion: z.string().nullable(),
  toVersion: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  outcome: z.enum(['running', 'succeeded', 'failed']),
  /** Why it failed. */
  error: z.string().nullable(),
});
export type Verification = z.infer<typeof verificationSchema>;

/** When a verification ends at the latest: local times of UTC, to the minute before the limit. */
export function verificationTimes(nowMs: number): {
  readonly timeZone: 'UTC';
  readonly plannedTime: { readonly start: string; readonly end: string };
} {
  const minuteOf = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
  const start = minuteOf(nowMs);
  return {
    timeZone: 'UTC',
    plannedTime: { start, end: minuteOf(nowMs + verificationMinutes * 60_000) },
  };
}
