import { parentPort, workerData } from 'node:worker_threads';
import type { WorkContext } from '../../shared/domain/job.ts';
import { toProblem } from '../../shared/domain/problem.ts';
import type { WorkerMessage } from './run-task.ts';
import { type TaskName, tasks } from './tasks.ts';

const { name, input } = workerData as { name: TaskName; input: unknown };
const send = (message: WorkerMessage): void => parentPort?.postMessage(message);
const progressIntervalMs = 50;
let lastProgressMs = 0;

const context: WorkContext = {
  // Cancelling terminates the thread, so the signal never fires inside it.
  signal: new AbortController().signal,
  onProgress(progress) {
    const now = performance.now();
    if (now - lastProgressMs < progressIntervalMs && progress.done < progress.total) return;
    lastProgressMs = now;
    send({ type: 'progress', progress });
  },
};

try {
  const run = tasks[name] as (input: unknown, context: WorkContext) => Promise<unknown>;
  send({ type: 'done', value: await run(input, context) });
} catch (error) {
  send({ type: 'failed', problem: toProblem(error) });
}
