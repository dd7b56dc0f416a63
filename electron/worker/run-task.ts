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
  let forget = (): void => undefined;
  try {
    return await new Promise<TaskOutput<N>>((resolve, reject) => {
      const onAbort = (): void => reject(context.signal.reason as Error);
      const onMessage = (message: WorkerMessage): void => {
        if (message.type === 'progress') return context.onProgress(message.progress);
        isReusable = true;
        if (message.type === 'done') resolve(message.value as TaskOutput<N>);
        else reject(new ProblemError(message.problem));
      };
      const onExit = (code: number): void =>
        reject(
          problem(
            'worker-lost',
            'A worker stopped',
            `Task ${name} ended with code ${code}.`,
            'Try again; if it repeats, free some memory.',
            'internal',
          ),
        );
      // One by one: removing all listeners of a worker also removes its own and makes it deaf.
      forget = () => {
        context.signal.removeEventListener('abort', onAbort);
        worker.off('message', onMessage).off('error', reject).off('exit', onExit);
      };
      context.signal.addEventListener('abort', onAbort, { once: true });
      worker.on('message', onMessage).on('error', reject).on('exit', onExit);
      const order: WorkerOrder = { name, input };
      worker.postMessage(order);
    });
  } finally {
    forget();
    if (isReusable && !context.signal.aborted) keepForAWhile(worker);
    else await worker.terminate();
  }
}

interface IdleWorker {
  readonly worker: Worker;
  readonly timer: NodeJS.Timeout;
  readonly drop: () => void;
}

/** A worker that has run a task is compiled and warm: the next task begins at once and runs at full speed. */
const idleWorkers: IdleWorker[] = [];
const keptMs = 10_000;

function takeWorker(): Worker {
  const idle = idleWorkers.pop();
  if (!idle) return new Worker(entryPath('worker'));
  const { worker, timer, drop } = idle;
  clearTimeout(timer);
  worker.off('error', drop).off('exit', drop).ref();
  return worker;
}

/** Keeps an idle worker for the next task, but not its memory forever, and never the process. */
function keepForAWhile(worker: Worker): void {
  const drop = (): void => {
    const place = idleWorkers.findIndex((idle) => idle.worker === worker);
    if (place >= 0) clearTimeout(idleWorkers.splice(place, 1)[0]?.timer);
    void worker.terminate();
  };
  worker.on('error', drop).on('exit', drop).unref();
  idleWorkers.push({ worker, timer: setTimeout(drop, keptMs).unref(), drop });
}
