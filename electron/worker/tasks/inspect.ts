import { open } from 'node:fs/promises';
import type { DescribedFormat, FormatTest } from '../../../shared/domain/described-format.ts';
import type { InspectReport } from '../../../shared/domain/finding.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { checkDescribed } from '../../core/bundle/described-check.ts';
import { fileSource } from '../../core/bundle/file-source.ts';
import { FindingList } from '../../core/bundle/finding-list.ts';
import { type InspectInput, inspectFiles } from '../../core/bundle/inspect-files.ts';

/** Worker side of `bundle.inspect`. */
export function inspectFilesTask(
  input: InspectInput,
  context: WorkContext,
): Promise<InspectReport> {
  return inspectFiles(input, context);
}

/** Worker side of `formats.test`. */
export async function testFormatTask({
  path,
  format,
}: {
  readonly path: string;
  readonly format: DescribedFormat;
}): Promise<FormatTest> {
  const handle = await open(path, 'r');
  try {
    const { size: sizeBytes } = await handle.stat();
    const findings = new FindingList();
    const source = fileSource(handle, sizeBytes);
    const { recognised, fields, version } = await checkDescribed(source, format, findings);
    return {
      recognised,
      sizeBytes,
      version: version ?? null,
      fields: [...fields],
      findings: findings.list(),
    };
  } finally {
    await handle.close();
  }
}
