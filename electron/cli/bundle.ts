import type { Command } from 'commander';
import type { InspectReport } from '../../shared/domain/finding.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import { problem } from '../../shared/domain/problem.ts';
import { componentTypeSchema, type ComponentType } from '../../shared/domain/product.ts';
import {
  type ReportOptions,
  reportCommand,
  withReportOptions,
  writeReport,
} from './bundle-report.ts';
import { formatCommands } from './bundle-formats.ts';
import { waiverCommands } from './bundle-waivers.ts';
import { ruleCommand } from './bundle-rules.ts';
import { findingLines } from './finding-text.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway bundle inspect|create|verify|report|rules|waive|waivers|unwaive|formats` */
export function bundleCommands(program: Command): void {
  const bundle = program.command('bundle').description('assemble and validate version packages');

  withReportOptions(
    bundle
      .command('inspect <files...>')
      .description('check files and print the findings, or write them as a report'),
  )
    .option('--component <type|id>', 'module or mcu, or with --product the id of its component')
    .option(
      '--product <id>',
      'compare with its description in slipway.yaml (memory, hardware ids, signing keys, version scheme, compatibility, support period) and with what was released of it before; a product of several components needs --component',
    )
    .option(
      '--version <v>',
      'version that must be inside and that must be neither released with other bytes nor older than a release',
    )
    .action(
      (
        files: string[],
        options: ReportOptions & { component?: string; product?: string; version?: string },
        command: Command,
      ) =>
        withSession(command, async (session) => {
          const { studio, json } = session;
          const report = await studio.ask('bundle.inspect', {
            files,
            ...componentOption(options),
            ...(options.product ? { productId: options.product } : {}),
            ...(options.version ? { version: options.version } : {}),
          });
          const isPrinted = await writeReport(session, options, report);
          if (!isPrinted) printResult(json, report, () => reportText(report));
          return report.verdict === 'block' ? 1 : 0;
        }),
    );

  bundle
    .command('create <files...>')
    .description('store the files as the full version package of a release')
    .requiredOption('--product <id>', 'product')
    .requiredOption('--component <id>', 'component identifier')
    .requiredOption('--version <v>', 'target version; the release is made when it does not exist')
    .option('--author <name>', 'who makes it (default: see slipway settings show)')
    .action(
      (
        files: string[],
        options: { product: string; component: string; version: string; author?: string },
        command: Command,
      ) =>
        withSession(command, async ({ studio, json }) => {
          const pkg = await studio.ask('bundle.create', {
            productId: options.product,
            version: options.version,
            componentId: options.component,
            files,
            ...(options.author ? { author: options.author } : {}),
          });
          printResult(
            json,
            pkg,
            () =>
              `${pkg.name}\n  package ${pkg.id}\n  SHA-256 ${pkg.sha256}, ${byteText(pkg.sizeBytes)}, verdict ${pkg.report.verdict}`,
          );
          return 0;
        }),
    );

  bundle
    .command('verify <packageId>')
    .description('re-read a stored version package and compare every hash')
    .action((packageId: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const result = await studio.ask('bundle.verify', { packageId });
        printResult(json, result, () =>
          result.intact
            ? `Intact: SHA-256 ${result.sha256}`
            : 'Damaged: the stored package is not what was recorded',
        );
        return result.intact ? 0 : 1;
      }),
    );

  ruleCommand(bundle);
  waiverCommands(bundle);
  formatCommands(bundle);
  reportCommand(bundle);
}

/** A type, or the id of a component, which only a product has. @throws ProblemError `unknown-component` */
function componentOption(options: { readonly component?: string; readonly product?: string }): {
  component?: ComponentType;
  componentId?: string;
} {
  const { component, product } = options;
  if (component === undefined) return {};
  const type = componentTypeSchema.safeParse(component);
  if (type.success) return { component: type.data };
  if (product !== undefined) return { componentId: component };
  throw problem(
    'unknown-component',
    'No such component type',
    `--component ${component} is neither module nor mcu.`,
    'Give one of them, or name the product too: --product ID.',
    'usage',
  );
}

function reportText(report: InspectReport): string {
  const lines = [`Verdict: ${report.verdict}`];
  for (const file of report.files) {
    lines.push(`${file.name}  ${byteText(file.sizeBytes)}  ${file.format}  ${file.sha256}`);
    lines.push(...file.findings.flatMap(findingLines));
  }
  return lines.join('\n');
}
