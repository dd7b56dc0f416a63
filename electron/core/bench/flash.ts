import type {
  BoardReference,
  BootResult,
  FlashResult,
  McuVersion,
  PortInfo,
} from '../../../shared/domain/bench.ts';
import type { BootCommands } from '../../../shared/domain/boot-commands.ts';
import type { BaudFallback } from '../../../shared/domain/connection.ts';
import {
  type Protocol,
  type VerifyMethod,
  verifyWords,
} from '../../../shared/domain/bench-names.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { ProblemError, problem, toProblem } from '../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import {
  boardReference,
  checkBoard,
  checkConsent,
  checkPort,
  type ExpectedBoard,
} from './board-identity.ts';
import { bootResult, watchBoot } from './boot-watch.ts';
import { ByteChannel } from './byte-channel.ts';
import { FlashConnection } from './connection/flash-connection.ts';
import type { BoardIdentity, Flasher, FlashWork, ProtectedRegion, Tell } from './flasher.ts';
import { type FollowedLink, openFollowed } from './following-link.ts';
import { type ListPorts, listSystemPorts, portAt } from './ports.ts';
import { protocols } from './protocols.ts';
import { Recorder } from './recorder.ts';
import { type OpenLink, openSerialPort } from './serial-link.ts';

/** Where a run stands: kept also when it fails. */
export class FlashRun {
  readonly recorder = new Recorder();
  readonly startedMs = performance.now();
  chip = '';
  bytesWritten = 0;
  skippedBytes = 0;
  unchangedBytes = 0;
  bytesPerSec = 0;
  boardId: string | null = null;
  verified = false;
  verifyMethod: VerifyMethod | null = null;
  booted: BootResult | null = null;
  baudFallback: BaudFallback | null = null;
  /** The port as the system listed it at the beginning; null when it did not. */
  portInfo: PortInfo | null = null;
  board: BoardReference | undefined;
  /** The path under which the board was reached last. */
  path = '';
  readonly steps: { step: string; elapsedMs: number }[] = [];
}

/** What to flash and what to expect. */
export interface FlashInput {
  readonly port: string;
  readonly protocol: Protocol;
  readonly image: FirmwareImage;
  readonly imageName: string;
  /** Name of the chip that must answer; nothing is erased when another one does. */
  readonly expectChip?: string;
  readonly expectVersion?: string;
  /** Absent: what the protocol begins with. */
  readonly baudRate?: number;
  /** Where a module fetches the package itself. */
  readonly url?: string;
  /** Flash an Espressif chip through a stub in its RAM instead of its ROM. */
  readonly usesStub?: boolean;
  /** The MCU that a module upgrades, and what it runs. */
  readonly mcu?: McuVersion;
  /** What is typed at a bootloader's prompt. */
  readonly bootCommands?: BootCommands;
  /** Leave sectors that the board holds already. */
  readonly changedOnly?: boolean;
  /** The way to the board; absent: the protocol's own reset, nothing remembered. */
  readonly connection?: FlashConnection;
  /** Where the serial recording goes, JSON Lines. */
  readonly recordingPath: string;
  readonly openLink?: OpenLink;
  /** What the system knows of its ports: tells boards apart, and finds one that comes back under another path. */
  readonly listPorts?: ListPorts;
  /** Another board than this one is refused. */
  readonly expectBoard?: ExpectedBoard;
  /** Memory that nothing may erase or write. */
  readonly keepOut?: readonly ProtectedRegion[];
  /** Name of the board that may be erased as a whole to take off its read-out protection. */
  readonly unprotect?: string;
  /** What people call a board; empty when they have not named it. */
  readonly nicknameOf?: (board: BoardReference) => string;
  /** Called as each step begins, with what the run knows by then in `run`. */
  readonly onStep?: (step: string) => void;
}

/**
 * Connects, identifies, erases what the image touches, writes, verifies, starts the image and watches it boot.
 * What was reached is in `run`, and the serial recording is written, also when it throws.
 * @throws ProblemError `wrong-chip` | `image-outside-flash` | `verify-failed` | `port-lost` and problems of the protocol
 */
