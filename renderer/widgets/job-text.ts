import type { Job } from '../../shared/domain/job.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import { countText, durationText, etaText, percentText, rateText } from './format-text.ts';

/** How far a job is, 0..1; 1 while its total is unknown. */
export const jobShare = (job: Job): number => (job.total > 0 ? job.done / job.total : 1);

/** Done of total in the job's unit, for example `1.5 MiB of 5.0 MiB`; of a job that has succeeded the bytes that it was about. */
export function jobAmountText(job: Job): string {
  const text = job.unit === 'bytes' ? byteText : countText;
  if (job.state === 'succeeded' && job.unit === 'items') return '';
  if (job.state === 'succeeded') return job.total > 0 ? byteText(job.total) : '';
  if (job.total > 0) return `${text(job.done)} of ${text(job.total)}`;
  return job.done > 0 ? text(job.done) : '';
}

/** Step, share, rate and time left of a running job in one line. */
export function jobLine(job: Job): string {
  const share = job.total > 0 ? percentText(jobShare(job)) : '';
  return [job.step, share, rateText(job), etaText(job)].filter((part) => part !== '').join(', ');
}

/** Title and progress of a running job in one line. */
export function jobHeadline(job: Job): string {
  const line = jobLine(job);
  return line === '' ? job.title : `${job.title}: ${line}`;
}

/** How long a finished job took; empty while it runs. */
export function jobElapsedText(job: Job): string {
  if (job.finishedAt === null) return '';
  return durationText(Date.parse(job.finishedAt) - Date.parse(job.startedAt));
}

/** What became of a job, or what it does now. */
export function jobResultText(job: Job): string {
  if (job.state === 'running') return jobLine(job);
  if (job.state === 'succeeded') return `Done in ${jobElapsedText(job)}`;
  if (job.state === 'cancelled') return `Cancelled after ${jobElapsedText(job)}`;
  return job.problem ? `${job.problem.title}: ${job.problem.detail}` : 'Failed';
}
