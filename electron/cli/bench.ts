import { type Command, Option } from 'commander';
import { byteText } from '../../shared/domain/progress-text.ts';
import { printResult } from './output.ts';
import { untilStopped, withSession } from './session.ts';

/** `slipway bench ports|flash|virtual` */
export function benchCommands(program: Command): void {
  const bench = program.command('bench').description('boards on serial ports');

  bench
    .command('ports')
    .description('list serial ports')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const result = await studio.ask('bench.ports', {});
        printResult(json, result, () =>
          [
            ...result.ports.map((port) => `${port.path}  ${port.label}`),
            ...(result.ports.length === 0 ? ['No serial port found'] : []),
            ...(result.hint ? [result.hint] : []),
          ].join('\n'),
        );
        return 0;
      }),
    );

  bench
    .command('flash <file>')
    .description('erase, write, verify by read-back, start, and look for the expected version')
    .requiredOption('--port <path>', 'serial port')
    .addOption(
      new Option('--protocol <protocol>', 'bootloader protocol')
        .choices(['stm32'])
        .makeOptionMandatory(),
    )
    .option('--expect-version <v>', 'version that the boot log must show')
    .option('--baud <rate>', 'baud rate', '115200')
    .action(
      (
        file: string,
        options: { port: string; protocol: 'stm32'; expectVersion?: string; baud: string },
        command: Command,
      ) =>
        withSession(command, async ({ studio, json }) => {
          const { expectVersion } = options;
          const run = await studio.ask('bench.flash', {
            file,
            port: options.port,
            protocol: options.protocol,
            baudRate: Number(options.baud),
            ...(expectVersion ? { expectVersion } : {}),
          });
          printResult(json, run.result, () => {
            const { result } = run;
            const boot = result.booted
              ? `, booted ${result.booted.version ?? 'without a version'}${result.booted.matched ? ' as expected' : ' (NOT the expected version)'}`
              : '';
            return `${result.chip}: ${byteText(result.bytesWritten)} written at ${byteText(result.bytesPerSec)}/s, ${result.verified ? 'verified' : 'NOT verified'}${boot}\n  recording ${result.recording}`;
          });
          return run.passed ? 0 : 1;
        }),
    );

  bench
    .command('virtual <kind>')
    .description('serve a virtual board until stopped')
    .requiredOption('--link <path>', 'where the serial port (PTY) appears')
    .action((kind: string, options: { link: string }, command: Command) =>
      withSession(command, async ({ studio, signal }) => {
        if (kind !== 'stm32')
          command.error(`error: ${kind} is not a virtual board of this version; use stm32`);
        const port = await studio.boards.start('stm32', { linkPath: options.link, paced: true });
        process.stdout.write(`${JSON.stringify({ ready: true, port: port.path })}\n`);
        await untilStopped(signal);
        return 0;
      }),
    );
}
