import type { DeltaLimits, PatchReport } from '../../../shared/domain/delta.ts';
import { choicesFor, type PatchRequest } from '../../../shared/domain/delta-cost.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import type { DeltaProof } from '../../../shared/domain/product.ts';
import { prepareTask, runTask } from '../../worker/run-task.ts';
import type { TaskInput } from '../../worker/tasks.ts';

/** A pair, what to make from it and for which device. */
export interface DeltaOrder {
  readonly sourcePath: string;
  readonly targetPath: string;
  readonly outPath: string;
  readonly request: PatchRequest;
  readonly limits: DeltaLimits;
}

/** Gets a worker thread ready while the call that needs it is still being read. */
export const prepareDeltas = (): void => prepareTask('delta.make');

/**
 * Makes a proven delta in a worker thread.
 * @throws ProblemError `delta-not-proven` | `delta-does-not-fit` | `delta-memory` | `delta-compression` and I/O problems
 */
export function makeDelta(order: DeltaOrder, context: WorkContext): Promise<DeltaProof> {
  const { request, ...input } = order;
  return runTask('delta.make', { ...input, ...choicesFor(request, order.limits) }, context);
}

/** Applies a patch in a worker thread. @throws ProblemError `patch-format` | `patch-corrupt` and I/O problems */
export function applyDelta(
  input: TaskInput<'delta.apply'>,
  context: WorkContext,
): Promise<{ sha256: string; sizeBytes: number }> {
  return runTask('delta.apply', input, context);
}

/** Explains a patch in a worker thread. @throws ProblemError `patch-format` | `patch-corrupt` and I/O problems */
export function inspectDelta(
  input: TaskInput<'delta.inspect'>,
  context: WorkContext,
): Promise<PatchReport> {
  return runTask('delta.inspect', input, context);
}
