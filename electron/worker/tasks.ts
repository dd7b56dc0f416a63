import type { WorkContext } from '../../shared/domain/job.ts';

/** CPU work that runs in worker threads: structured-cloneable input and output only. Each is loaded when it is first run. */
export const tasks = {
  'bundle.inspect': async () => (await import('./tasks/inspect.ts')).inspectFilesTask,
  'formats.test': async () => (await import('./tasks/inspect.ts')).testFormatTask,
  'delta.make': async () => (await import('./tasks/delta.ts')).makeDeltaTask,
  'delta.prove': async () => (await import('./tasks/delta.ts')).proveDeltaTask,
  'delta.measure': async () => (await import('./tasks/delta.ts')).measureDeltasTask,
  'delta.compressedSize': async () => (await import('./tasks/delta.ts')).compressedSizeTask,
  'delta.inspect': async () => (await import('./tasks/delta.ts')).inspectDeltaTask,
  'delta.diff': async () => (await import('./tasks/diff.ts')).diffImagesTask,
  'delta.operations': async () => (await import('./tasks/diff.ts')).mapPatchTask,
  'delta.apply': async () => (await import('./tasks/delta.ts')).applyDeltaTask,
} satisfies Record<string, () => Promise<(input: never, context: WorkContext) => Promise<unknown>>>;

export type TaskName = keyof typeof tasks;
type Task<N extends TaskName> = Awaited<ReturnType<(typeof tasks)[N]>>;
export type TaskInput<N extends TaskName> = Parameters<Task<N>>[0];
export type TaskOutput<N extends TaskName> = Awaited<ReturnType<Task<N>>>;
