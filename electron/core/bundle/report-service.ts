import type { InspectReport } from '../../../shared/domain/finding.ts';
import type { ReportFormat } from '../../../shared/report/report-formats.ts';
import { reportText } from '../../../shared/report/report-text.ts';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { judgedPackage } from './waiver-service.ts';

/** What was found, and the words for what it was found in. */
export interface TitledReport {
  readonly report: InspectReport;
  readonly title: string;
}

/** The report of a version package as policy and waivers judge it now. @throws ProblemError `unknown-id` */
export function packageReport(workspace: Workspace, packageId: string): TitledReport {
  const { report, name: title } = judgedPackage(workspace, workspace.get('package', packageId));
  return { report, title };
}

/** Writes a report to a file, whole or not at all. */
export async function writeReport(
  path: string,
  format: ReportFormat,
  { report, title }: TitledReport,
  toolVersion: string,
): Promise<{ path: string; sizeBytes: number }> {
  return writeText(
    path,
    reportText(format, report, { title, toolVersion, at: new Date().toISOString() }),
  );
}

/** Writes a text as UTF-8, whole or not at all. */
export async function writeText(
  path: string,
  text: string,
): Promise<{ path: string; sizeBytes: number }> {
  await writeFileAtomic(path, text);
  return { path, sizeBytes: Buffer.byteLength(text) };
}
