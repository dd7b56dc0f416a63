import { type Command, Option } from 'commander';
import { byteText } from '../../shared/domain/progress-text.ts';
import { printResult } from './output.ts';
import { withSession } from './session.ts';

/** `slipway delta make|apply` */
export function deltaCommands(program: Command): void {
  const delta = program.command('delta').description('make and apply delta packages');

  delta
    .command('make <source> <target>')
    .description('make a patch and prove it by applying it')
    .requiredOption('-o, --out <patch>', 'patch file to write')
    .addOption(
      new Option('--format <format>', 'patch format').choices(['auto', 'bsdiff']).default('auto'),
    )
    .action(
      (
        source: string,
        target: string,
        options: { out: string; format: 'auto' | 'bsdiff' },
        command: Command,
      ) =>
        withSession(command, async ({ studio, json }) => {
          const proof = await studio.ask('delta.make', { source, target, ...options });
          printResult(
            json,
            proof,
            () =>
              `${options.out}: ${proof.format}, ${byteText(proof.patchSizeBytes)} for ${byteText(proof.targetSizeBytes)}, proven in ${(proof.elapsedMs / 1000).toFixed(1)} s\n  target SHA-256 ${proof.targetSha256}`,
          );
          return 0;
        }),
    );

  delta
    .command('apply <source> <patch>')
    .description('rebuild the target from the source and a patch')
    .requiredOption('-o, --out <target>', 'file to write')
    .action((source: string, patch: string, options: { out: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const result = await studio.ask('delta.apply', { source, patch, out: options.out });
        printResult(
          json,
          result,
          () => `${options.out}: ${byteText(result.sizeBytes)}, SHA-256 ${result.sha256}`,
        );
        return 0;
      }),
    );
}
