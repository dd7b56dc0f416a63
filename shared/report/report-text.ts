import type { InspectReport } from '../domain/finding.ts';
import { htmlReport } from './html-report.ts';
import type { ReportFormat } from './report-formats.ts';
import type { ReportSubject } from './report-subject.ts';
import { sarifReport } from './sarif-report.ts';

/** A report in one of its forms, as the text of a file. */
export function reportText(
  format: ReportFormat,
  report: InspectReport,
  subject: ReportSubject,
): string {
  switch (format) {
    case 'html':
      return htmlReport(report, subject);
    case 'sarif':
      return `${JSON.stringify(sarifReport(report, subject), null, 2)}\n`;
    case 'json':
      return `${JSON.stringify(report, null, 2)}\n`;
  }
}
