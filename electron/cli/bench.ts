import { Argument, type Command, Option } from 'commander';
import {
  type BenchRun,
  type BootResult,
  protocolSchema,
  virtualBoardKindSchema,
} from '../../shared/domain/bench.ts';
import type { Protocol, VirtualBoardKind } from '../../shared/domain/bench-names.ts';
import { type Problem, ProblemError, toProblem } from '../../shared/domain/problem.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import type { Studio } from '../core/studio.ts';
import { consoleCommand } from './bench-console.ts';
import { exitCodes, printResult } from './output.ts';
import { untilStopped, withSession } from './session.ts';

/** `slipway bench ports|flash|virtual|console` */
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
    .description('erase, write, verify, start, and look for the expected version')
    .requiredOption(
      '--port <path>',
      'serial port; repeat it to flash several boards at once',
      collect,
    )
    .addOption(
      new Option('--protocol <protocol>', 'bootloader protocol')
        .choices(protocolSchema.options)
        .makeOptionMandatory(),
    )
    .option('--expect-version <v>', 'version that the board must boot')
    .option('--baud <rate>', "baud rate instead of the protocol's own")
    .option('--address <address>', 'where an image without addresses goes, for example 0x10000')
    .option('--url <url>', 'where a module fetches the package itself (quectel)')
    .option(
      '--reset-sequence <steps>',
      "steps of DTR and RTS instead of the protocol's own reset, for example 'dtr=1 rts=0; wait 100ms; dtr=0'",
    )
    .option('--changed-only', 'leave sectors that the board holds already')
    .action((file: string, options: FlashOptions, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const outcomes = await Promise.all(
          options.port.map((port) => flashOne(studio, { file, port, options })),
        );
        const [only] = outcomes;
        if (only && outcomes.length === 1) {
          if (!only.run) throw new ProblemError(only.problem);
          const { run } = only;
          printResult(json, run.result, () => runText(run));
          return run.passed ? 0 : 1;
        }
        printResult(json, { boards: outcomes.map(boardShape) }, () =>
          outcomes.map((outcome) => `${outcome.port}: ${outcomeText(outcome)}`).join('\n'),
        );
        return Math.max(...outcomes.map(exitCode));
      }),
    );

  bench
    .command('virtual')
    .description('serve a virtual board until stopped')
    .addArgument(new Argument('<kind>', 'kind of board').choices(virtualBoardKindSchema.options))
    .requiredOption('--link <path>', 'where the serial port (PTY) appears')
    .option('--bootloader <file>', 'bootloader of an optiboot board, as Intel HEX')
    .action((kind: VirtualBoardKind, options: VirtualOptions, command: Command) =>
      withSession(command, async ({ studio, signal }) => {
        const { link, bootloader } = options;
        const port = await studio.boards.start(kind, {
          linkPath: link,
          paced: true,
          ...(bootloader === undefined ? {} : { bootloader }),
        });
        process.stdout.write(`${JSON.stringify({ ready: true, port: port.path })}\n`);
        await untilStopped(signal);
        return 0;
      }),
    );

  consoleCommand(bench);
}

interface VirtualOptions {
  readonly link: string;
  readonly bootloader?: string;
}

interface FlashOptions {
  readonly port: readonly string[];
  readonly protocol: Protocol;
  readonly expectVersion?: string;
  readonly baud?: string;
  readonly address?: string;
  readonly url?: string;
  readonly changedOnly?: boolean;
  readonly resetSequence?: string;
}

/** How one board of a gang fared; every board has its own end. */
type Outcome = { readonly port: string } & (
  | { readonly run: BenchRun; readonly problem?: never }
  | { readonly run?: never; readonly problem: Problem }
);

const collect = (path: string, paths: readonly string[] = []): readonly string[] => [
  ...paths,
  path,
];

async function flashOne(
  studio: Studio,
  order: { readonly file: string; readonly port: string; readonly options: FlashOptions },
): Promise<Outcome> {
  const { file, port, options } = order;
  const { protocol, expectVersion, baud, address, url, changedOnly, resetSequence } = options;
  try {
    const run = await studio.ask('bench.flash', {
      file,
      port,
      protocol,
      ...(expectVersion ? { expectVersion } : {}),
      ...(baud ? { baudRate: Number(baud) } : {}),
      ...(address ? { address: Number(address) } : {}),
      ...(url ? { url } : {}),
      ...(changedOnly ? { changedOnly } : {}),
      ...(resetSequence === undefined ? {} : { resetSequence }),
    });
    return { port, run };
  } catch (error) {
    return { port, problem: toProblem(error) };
  }
}

const boardShape = ({ port, run, problem }: Outcome) =>
  run ? { port, passed: run.passed, ...run.result } : { port, passed: false, error: problem };

const exitCode = ({ run, problem }: Outcome): number =>
  run ? (run.passed ? 0 : 1) : exitCodes[problem.kind];

const outcomeText = ({ run, problem }: Outcome): string =>
  run ? runText(run) : `${problem.title}\n  ${problem.detail}\n  ${problem.hint}`;

function runText({ result }: BenchRun): string {
  const { chip, bytesWritten, bytesPerSec, verified, unchangedBytes = 0 } = result;
  const unchanged = unchangedBytes > 0 ? `, ${byteText(unchangedBytes)} unchanged` : '';
  const written = `${byteText(bytesWritten)} written at ${byteText(bytesPerSec)}/s${unchanged}`;
  const boot = result.booted ? `, ${bootText(result.booted)}` : '';
  const { baudFallback: baud } = result;
  const speed = baud ? `\n  no answer at ${baud.wished} baud; ${baud.worked} worked` : '';
  return `${chip}: ${written}, ${verified ? 'verified' : 'NOT verified'}${boot}${speed}\n  recording ${result.recording}`;
}

function bootText({ version, matched, outcome }: BootResult): string {
  if (outcome === 'boot-loop') return 'boots in a loop';
  if (version === null) return 'showed no version';
  return `booted ${version}${matched ? ' as expected' : outcome === 'other-version' ? ' (NOT the expected version)' : ''}`;
}
