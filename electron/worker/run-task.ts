import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Problem } from '../../shared/domain/problem.ts';
import { ProblemError, problem } from '../../shared/domain/problem.ts';
import type { Progress, WorkContext } from '../../shared/domain/job.ts';
import type { TaskInput, TaskName, TaskOutput } from './tasks.ts';

/** What a worker is sent. */
export interface WorkerOrder {
  readonly name: TaskName;
  readonly input: unknown;
}

/** What a worker sends back. */
export type WorkerMessage =
  | { readonly type: 'progress'; readonly progress: Progress }
  | { readonly type: 'done'; readonly value: unknown }
  | { readonly type: 'failed'; readonly problem: Problem };

/** The built file of a process entry, found from source and from the build alike. */
export function entryPath(name: 'worker' | 'cli' | 'cloud' | 'fleet'): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'package.json'))) return join(folder, 'dist/main', `${name}.js`);
    if (dirname(folder) === folder) throw new Error('the installation folder was not found');
  }
}

/** Runs one CPU task in a worker thread; aborting the signal terminates the thread. */
export async function runTask<N extends TaskName>(
  name: N,
  input: TaskInput<N>,
  context: WorkContext,
): Promise<TaskOutput<N>> {
  context.signal.throwIfAborted();
  const worker = takeWorker();
  let isReusable = false;
  try {
    return await new Promise<TaskOutput<N>>((resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error), {
        once: true,
      });
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'progress') return context.onProgress(message.progress);
        isReusable = true;
        if (message.type === 'done') resolve(message.value as TaskOutput<N>);
        else reject(new ProblemError(message.problem));
      });
      worker.on('error', reject);
      worker.on('exit', (code) =>
        reject(
          problem(
            'worker-lost',
            'A worker stopped',
            `Task ${name} ended with code ${code}.`,
            'Try again; if it repeats, free some memory.',
            'internal',
          ),
        ),
      );
      const order: WorkerOrder = { name, input };
      worker.postMessage(order);
    });
  } finally {
    worker.removeAllListeners();
    if (isReusable && !context.signal.aborted) keepForAWhile(worker);
    else await worker.terminate();
  }
}

/** A worker that has run a task is compiled and warm: the next task begins at once and runs at full speed. */
const idleWorkers = new Map<Worker, NodeJS.Timeout>();
const keptMs = 10_000;

function takeWorker(): Worker {
  const [entry] = idleWorkers;
  if (!entry) return new Worker(entryPath('worker'));
  const [worker, timer] = entry;
  clearTimeout(timer);
  idleWorkers.delete(worker);
  worker.removeAllListeners();
  worker.ref();
  return worker;
}

/** Keeps an idle worker for the next task, but not its memory forever, and never the process. */
function keepForAWhile(worker: Worker): void {
  const drop = (): void => {
    clearTimeout(idleWorkers.get(worker));
    idleWorkers.delete(worker);
    void worker.terminate();
  };
  worker.on('error', drop);
  worker.on('exit', drop);
  worker.unref();
  idleWorkers.set(worker, setTimeout(drop, keptMs).unref());
}