export async function flashBoard(
  input: FlashInput,
  context: WorkContext,
  run = new FlashRun(),
): Promise<FlashResult> {
  const { recorder } = run;
  try {
    await connectAndFlash(input, context, run);
  } catch (error) {
    recorder.note(`failed: ${toProblem(error).title}: ${toProblem(error).detail}`);
    throw await sayingWhatElseFailed(
      error,
      recorder.save(input.recordingPath),
      'The serial recording could not be written',
    );
  }
  await recorder.save(input.recordingPath);
  return flashResult(input, run);
}

/** The shape in which a run is reported and kept. */
export function flashResult(input: FlashInput, run: FlashRun): FlashResult {
  const { chip, boardId, bytesWritten, skippedBytes, unchangedBytes } = run;
  const { verified, verifyMethod, booted, bytesPerSec } = run;
  return {
    protocol: input.protocol,
    chip,
    boardId,
    bytesWritten,
    skippedBytes,
    unchangedBytes,
    verified,
    verifyMethod,
    booted,
    steps: run.steps,
    elapsedMs: Math.round(performance.now() - run.startedMs),
    bytesPerSec,
    recording: input.recordingPath,
    ...(run.baudFallback ? { baudFallback: run.baudFallback } : {}),
  };
}

/** Waits for what is done about a failure; when that fails too, the failure stays what it is and says so. */
export async function sayingWhatElseFailed(
  error: unknown,
  work: Promise<unknown>,
  what: string,
): Promise<unknown> {
  try {
    await work;
    return error;
  } catch (trouble) {
    const failure = toProblem(error);
    const { title, detail } = toProblem(trouble);
    return new ProblemError({
      ...failure,
      detail: `${failure.detail} ${what}: ${title}, ${detail}`,
    });
  }
}

async function connectAndFlash(
  input: FlashInput,
  context: WorkContext,
  run: FlashRun,
): Promise<void> {
  const { recorder } = run;
  const { line, workBaudRate, open } = protocols[input.protocol];
  const baudRate = input.baudRate ?? workBaudRate ?? line.baudRate;
  const connection = input.connection ?? new FlashConnection();
  const options = connection.begin(workBaudRate === undefined ? { ...line, baudRate } : line);
  recorder.note(
    `${input.imageName} to ${input.port} at ${options.baudRate} baud 8${options.parity === 'even' ? 'E' : 'N'}1`,
  );
  const listPorts = input.listPorts ?? listSystemPorts;
  run.path = input.port;
  // Beside the connection, since asking the system takes a while; when that fails, nobody waits for the answer.
  const listing = portAt(listPorts, input.port);
  listing.catch(() => undefined);
  if (input.expectBoard) checkPort(input.port, await listing, input.expectBoard);
  const followed = await openFollowed({
    open: input.openLink ?? openSerialPort,
    path: input.port,
    options,
    listPorts,
    onMoved: (path) => {
      run.path = path;
      recorder.note(`the board is at ${path} now`);
    },
  });
  const link = connection.wrap(recorder.wrap(followed.link), (text) => recorder.note(text));
  try {
    const channel = new ByteChannel(link, input.port, context.signal);
    const flasher = await open(channel, {
      changedOnly: input.changedOnly ?? false,
      baudRate,
      connectBaudRate: options.baudRate,
      keepOut: input.keepOut ?? [],
      ...(input.url === undefined ? {} : { url: input.url }),
      usesStub: input.usesStub ?? false,
      ...(input.mcu && { mcu: input.mcu }),
      ...(input.bootCommands && { bootCommands: input.bootCommands }),
    });
    // Only from a speed that was asked for, or that the bootloader must find out by itself.
    const mayFallBack =
      workBaudRate === undefined && (input.baudRate !== undefined || input.protocol === 'stm32');
    const connect = async (): Promise<BoardIdentity> => {
      const board = await connection.connect(() => flasher.connect(), { link, mayFallBack });
      run.baudFallback = connection.fallback;
      return board;
    };
    await flashWith(flasher, followed, { input, context, run, listing, connect });
  } catch (error) {
    throw followed.failure ?? error;
  } finally {
    await link.close();
  }
}

interface Flashing {
  readonly input: FlashInput;
  readonly context: WorkContext;
  readonly run: FlashRun;
  /** What the system says of the port. */
  readonly listing: Promise<PortInfo | null>;
  /** Connects in the way that this board needs. */
  readonly connect: () => Promise<BoardIdentity>;
}

