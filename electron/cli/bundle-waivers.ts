import type { Command } from 'commander';
import type { InspectedFile } from '../../shared/domain/finding.ts';
import { problem } from '../../shared/domain/problem.ts';
import type { Waiver, WaiverState } from '../../shared/domain/waiver.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway bundle waive|waivers|unwaive` */
export function waiverCommands(bundle: Command): void {
  bundle
    .command('waive <file>')
    .description('accept what a rule finds in exactly this file, with a reason and a name')
    .requiredOption('--rule <rule>', 'rule of the finding')
    .requiredOption('--product <id>', 'product')
    .requiredOption('--version <v>', 'version that the file is released as')
    .option('--component <id>', "component that it is for (default: the product's first)")
    .requiredOption('--reason <text>', 'why it is accepted')
    .requiredOption('--name <name>', 'who accepts it; another person than who makes the package')
    .action(
      (
        file: string,
        options: {
          rule: string;
          product: string;
          version: string;
          component?: string;
          reason: string;
          name: string;
        },
        command: Command,
      ) =>
        withSession(command, async ({ studio, json }) => {
          const { product: productId, version, rule, reason, name } = options;
          const report = await studio.ask('bundle.inspect', {
            files: [file],
            productId,
            version,
            ...(options.component ? { componentId: options.component } : {}),
          });
          const [inspected] = report.files;
          if (!inspected?.findings.some((finding) => finding.rule === rule))
            throw nothingToWaive(file, rule, inspected);
          const { sha256, name: fileName } = inspected;
          const draft = { productId, version, rule, reason, name, sha256, fileName };
          const waiver = await studio.ask('waivers.add', draft);
          printResult(json, waiver, () => waiverText({ ...waiver, state: 'active' }));
          return 0;
        }),
    );

  bundle
    .command('waivers')
    .description('list the waivers, those that were taken back included')
    .option('--product <id>', 'only of this product')
    .option('--version <v>', 'only of this version')
    .action((options: { product?: string; version?: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const waivers = await studio.ask('waivers.list', {
          ...(options.product ? { productId: options.product } : {}),
          ...(options.version ? { version: options.version } : {}),
        });
        printResult(json, waivers, () =>
          waivers.length === 0 ? 'No waiver.' : waivers.map(waiverText).join('\n'),
        );
        return 0;
      }),
    );

  bundle
    .command('unwaive <waiverId>')
    .description('take a waiver back; the record of it stays')
    .requiredOption('--reason <text>', 'why it is taken back')
    .requiredOption('--name <name>', 'who takes it back')
    .action((waiverId: string, options: { reason: string; name: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const waiver = await studio.ask('waivers.remove', { waiverId, ...options });
        printResult(json, waiver, () => waiverText({ ...waiver, state: 'removed' }));
        return 0;
      }),
    );
}

function nothingToWaive(file: string, rule: string, inspected: InspectedFile | undefined) {
  const waivable = inspected?.findings.filter(
    ({ waivable: can, verdict }) => can && verdict !== 'pass',
  );
  const rules = [...new Set(waivable?.map((finding) => finding.rule))].join(', ');
  return problem(
    'finding-missing',
    'There is nothing to waive',
    `${file} has no finding of ${rule}.`,
    rules === '' ? 'No finding of this file can be waived.' : `It has these: ${rules}.`,
    'usage',
  );
}

function waiverText(waiver: Waiver & { readonly state: WaiverState }): string {
  const { id, state, productId, version, rule, fileName, sha256, name, at, reason } = waiver;
  const lines = [
    `${id}  ${state}  ${productId}@${version}  ${rule}`,
    `  ${fileName}  ${sha256}`,
    `  ${name}, ${at}: ${reason}`,
  ];
  if (state === 'void') lines.push('  The version was recorded with other bytes in this file.');
  if (waiver.removed)
    lines.push(
      `  taken back by ${waiver.removed.name}, ${waiver.removed.at}: ${waiver.removed.reason}`,
    );
  return lines.join('\n');
}
