import type { InspectReport } from '../../../shared/domain/finding.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { type InspectInput, inspectFiles } from '../../core/bundle/inspect-files.ts';

/** Worker side of `bundle.inspect`. */
export function inspectFilesTask(
  input: InspectInput,
  context: WorkContext,
): Promise<InspectReport> {
  return inspectFiles(input, context);
}
