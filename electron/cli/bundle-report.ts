import { type Command, Option } from 'commander';
import { problem } from '../../shared/domain/problem.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import type { InspectReport } from '../../shared/domain/finding.ts';
import {
  type ReportFormat,
  reportFormatOf,
  reportFormats,
} from '../../shared/report/report-formats.ts';
import { reportText } from '../../shared/report/report-text.ts';
import type { Studio } from '../core/studio.ts';
import { printNote } from './output.ts';
import { type Session, withSession } from './session.ts';

/** What `--report` and `-o` say. */
export interface ReportOptions {
  readonly report?: ReportFormat;
  readonly out?: string;
}

/** Adds `--report` and `-o` to a command. */
export const withReportOptions = (command: Command): Command =>
  command
    .addOption(new Option('--report <format>', 'write a report').choices([...reportFormats]))
    .option('-o, --out <file>', 'file for the report (default: stdout)');

/** `slipway bundle report` */
export function reportCommand(bundle: Command): void {
  withReportOptions(
    bundle
      .command('report <package>')
      .description('report on a version package (its id, or PRODUCT/COMPONENT@VERSION)'),
  ).action((name: string, options: ReportOptions, command: Command) =>
    withSession(command, async (session) => {
      const { studio } = session;
      const { id, report, name: title } = await findPackage(studio, name);
      const format = wantedFormat(options) ?? 'html';
      if (options.out === undefined) printReport(format, report, title);
      else {
        const out = options.out;
        tellWritten(session, await studio.ask('bundle.report', { format, out, packageId: id }));
      }
      return report.verdict === 'block' ? 1 : 0;
    }),
  );
}

/** Writes the report that the options ask for; whether it went to stdout, in place of the result. */
export async function writeReport(
  session: Session,
  options: ReportOptions,
  report: InspectReport,
): Promise<boolean> {
  const format = wantedFormat(options);
  if (format === null) return false;
  const title = report.files
    .map((file) => file.name)
    .join(', ')
    .slice(0, 200);
  if (options.out === undefined) printReport(format, report, title);
  else {
    const input = { format, out: options.out, report, title };
    tellWritten(session, await session.studio.ask('bundle.report', input));
  }
  return options.out === undefined;
}

/** @throws ProblemError `report-format` when only the file is named, and its name tells no format */
function wantedFormat({ report, out }: ReportOptions): ReportFormat | null {
  if (report !== undefined || out === undefined) return report ?? null;
  const told = reportFormatOf(out);
  if (told !== null) return told;
  throw problem(
    'report-format',
    'The format of the report is not known',
    `The name "${out}" does not tell it.`,
    'Give --report html, sarif or json, or a name that ends with .html, .sarif or .json.',
    'usage',
  );
}

function printReport(format: ReportFormat, report: InspectReport, title: string): void {
  const at = new Date().toISOString();
  process.stdout.write(reportText(format, report, { title, toolVersion: __SLIPWAY_VERSION__, at }));
}

const tellWritten = ({ json }: Session, written: { path: string; sizeBytes: number }): void =>
  printNote(json, `Report written to ${written.path} (${byteText(written.sizeBytes)})`);

async function findPackage(studio: Studio, name: string) {
  const packages = await studio.ask('packages.list', {});
  const found = packages.find(
    (pkg) =>
      pkg.id === name ||
      (pkg.packageType === 'full' &&
        `${pkg.productId}/${pkg.componentId}@${pkg.targetVersion}` === name),
  );
  if (found) return found;
  throw problem(
    'unknown-id',
    'There is no such version package',
    `${name} is neither the id of a package nor PRODUCT/COMPONENT@VERSION of a full one.`,
    'See: slipway release list; slipway bundle create prints the id.',
    'usage',
  );
}
