import type { DescribedFormat, FormatTest } from '../../../shared/domain/described-format.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { runTask } from '../../worker/run-task.ts';

/**
 * Reads a file in a worker thread as the description says.
 * @throws ProblemError `format-pattern` when the pattern of the version cannot be used, and I/O problems
 */
export async function testFormat(
  format: DescribedFormat,
  path: string,
  context: WorkContext,
): Promise<FormatTest> {
  await refuseBadPattern(format);
  return runTask('formats.test', { format, path }, context);
}

/** @throws ProblemError `format-pattern` */
async function refuseBadPattern({ version }: DescribedFormat): Promise<void> {
  if (version === undefined || !('pattern' in version)) return;
  const { patternFault } = await import('./linear-regex.ts');
  const why = patternFault(version.pattern);
  if (why === null) return;
  throw problem(
    'format-pattern',
    'The version pattern cannot be used',
    `version.pattern: ${why}`,
    'Correct it; it follows the syntax of RE2, with one group around the version.',
    'usage',
  );
}
