import { randomUUID } from 'node:crypto';
import type { FileSoFar } from '../../../shared/domain/finding.ts';
import type { Job, Progress, WorkContext } from '../../../shared/domain/job.ts';
import { problem, toProblem } from '../../../shared/domain/problem.ts';

const keptJobs = 200;
const publishIntervalMs = 100;

/** Long work with progress, rate, ETA and cancel; every change is pushed to the listener. */
export class Jobs {
  readonly #jobs = new Map<
    string,
    { job: Job; controller: AbortController; stepStartedMs: number; publishedMs: number }
  >();
  readonly #onChange: (job: Job) => void;
  readonly #onFileSoFar: (jobId: string, file: FileSoFar) => void;

  constructor(
    onChange: (job: Job) => void,
    onFileSoFar: (jobId: string, file: FileSoFar) => void = () => undefined,
  ) {
    this.#onChange = onChange;
    this.#onFileSoFar = onFileSoFar;
  }

  /**
   * Runs the work as a job and resolves with its result; failures are recorded and rethrown.
   * @throws ProblemError `job-id-used`
   */
  async run<T>(
    kind: string,
    title: string,
    work: (context: WorkContext) => Promise<T>,
    id: string = randomUUID(),
  ): Promise<T> {
    if (this.#jobs.has(id)) throw usedId(id);
    const controller = new AbortController();
    const job: Job = {
      id,
      kind,
      title,
      state: 'running',
      step: '',
      done: 0,
      total: 0,
      unit: 'items',
      ratePerSec: 0,
      etaMs: null,
      startedAt: new Date().toISOString(),
      finishedAt: null,
      problem: null,
    };
    this.#jobs.set(job.id, { job, controller, stepStartedMs: performance.now(), publishedMs: 0 });
    this.#forgetOldest();
    this.#onChange(job);
    try {
      const value = await work({
        signal: controller.signal,
        onProgress: (progress) => this.#progress(id, progress),
        onFileSoFar: (file) => this.#onFileSoFar(id, file),
      });
      this.#finish(job.id, { state: 'succeeded', etaMs: 0 });
      return value;
    } catch (error) {
      const state = controller.signal.aborted ? 'cancelled' : 'failed';
      this.#finish(job.id, { state, problem: toProblem(error), etaMs: null });
      throw error;
    }
  }

  list(): Job[] {
    return [...this.#jobs.values()].map((entry) => entry.job).reverse();
  }

  /** @throws ProblemError `job-unknown` */
  cancel(jobId: string): void {
    const entry = this.#jobs.get(jobId);
    if (!entry)
      throw problem(
        'job-unknown',
        'No such job',
        `There is no job ${jobId}.`,
        'Refresh the list of jobs.',
        'usage',
      );
    entry.controller.abort();
  }

  cancelAll(): void {
    for (const { controller, job } of this.#jobs.values())
      if (job.state === 'running') controller.abort();
  }

  #progress(jobId: string, progress: Progress): void {
    const entry = this.#jobs.get(jobId);
    if (!entry || entry.job.state !== 'running') return;
    const now = performance.now();
    if (entry.job.step !== progress.step) entry.stepStartedMs = now;
    const elapsedSec = (now - entry.stepStartedMs) / 1000;
    const ratePerSec = elapsedSec > 0.05 ? progress.done / elapsedSec : 0;
    const etaMs =
      ratePerSec > 0 && progress.total > 0
        ? ((progress.total - progress.done) / ratePerSec) * 1000
        : null;
    entry.job = { ...entry.job, ...progress, ratePerSec, etaMs };
    if (now - entry.publishedMs < publishIntervalMs) return;
    entry.publishedMs = now;
    this.#onChange(entry.job);
  }

  #finish(jobId: string, change: Partial<Job>): void {
    const entry = this.#jobs.get(jobId);
    if (!entry) return;
    entry.job = { ...entry.job, ...change, finishedAt: new Date().toISOString() };
    this.#onChange(entry.job);
  }

  #forgetOldest(): void {
    for (const [id, { job }] of this.#jobs) {
      if (this.#jobs.size <= keptJobs) return;
      if (job.state !== 'running') this.#jobs.delete(id);
    }
  }
}

const usedId = (id: string) =>
  problem(
    'job-id-used',
    'This job identifier is taken',
    `There is a job ${id} already.`,
    'Choose a new UUID for each job.',
    'usage',
  );
