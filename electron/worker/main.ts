import { parentPort } from 'node:worker_threads';
import type { WorkContext } from '../../shared/domain/job.ts';
import { toProblem } from '../../shared/domain/problem.ts';
import type { WorkerMessage, WorkerOrder } from './run-task.ts';
import { tasks } from './tasks.ts';

const send = (message: WorkerMessage): void => parentPort?.postMessage(message);
const progressIntervalMs = 50;

function makeContext(): WorkContext {
  let lastProgressMs = 0;
  return {
    // Cancelling terminates the thread, so the signal never fires inside it.
    signal: new AbortController().signal,
    onProgress(progress) {
      const now = performance.now();
      if (now - lastProgressMs < progressIntervalMs && progress.done < progress.total) return;
      lastProgressMs = now;
      send({ type: 'progress', progress });
    },
    onFileSoFar: (file) => send({ type: 'file-so-far', file }),
  };
}

parentPort?.on('message', async ({ name, input }: WorkerOrder) => {
  try {
    const run = (await tasks[name]()) as (input: unknown, context: WorkContext) => Promise<unknown>;
    if (input === undefined) return;
    send({ type: 'done', value: await run(input, makeContext()) });
  } catch (error) {
    send({ type: 'failed', problem: toProblem(error) });
  }
});
