import { readFile } from 'node:fs/promises';
import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import {
  type BenchRun,
  type BootResult,
  type McuVersion,
  mcuVersionSchema,
  protocolSchema,
  virtualBoardKindSchema,
} from '../../shared/domain/bench.ts';
import {
  type BoardFault,
  boardFaults,
  type Protocol,
  type VirtualBoardKind,
} from '../../shared/domain/bench-names.ts';
import { type Problem, ProblemError, toProblem } from '../../shared/domain/problem.ts';
import { type BootCommands, bootCommandsSchema } from '../../shared/domain/boot-commands.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import type { Studio } from '../core/studio.ts';
import { readYaml } from './yaml-file.ts';
import { exitCodes, printResult } from './output.ts';
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
    .option('--stub', "flash through Espressif's stub in the RAM of the chip: large images (esp)")
    .option('--mcu <id=version>', 'the MCU behind the module and what it runs (qiot)', mcuOf)
    .option(
      '--commands <file>',
      'what is typed at the prompt of a bootloader, as YAML (ymodem, xmodem)',
    )
    .option('--changed-only', 'leave sectors that the board holds already')
    .action((file: string, options: FlashOptions, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const bootCommands = options.commands && (await readBootCommands(options.commands));
        const outcomes = await Promise.all(
          options.port.map((port) =>
            flashOne(studio, { file, port, options, ...(bootCommands && { bootCommands }) }),
          ),
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
    .addOption(
      new Option('--fault <fault>', 'what the board does wrong, as real ones do').choices(
        boardFaults,
      ),
    )
    .option('--mcu-package <file>', 'of a quectel module: what its cloud has for the MCU behind it')
    .option('--mcu <id=version>', 'the component and the version that the package brings', mcuOf)
    .option('--mcu-source <version>', 'the only version that the package is made for')
    .action((kind: VirtualBoardKind, options: VirtualOptions, command: Command) =>
      withSession(command, async ({ studio, signal }) => {
        const { link, bootloader, fault } = options;
        const mcuPackage = await mcuPackageOf(options);
        const port = await studio.boards.start(kind, {
          linkPath: link,
          paced: true,
          ...(bootloader === undefined ? {} : { bootloader }),
          ...(mcuPackage && { mcuPackage }),
          ...(fault && { fault }),
        });
        process.stdout.write(`${JSON.stringify({ ready: true, port: port.path })}\n`);
        await untilStopped(signal);
        return 0;
      }),
    );
}

interface VirtualOptions {
  readonly link: string;
  readonly bootloader?: string;
  readonly fault?: BoardFault;
  readonly mcuPackage?: string;
  readonly mcu?: McuVersion;
  readonly mcuSource?: string;
}

async function mcuPackageOf({ mcuPackage, mcu, mcuSource = '' }: VirtualOptions) {
  if (mcuPackage === undefined || !mcu) return null;
  const bytes = new Uint8Array(await readFile(mcuPackage));
  const { componentId, version: targetVersion } = mcu;
  return { componentId, sourceVersion: mcuSource, targetVersion, bytes };
}

interface FlashOptions {
  readonly port: readonly string[];
  readonly protocol: Protocol;
  readonly expectVersion?: string;
  readonly baud?: string;
  readonly address?: string;
  readonly url?: string;
  readonly stub?: boolean;
  readonly mcu?: McuVersion;
  readonly commands?: string;
  readonly changedOnly?: boolean;
}

function mcuOf(text: string): McuVersion {
  const [componentId = '', version = ''] = text.split('=');
  const mcu = mcuVersionSchema.safeParse({ componentId, version });
  if (mcu.success) return mcu.data;
  throw new InvalidArgumentError('Expected ID=VERSION, for example STM32=1.0.0.');
}

const readBootCommands = (file: string): Promise<BootCommands> =>
  readYaml(file, bootCommandsSchema, {
    code: 'boot-commands-invalid',
    title: 'The boot commands are not valid',
    hint: 'Correct the named line or field; docs/product-description.md lists them.',
  });

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
  order: {
    readonly file: string;
    readonly port: string;
    readonly options: FlashOptions;
    readonly bootCommands?: BootCommands;
  },
): Promise<Outcome> {
  const { file, port, options, bootCommands } = order;
  const { protocol, expectVersion, baud, address, url, mcu, stub, changedOnly } = options;
  try {
    const run = await studio.ask('bench.flash', {
      file,
      port,
      protocol,
      ...(expectVersion ? { expectVersion } : {}),
      ...(baud ? { baudRate: Number(baud) } : {}),
      ...(address ? { address: Number(address) } : {}),
      ...(url ? { url } : {}),
      ...(stub && { usesStub: stub }),
      ...(mcu && { mcu }),
      ...(bootCommands && { bootCommands }),
      ...(changedOnly ? { changedOnly } : {}),
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
  return `${chip}: ${written}, ${verified ? 'verified' : 'NOT verified'}${boot}\n  recording ${result.recording}`;
}

function bootText({ version, matched, outcome }: BootResult): string {
  if (outcome === 'boot-loop') return 'boots in a loop';
  if (version === null) return 'showed no version';
  return `booted ${version}${matched ? ' as expected' : outcome === 'other-version' ? ' (NOT the expected version)' : ''}`;
}
