import { stat } from 'node:fs/promises';
import type { DeltaLimits, PatchReport } from '../../../shared/domain/delta.ts';
import { choicesFor, type PatchRequest } from '../../../shared/domain/delta-cost.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
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
 * @throws ProblemError `delta-not-proven` | `delta-does-not-fit` | `delta-memory` | `delta-compression` |
 * `delta-out` when the patch would take the place of an image, and I/O problems
 */
export async function makeDelta(order: DeltaOrder, context: WorkContext): Promise<DeltaProof> {
  const { request, ...input } = order;
  await refuseToReplace(input.outPath, [input.sourcePath, input.targetPath]);
  return runTask('delta.make', { ...input, ...choicesFor(request, order.limits) }, context);
}

/** Applies a patch in a worker thread. @throws ProblemError `patch-format` | `patch-corrupt` | `delta-out` and I/O problems */
export async function applyDelta(
  input: TaskInput<'delta.apply'>,
  context: WorkContext,
): Promise<{ sha256: string; sizeBytes: number }> {
  await refuseToReplace(input.outPath, [input.patchPath]);
  return runTask('delta.apply', input, context);
}

/** Explains a patch in a worker thread. @throws ProblemError `patch-format` | `patch-corrupt` and I/O problems */
export function inspectDelta(
  input: TaskInput<'delta.inspect'>,
  context: WorkContext,
): Promise<PatchReport> {
  return runTask('delta.inspect', input, context);
}

/** By the file itself: one may have two names. @throws ProblemError `delta-out` */
async function refuseToReplace(outPath: string, inputs: readonly string[]): Promise<void> {
  const identity = async (path: string): Promise<string | null> => {
    try {
      const { dev, ino } = await stat(path, { bigint: true });
      return `${dev}/${ino}`;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  };
  const out = await identity(outPath);
  if (out === null) return;
  for (const path of inputs)
    if ((await identity(path)) === out)
      throw problem(
        'delta-out',
        'The result would replace a file that it is made from',
        `${outPath} is ${path}.`,
        'Choose another name for the result.',
        'usage',
      );
}
