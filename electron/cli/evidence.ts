import type { Command } from 'commander';
import { byteText } from '../../shared/domain/progress-text.ts';
import { printResult } from './output.ts';
import { findRelease } from './releases.ts';
import { withSession } from './session.ts';

/** `slipway evidence export|verify` */
export function evidenceCommands(program: Command): void {
  const evidence = program.command('evidence').description('the record of a release');

  evidence
    .command('export <release>')
    .description('write the evidence of a release (its id, or PRODUCT@VERSION) to one file')
    .option('-o, --out <file>', 'file to write (default: evidence/ in the workspace)')
    .action((release: string, options: { out?: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const releaseId = await findRelease(studio, release);
        const result = await studio.ask('evidence.export', { releaseId, ...options });
        printResult(
          json,
          result,
          () => `${result.path}: ${byteText(result.sizeBytes)}, SHA-256 ${result.sha256}, unsigned`,
        );
        return 0;
      }),
    );

  evidence
    .command('verify <file>')
    .description('check a record: every byte, every hash')
    .action((file: string, _options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const report = await studio.ask('evidence.verify', { file });
        printResult(json, report, () =>
          [
            `Verdict: ${report.verdict}`,
            ...report.checks.map(
              (check) => `  ${check.passed ? 'ok    ' : 'FAILED'} ${check.id}: ${check.why}`,
            ),
          ].join('\n'),
        );
        return report.verdict === 'pass' ? 0 : 1;
      }),
    );
}
