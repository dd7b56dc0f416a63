import type { FileSoFar } from '../../shared/domain/finding.ts';
import type { Job } from '../../shared/domain/job.ts';
import { visibleText } from '../../shared/report/visible-text.ts';
import { byteText, jobProgressText } from '../../shared/domain/progress-text.ts';
import type { Problem } from '../../shared/domain/problem.ts';

/** The exit code of each kind of problem. */
export const exitCodes: Record<Problem['kind'], number> = { gate: 1, usage: 2, io: 3, internal: 4 };

/** Prints a result to stdout: JSON for scripts, or the given text for people. */
export function printResult(json: boolean, value: unknown, text: () => string): void {
  process.stdout.write(`${json ? JSON.stringify(value) : text()}\n`);
}

/** Prints to stderr what a person should know beside the result. */
export function printNote(json: boolean, note: string): void {
  process.stderr.write(`${json ? JSON.stringify({ note }) : note}\n`);
}

/** Prints a problem to stderr and returns the exit code of its kind. */
export function printProblem(json: boolean, failure: Problem): number {
  if (json) process.stderr.write(`${JSON.stringify({ error: failure })}\n`);
  else process.stderr.write(`${failure.title}\n  ${failure.detail}\n  ${failure.hint}\n`);
  return exitCodes[failure.kind];
}

/** Shows jobs on stderr: a bar on a terminal, NDJSON with --json, plain lines per step when piped. */
export function progressPrinter(json: boolean): (job: Job) => void {
  const lastSteps = new Map<string, string>();
  return (job) => {
    if (json) {
      process.stderr.write(`${JSON.stringify({ progress: job })}\n`);
    } else if (process.stderr.isTTY) {
      const end = job.state === 'running' ? '' : '\n';
      process.stderr.write(`\r\u001b[2K${jobProgressText(job)}${end}`);
    } else if (lastSteps.get(job.id) !== `${job.state}${job.step}`) {
      lastSteps.set(job.id, `${job.state}${job.step}`);
      process.stderr.write(`${jobProgressText(job)}\n`);
    }
  };
}

/** Shows on a terminal what a file seems to be, while it is still being read; nothing in a name may drive the terminal. */
export function printFirstLook({ name, sizeBytes, format, headText, sha256 }: FileSoFar): void {
  if (!process.stderr.isTTY || sha256 !== null) return;
  const words = [name, byteText(sizeBytes), format, headText ?? ''].join('  ').trimEnd();
  process.stderr.write(`\r\u001b[2K${visibleText(words)}\n`);
}
