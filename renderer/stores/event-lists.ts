import type { LogEntry } from '../../shared/contract/contract.ts';
import type { Job } from '../../shared/domain/job.ts';

const keptJobs = 200;
const keptLogEntries = 2000;

/** The list with a job's newest state; a job that is not in it comes first, the oldest fall out. */
export function withJob(jobs: readonly Job[], job: Job): readonly Job[] {
  const known = jobs.findIndex((candidate) => candidate.id === job.id);
  if (known < 0) return [job, ...jobs].slice(0, keptJobs);
  return jobs.map((other, index) => (index === known ? job : other));
}

/** The log with more entries, each once and in order, whatever came first: the tail or the events. */
export function withLog(
  log: readonly LogEntry[],
  entries: readonly LogEntry[],
): readonly LogEntry[] {
  const lastSeq = log.at(-1)?.seq ?? 0;
  if (entries.every(({ seq }, index) => seq > (entries[index - 1]?.seq ?? lastSeq)))
    return [...log, ...entries].slice(-keptLogEntries);
  const bySeq = new Map([...log, ...entries].map((entry) => [entry.seq, entry]));
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq).slice(-keptLogEntries);
}
