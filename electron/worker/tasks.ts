import type { WorkContext } from '../../shared/domain/job.ts';
import { inspectFilesTask } from './tasks/inspect.ts';
import { applyDeltaTask, makeDeltaTask } from './tasks/delta.ts';

/** CPU work that runs in worker threads: structured-cloneable input and output only. */
export const tasks = {
  'bundle.inspect': inspectFilesTask,
  'delta.make': makeDeltaTask,
  'delta.apply': applyDeltaTask,
} satisfies Record<string, (input: never, context: WorkContext) => Promise<unknown>>;

export type TaskName = keyof typeof tasks;
export type TaskInput<N extends TaskName> = Parameters<(typeof tasks)[N]>[0];
export type TaskOutput<N extends TaskName> = Awaited<ReturnType<(typeof tasks)[N]>>;
