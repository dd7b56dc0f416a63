import type { Command } from 'commander';
import type { DescribedFormat, FormatTest } from '../../shared/domain/described-format.ts';
import { problem } from '../../shared/domain/problem.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import { findingLines } from './finding-text.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway bundle formats list|test` */
export function formatCommands(bundle: Command): void {
  const formats = bundle
    .command('formats')
    .description('the formats that slipway.yaml describes under "formats"');

  formats
    .command('list')
    .description('list them')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const described = await studio.ask('formats.list', {});
        printResult(json, described, () =>
          described.length === 0
            ? 'slipway.yaml describes no format.'
            : described.map(formatText).join('\n'),
        );
        return 0;
      }),
    );

  formats
    .command('test <name> <file>')
    .description('read a file as the named format and print every field')
    .action((name: string, file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const described = await studio.ask('formats.list', {});
        const format = described.find((one) => one.name === name);
        if (!format) throw noSuchFormat(name, described);
        const result = await studio.ask('formats.test', { format, file });
        printResult(json, result, () => testText(result));
        return result.findings.some(({ verdict }) => verdict === 'block') ? 1 : 0;
      }),
    );
}

const noSuchFormat = (name: string, described: readonly DescribedFormat[]) =>
  problem(
    'unknown-id',
    'No such format',
    `slipway.yaml describes no format "${name}".`,
    described.length === 0
      ? 'Describe it under "formats".'
      : `It describes ${described.map((format) => format.name).join(', ')}.`,
    'usage',
  );

const formatText = ({ name, extensions, fields, checksums }: DescribedFormat): string =>
  `${name}  ${extensions.join(' ') || 'any extension'}  ${fields.length} fields, ${checksums.length} checksums`;

function testText({ recognised, sizeBytes, version, fields, findings }: FormatTest): string {
  const known = recognised ? 'recognised' : 'not recognised';
  const lines = [`${known}, ${byteText(sizeBytes)}, version ${version ?? 'none'}`];
  for (const field of fields) {
    const mark = field.passed === null ? ' ' : field.passed ? '+' : '!';
    const expected = field.passed === false ? `, expected ${field.expected ?? 'a text'}` : '';
    lines.push(
      ` ${mark} ${field.name} @${field.offset}: ${field.value}${expected}  [${field.hex}]`,
    );
  }
  return [...lines, ...findings.flatMap(findingLines)].join('\n');
}
