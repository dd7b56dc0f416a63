import type { ChangedRun } from '../domain/image-diff.ts';

type Run = { -readonly [K in keyof Omit<ChangedRun, 'place'>]: ChangedRun[K] };

const firstJoinedBytes = 16;

/** Runs in ascending order, never more than twice the limit: when there are too many, those closest to each other are joined. */
export class BoundedRuns {
  readonly #limit: number;
  #runs: Run[] = [];
  #joinedBytes = 0;
  #total = 0;
  #lastKind: ChangedRun['kind'] | null = null;
  #lastEnd = -1;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(kind: ChangedRun['kind'], start: number, end: number): void {
    if (kind !== this.#lastKind || start !== this.#lastEnd) this.#total++;
    this.#lastKind = kind;
    this.#lastEnd = end;
    this.#append({ start, sizeBytes: end - start, kind, changedBytes: end - start });
    if (this.#runs.length > 2 * this.#limit) this.#join();
  }

  finish(): {
    readonly listed: readonly Omit<ChangedRun, 'place'>[];
    readonly total: number;
    readonly joinedBytes: number;
  } {
    while (this.#runs.length > this.#limit) this.#join();
    return { listed: this.#runs, total: this.#total, joinedBytes: this.#joinedBytes };
  }

  #append(run: Run): void {
    const last = this.#runs.at(-1);
    const gapBytes = last ? run.start - (last.start + last.sizeBytes) : Number.POSITIVE_INFINITY;
    const isSame = gapBytes === 0 && last?.kind === run.kind;
    if (!last || !(isSame || (this.#joinedBytes > 0 && gapBytes <= this.#joinedBytes))) {
      this.#runs.push(run);
      return;
    }
    last.sizeBytes = run.start + run.sizeBytes - last.start;
    last.changedBytes += run.changedBytes;
    if (last.kind !== run.kind) last.kind = 'mixed';
  }

  #join(): void {
    this.#joinedBytes = Math.max(firstJoinedBytes, 2 * this.#joinedBytes);
    const runs = this.#runs;
    this.#runs = [];
    for (const run of runs) this.#append(run);
  }
}
