import type { Job } from '../../shared/domain/job.ts';

const noProgress = -1;
/** Above 1, the task bar shows that work goes on without saying how far it is. */
const unknownProgress = 2;

/** What the task bar shows for the running jobs: their share together, -1 without any. */
export function taskBarProgress(jobs: readonly Pick<Job, 'done' | 'total'>[]): number {
  if (jobs.length === 0) return noProgress;
  if (jobs.some((job) => job.total === 0)) return unknownProgress;
  return jobs.reduce((sum, job) => sum + job.done / job.total, 0) / jobs.length;
}
