import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { FileSoFar } from '../../shared/domain/finding.ts';
import type { Problem } from '../../shared/domain/problem.ts';
import { ProblemError, problem } from '../../shared/domain/problem.ts';
import type { Progress, WorkContext } from '../../shared/domain/job.ts';
import type { TaskInput, TaskName, TaskOutput } from './tasks.ts';

/** What a worker is sent: a task to run, or without an input to load. */
export interface WorkerOrder {
  readonly name: TaskName;
  readonly input?: unknown;
}

/** What a worker sends back. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'file-so-far'; readonly file: FileSoFar }
  | { readonly type: 'done'; readonly value: unknown }
  | { readonly type: 'failed'; readonly problem: Problem };

/** The built file of a process entry, found from source and from the build alike. */
export function entryPath(name: 'worker' | 'rar-engine' | 'cli' | 'cloud' | 'fleet'): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'dist/main', `${name}.js`);
    if (dirname(folder) === folder) throw new Error('the installation folder was not found');
  }
}

/** Starts a worker that loads a task while its input is still being prepared. */
export function prepareTask(name: TaskName): void {
  const worker = new Worker(entryPath('worker'));
  worker.postMessage({ name } satisfies WorkerOrder);
  idleWorkers.keep(worker);
}

/** Runs one CPU task in a worker thread; aborting the signal terminates the thread. */
export async function runTask<N extends TaskName>(
  name: N,
  input: TaskInput<N>,
  context: WorkContext,
): Promise<TaskOutput<N>> {
  context.signal.throwIfAborted();
  const worker = idleWorkers.take() ?? new Worker(entryPath('worker'));
  // Listeners go one by one: without arguments, removeAllListeners would also take those that Node's Worker needs itself.
  const listening = new AbortController();
  let isReusable = false;
  try {
    return await new Promise<TaskOutput<N>>((resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error), {
        signal: listening.signal,
      });
      listen(worker, listening.signal, {
        message(message) {
          if (message.type === 'progress') return context.onProgress(message.progress);
          if (message.type === 'file-so-far') return context.onFileSoFar?.(message.file);
          isReusable = true;
          if (message.type === 'done') resolve(message.value as TaskOutput<N>);
          else reject(new ProblemError(message.problem));
        },
        error: reject,
        exit: (code) => reject(workerLost(name, code)),
      });
      const order: WorkerOrder = { name, input };
      worker.postMessage(order);
    });
  } finally {
    listening.abort();
    if (isReusable && !context.signal.aborted) idleWorkers.keep(worker);
    else await worker.terminate();
  }
}

interface WorkerListeners {
  message(message: WorkerMessage): void;
  error(error: Error): void;
  exit(code: number): void;
}

function listen(worker: Worker, until: AbortSignal, listeners: WorkerListeners): void {
  worker.on('message', listeners.message);
  worker.on('error', listeners.error);
  worker.on('exit', listeners.exit);
  until.addEventListener('abort', () => {
    worker.off('message', listeners.message);
    worker.off('error', listeners.error);
    worker.off('exit', listeners.exit);
  });
}

const workerLost = (name: TaskName, code: number) =>
  problem(
    'worker-lost',
    'A worker stopped',
    `Task ${name} ended with code ${code}.`,
    'Try again; if it repeats, free some memory.',
    'internal',
  );

const keptMs = 10_000;

/** Workers that have run a task are compiled and warm: the next task begins at once. None is kept for long, and none keeps the process. */
class IdleWorkers {
  readonly #workers = new Map<Worker, AbortController>();

  take(): Worker | null {
    const [entry] = this.#workers;
    if (!entry) return null;
    const [worker, waiting] = entry;
    waiting.abort();
    this.#workers.delete(worker);
    worker.ref();
    return worker;
  }

  keep(worker: Worker): void {
    const waiting = new AbortController();
    const drop = (): void => {
      waiting.abort();
      this.#workers.delete(worker);
      void worker.terminate();
    };
    const timer = setTimeout(drop, keptMs).unref();
    waiting.signal.addEventListener('abort', () => clearTimeout(timer));
    listen(worker, waiting.signal, { message: () => undefined, error: drop, exit: drop });
    worker.unref();
    this.#workers.set(worker, waiting);
  }
}

const idleWorkers = new IdleWorkers();
