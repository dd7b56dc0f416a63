import type { WorkContext } from '../../../shared/domain/job.ts';
import type { DeltaProof } from '../../../shared/domain/product.ts';
import { runTask } from '../../worker/run-task.ts';
import type { TaskInput } from '../../worker/tasks.ts';

/** Makes a proven delta in a worker thread. @throws ProblemError `delta-not-proven` and I/O problems */
export function makeDelta(
  input: TaskInput<'delta.make'>,
  context: WorkContext,
): Promise<DeltaProof> {
  return runTask('delta.make', input, context);
}

/** Applies a patch in a worker thread. @throws ProblemError `patch-format` | `patch-corrupt` and I/O problems */
export function applyDelta(
  input: TaskInput<'delta.apply'>,
  context: WorkContext,
): Promise<{ sha256: string; sizeBytes: number }> {
  return runTask('delta.apply', input, context);
}
