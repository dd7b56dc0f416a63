import type { BootResult, FlashResult } from '../../../shared/domain/bench.ts';
import type { BaudFallback } from '../../../shared/domain/connection.ts';
import {
  type Protocol,
  type VerifyMethod,
  verifyWords,
} from '../../../shared/domain/bench-names.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { ProblemError, problem, toProblem } from '../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { bootResult, watchBoot } from './boot-watch.ts';
import { ByteChannel } from './byte-channel.ts';
import { FlashConnection } from './connection/flash-connection.ts';
import type { BoardIdentity, FlashWork, Tell } from './flasher.ts';
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
  /** Leave sectors that the board holds already. */
  readonly changedOnly?: boolean;
  /** The way to the board; absent: the protocol's own reset, nothing remembered. */
  readonly connection?: FlashConnection;
  /** Where the serial recording goes, JSON Lines. */
  readonly recordingPath: string;
  readonly openLink?: OpenLink;
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
  const openLink = input.openLink ?? openSerialPort;
  const opened = recorder.wrap(await openLink(input.port, options));
  const link = connection.wrap(opened, (text) => recorder.note(text));
  try {
    const channel = new ByteChannel(link, input.port, context.signal);
    const flasher = await open(channel, {
      changedOnly: input.changedOnly ?? false,
      baudRate,
      connectBaudRate: options.baudRate,
      ...(input.url === undefined ? {} : { url: input.url }),
    });
    context.onProgress({ step: 'Connecting', done: 0, total: 0, unit: 'bytes' });
    // Only from a speed that was asked for, or that the bootloader must find out by itself.
    const mayFallBack =
      workBaudRate === undefined && (input.baudRate !== undefined || input.protocol === 'stm32');
    identify(input, run, await connection.connect(() => flasher.connect(), { link, mayFallBack }));
    run.baudFallback = connection.fallback;
    const work = await flasher.plan(input.image, tellAs(context, 'Comparing sectors', 'items'));
    await carryOut(work, run, context);
    if (!work.startsItself) recorder.startBootLog();
    await work.start();
    context.onProgress({ step: 'Waiting for the boot log', done: 0, total: 0, unit: 'bytes' });
    run.booted = work.askVersion
      ? bootResult(await work.askVersion(), input.expectVersion)
      : await watchBoot({
          recorder,
          expectVersion: input.expectVersion,
          signal: context.signal,
        });
  } finally {
    await link.close();
  }
}

const tellAs =
  (context: WorkContext, step: string, unit: 'bytes' | 'items'): Tell =>
  (done, total) =>
    context.onProgress({ step, done, total, unit });

function identify(input: FlashInput, run: FlashRun, board: BoardIdentity): void {
  run.chip = board.chip;
  run.boardId = board.boardId;
  run.recorder.note(`chip ${board.chip}, ${board.remark}`);
  if (board.isSupported && (!input.expectChip || input.expectChip === board.chip)) return;
  throw problem(
    'wrong-chip',
    'This is the wrong chip',
    `${input.port} is ${board.chip}; expected ${input.expectChip ?? 'a chip that this protocol can flash'}.`,
    'Connect the right board; nothing was erased.',
    'gate',
  );
}

async function carryOut(work: FlashWork, run: FlashRun, context: WorkContext): Promise<void> {
  run.skippedBytes = work.skippedBytes;
  run.unchangedBytes = work.unchangedBytes;
  await work.erase?.(tellAs(context, 'Erasing pages', 'items'));
  const startedMs = performance.now();
  const tellWriting = tellAs(context, 'Writing', 'bytes');
  await work.write((done, total) => {
    run.bytesWritten = done;
    tellWriting(done, total);
  });
  run.bytesPerSec = Math.round(work.totalBytes / ((performance.now() - startedMs) / 1000));
  if (work.startsItself) run.recorder.startBootLog();
  run.verifyMethod = await work.verify(tellAs(context, 'Verifying', 'bytes'));
  run.verified = run.verifyMethod !== null;
  run.recorder.note(
    run.verifyMethod === null
      ? 'not verified: this protocol has no way to'
      : `verified ${work.totalBytes} bytes by ${verifyWords[run.verifyMethod]}`,
  );
}
