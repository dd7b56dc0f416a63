import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Problem } from '../../shared/domain/problem.ts';
import { ProblemError, problem } from '../../shared/domain/problem.ts';
import type { Progress, WorkContext } from '../../shared/domain/job.ts';
import type { TaskInput, TaskName, TaskOutput } from './tasks.ts';

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

/** Runs one CPU task in a worker thread of its own; aborting the signal terminates the thread. */
export async function runTask<N extends TaskName>(
  name: N,
  input: TaskInput<N>,
  context: WorkContext,
): Promise<TaskOutput<N>> {
  context.signal.throwIfAborted();
  const worker = new Worker(entryPath('worker'), { workerData: { name, input } });
  try {
    return await new Promise<TaskOutput<N>>((resolve, reject) => {
      context.signal.addEventListener('abort', () => reject(context.signal.reason as Error), {
        once: true,
      });
      worker.on('message', (message: WorkerMessage) => {
        if (message.type === 'progress') context.onProgress(message.progress);
        else if (message.type === 'done') resolve(message.value as TaskOutput<N>);
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
    });
  } finally {
    await worker.terminate();
  }
}
