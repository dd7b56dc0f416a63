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
import { type BootCommands, bootCommandsSchema } from '../../shared/domain/boot-commands.ts';
import { footprintText } from '../../shared/domain/footprint-text.ts';
import { type Problem, ProblemError, problem, toProblem } from '../../shared/domain/problem.ts';
import { byteText } from '../../shared/domain/progress-text.ts';
import { hexAddress } from '../../shared/formats/report.ts';
import type { Studio } from '../core/studio.ts';
import { boardCommands } from './bench-boards.ts';
import { consoleCommand } from './bench-console.ts';
import { exitCodes, printNote, printResult } from './output.ts';
import { readYaml } from './yaml-file.ts';
import { untilStopped, withSession } from './session.ts';

/** `slipway bench ports|flash|runs|resume|boards|console|virtual` */
export function benchCommands(program: Command): void {
  const bench = program
    .command('bench')
    .description('boards on serial ports: flash, resume, console, virtual boards');

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
      '--reset-sequence <steps>',
      "steps of DTR and RTS instead of the protocol's own reset, for example 'dtr=1 rts=0; wait 100ms; dtr=0'",
    )
    .option(
      '--commands <file>',
      'what is typed at the prompt of a bootloader, as YAML (ymodem, xmodem)',
    )
    .option('--changed-only', 'leave sectors that the board holds already')
    .option('--revision <revision>', 'hardware revision of the boards; remembered for each')
    .option(
      '--unprotect-erases-all <board>',
      'take off the read-out protection of this board, named by its id or nickname, which erases everything on it',
    )
    .action((file: string, options: FlashOptions, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const bootCommands = options.commands && (await readBootCommands(options.commands));
        if (options.protocol === 'stm32') {
          const { address } = options;
          const footprint = await studio.ask('bench.footprint', {
            file,
            ...(address ? { address: Number(address) } : {}),
          });
          printNote(json, footprintText(footprint, hexAddress));
        }
        const outcomes = await Promise.all(
          options.port.map((port) =>
            flashOne(studio, { file, port, options, ...(bootCommands && { bootCommands }) }),
          ),
        );
        const [only] = outcomes;
        if (only && outcomes.length === 1) {
          if (!only.run) throw new ProblemError(only.problem);
          const { run } = only;
          return printRun(json, run);
        }
        printResult(json, { boards: outcomes.map(boardShape) }, () =>
          outcomes.map((outcome) => `${outcome.port}: ${outcomeText(outcome)}`).join('\n'),
        );
        return Math.max(...outcomes.map(exitCode));
      }),
    );

  bench
    .command('runs')
    .description('list the bench runs of the workspace, newest last')
    .action((_options: unknown, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const runs = await studio.ask('bench.runs', {});
        printResult(json, { runs }, () => runs.map(lineOf).join('\n') || 'No bench run yet');
        return 0;
      }),
    );

  bench
    .command('resume [run]')
    .description(
      'go on with a run that was cut off, on the same board: the newest one unless named',
    )
    .option('--port <path>', 'where the board is now, when the system does not tell')
    .action((run: string | undefined, options: { port?: string }, command: Command) =>
      withSession(command, async ({ studio, json }) => {
        const runs = await studio.ask('bench.runs', {});
        const runId = run ?? runs.findLast(({ resumable }) => resumable === true)?.id;
        if (runId === undefined)
          throw problem(
            'nothing-to-resume',
            'There is nothing to go on with',
            'No run of this workspace was cut off.',
            'slipway bench runs lists them.',
            'usage',
          );
        return printRun(json, await studio.ask('bench.resume', { runId, ...options }));
      }),
    );

  boardCommands(bench);

  bench
    .command('virtual')
    .description('serve a virtual board until stopped')
    .addArgument(new Argument('<kind>', 'kind of board').choices(virtualBoardKindSchema.options))
    .requiredOption('--link <path>', 'where the serial port (PTY) appears')
    .option('--bootloader <file>', 'bootloader of an optiboot board, as Intel HEX')
    .addOption(
      new Option('--unit <number>', 'tells the board from others of its kind')
        .argParser(unitNumber)
        .default(0),
    )
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
        const { link, bootloader, unit, fault } = options;
        const mcuPackage = await mcuPackageOf(options);
        const port = await studio.boards.start(kind, {
          linkPath: link,
          paced: true,
          unit,
          ...(bootloader === undefined ? {} : { bootloader }),
          ...(mcuPackage && { mcuPackage }),
          ...(fault && { fault }),
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
  readonly unit: number;
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
  readonly revision?: string;
  readonly unprotectErasesAll?: string;
  readonly resetSequence?: string;
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
  const { revision, unprotectErasesAll: unprotect, resetSequence } = options;
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
      ...(revision === undefined ? {} : { hardwareRevision: revision }),
      ...(unprotect === undefined ? {} : { unprotect }),
      ...(resetSequence === undefined ? {} : { resetSequence }),
    });
    return { port, run };
  } catch (error) {
    return { port, problem: toProblem(error) };
  }
}

