import type { Job } from './job.ts';

const units = ['B', 'KiB', 'MiB', 'GiB'] as const;

/** A byte count for people, for example `1.5 MiB`. */
export function byteText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** One line about a job, for terminals: title, step, share, rate and time left. */
export function jobProgressText(job: Job): string {
  if (job.state !== 'running') {
    return job.problem ? `${job.title}: ${job.problem.title}` : `${job.title}: done`;
  }
  const share = job.total > 0 ? ` ${Math.floor((100 * job.done) / job.total)} %` : '';
  const rate =
    job.ratePerSec > 0
      ? `, ${job.unit === 'bytes' ? byteText(job.ratePerSec) : job.ratePerSec.toFixed(1)}/s`
      : '';
  const left = job.etaMs !== null && job.etaMs > 0 ? `, ${Math.ceil(job.etaMs / 1000)} s left` : '';
  const said = `${job.step}${share}${rate}${left}`.trim();
  return said === '' ? job.title : `${job.title}: ${said}`;
}