async function flashWith(
  flasher: Flasher,
  followed: FollowedLink,
  flashing: Flashing,
): Promise<void> {
  const { input, context, run, connect } = flashing;
  const { recorder } = run;
  context.onProgress({ step: 'Connecting', done: 0, total: 0, unit: 'bytes' });
  await timed(flashing, 'connect', async () => {
    const board = await connect();
    run.portInfo = await flashing.listing;
    identify(input, run, board);
    if (board.isReadProtected !== true) return;
    const names = [run.board && input.nicknameOf?.(run.board), run.board?.id, run.board?.usbId];
    checkConsent(input.unprotect, {
      path: input.port,
      names: names.flatMap((name) => (name ? [name] : [])),
    });
    recorder.note('read-out protection is taken off, which erases everything');
    await flasher.unprotect?.();
    identify(input, run, await flasher.connect());
  });
  const work = await timed(flashing, 'compare', () =>
    flasher.plan(input.image, tellAs(context, 'Comparing sectors', 'items')),
  );
  await carryOut(work, flashing);
  await timed(flashing, 'boot', async () => {
    if (!work.startsItself) recorder.startBootLog();
    followed.allowRestart(run.portInfo ?? {});
    await work.start();
    context.onProgress({ step: 'Waiting for the boot log', done: 0, total: 0, unit: 'bytes' });
    run.booted = work.askVersion
      ? bootResult(await work.askVersion(), input.expectVersion)
      : await watchBoot({
          recorder,
          expectVersion: input.expectVersion,
          signal: context.signal,
        });
  });
}

/** Keeps how long a step took, also one that failed. */
async function timed<T>(
  { input, run }: Flashing,
  step: string,
  work: () => Promise<T>,
): Promise<T> {
  input.onStep?.(step);
  const startedMs = performance.now();
  try {
    return await work();
  } finally {
    run.steps.push({ step, elapsedMs: Math.round(performance.now() - startedMs) });
  }
}

const tellAs =
  (context: WorkContext, step: string, unit: 'bytes' | 'items'): Tell =>
  (done, total) =>
    context.onProgress({ step, done, total, unit });

function identify(input: FlashInput, run: FlashRun, board: BoardIdentity): void {
  run.chip = board.chip;
  run.boardId = board.boardId;
  run.board = boardReference(board.boardId, run.portInfo);
  const name = run.board === undefined ? '' : `, board ${run.board.id}`;
  run.recorder.note(`chip ${board.chip}, ${board.remark}${name}`);
  if (!board.isSupported || (input.expectChip && input.expectChip !== board.chip))
    throw problem(
      'wrong-chip',
      'This is the wrong chip',
      `${input.port} is ${board.chip}; expected ${input.expectChip ?? 'a chip that this protocol can flash'}.`,
      'Connect the right board; nothing was erased.',
      'gate',
    );
  if (input.expectBoard) checkBoard(input.port, run.board, input.expectBoard);
}

async function carryOut(work: FlashWork, flashing: Flashing): Promise<void> {
  const { context, run } = flashing;
  run.skippedBytes = work.skippedBytes;
  run.unchangedBytes = work.unchangedBytes;
  if (work.erase)
    await timed(flashing, 'erase', async () =>
      work.erase?.(tellAs(context, 'Erasing pages', 'items')),
    );
  const startedMs = performance.now();
  const tellWriting = tellAs(context, 'Writing', 'bytes');
  await timed(flashing, 'write', () =>
    work.write((done, total) => {
      run.bytesWritten = done;
      tellWriting(done, total);
    }),
  );
  run.bytesPerSec = Math.round(work.totalBytes / ((performance.now() - startedMs) / 1000));
  if (work.startsItself) run.recorder.startBootLog();
  run.verifyMethod = await timed(flashing, 'verify', () =>
    work.verify(tellAs(context, 'Verifying', 'bytes')),
  );
  run.verified = run.verifyMethod !== null;
  run.recorder.note(
    run.verifyMethod === null
      ? 'not verified: this protocol has no way to'
      : `verified ${work.totalBytes} bytes by ${verifyWords[run.verifyMethod]}`,
  );
}