const mostUnits = 100;

function unitNumber(text: string): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 0 && number < mostUnits) return number;
  throw new InvalidArgumentError(`0 to ${mostUnits - 1}`);
}

/** Prints a run that has ended and returns the exit code. */
function printRun(json: boolean, run: BenchRun): number {
  printResult(json, run.result, () => runText(run));
  return run.passed ? 0 : 1;
}

const boardShape = ({ port, run, problem: error }: Outcome) =>
  run ? { port, passed: run.passed, ...run.result } : { port, passed: false, error };

const exitCode = (outcome: Outcome): number =>
  outcome.run ? (outcome.run.passed ? 0 : 1) : exitCodes[outcome.problem.kind];

function outcomeText(outcome: Outcome): string {
  if (outcome.run) return runText(outcome.run);
  const { title, detail, hint } = outcome.problem;
  return `${title}\n  ${detail}\n  ${hint}`;
}

function lineOf(run: BenchRun): string {
  const { id, startedAt, imageName, port, passed, failure, resumable } = run;
  const verdict = passed ? 'passed' : failure ? failure.title : 'failed';
  const board = run.board?.nickname ?? run.board?.id ?? port;
  return [
    startedAt,
    id,
    imageName,
    board,
    run.hardwareRevision === undefined ? '' : `revision ${run.hardwareRevision}`,
    `${verdict}${resumable ? ' (can be gone on with)' : ''}`,
  ]
    .filter(Boolean)
    .join('  ');
}

function runText({ result, board, hardwareRevision }: BenchRun): string {
  const { chip, bytesWritten, bytesPerSec, verified, unchangedBytes = 0 } = result;
  const unchanged = unchangedBytes > 0 ? `, ${byteText(unchangedBytes)} unchanged` : '';
  const written = `${byteText(bytesWritten)} written at ${byteText(bytesPerSec)}/s${unchanged}`;
  const boot = result.booted ? `, ${bootText(result.booted)}` : '';
  const { baudFallback: baud } = result;
  const speed = baud ? `\n  no answer at ${baud.wished} baud; ${baud.worked} worked` : '';
  const name = board ? `\n  board ${board.nickname ? `${board.nickname}, ` : ''}${board.id}` : '';
  const revision = hardwareRevision === undefined ? '' : `, revision ${hardwareRevision}`;
  return `${chip}: ${written}, ${verified ? 'verified' : 'NOT verified'}${boot}${speed}${name}${revision}\n  recording ${result.recording}`;
}

function bootText({ version, matched, outcome }: BootResult): string {
  if (outcome === 'boot-loop') return 'boots in a loop';
  if (outcome === 'did-not-boot') return 'did NOT boot';
  if (version === null) return 'showed no version';
  return `booted ${version}${matched ? ' as expected' : outcome === 'other-version' ? ' (NOT the expected version)' : ''}`;
}
