import { setTimeout as sleep } from 'node:timers/promises';
import type { FlashResult } from '../../../shared/domain/bench.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { ProblemError, problem, toProblem } from '../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { type Block, type FlashLayout, flashStart, layOut } from './flash-layout.ts';
import { Recorder } from './recorder.ts';
import { type OpenLink, openSerialPort } from './serial-link.ts';
import { type BootloaderIdentity, Stm32Bootloader, stm32Chips } from './stm32-bootloader.ts';

const bootWaitMs = 5000;
const versionPattern = /version\s+([\w.-]+)/i;

/** Where a run stands: kept also when it fails. */
export class FlashRun {
  readonly recorder = new Recorder();
  readonly startedMs = performance.now();
  chip = '';
  bytesWritten = 0;
  skippedBytes = 0;
  bytesPerSec = 0;
  verified = false;
  booted: FlashResult['booted'] = null;
}

/** What to flash and what to expect. */
export interface FlashInput {
  readonly port: string;
  readonly protocol: 'stm32';
  readonly image: FirmwareImage;
  readonly imageName: string;
  /** Name of the chip that must answer; nothing is erased when another one does. */
  readonly expectChip?: string;
  readonly expectVersion?: string;
  readonly baudRate: number;
  /** Where the serial recording goes, JSON Lines. */
  readonly recordingPath: string;
  readonly openLink?: OpenLink;
}

/**
 * Connects, identifies, erases the touched pages, writes, verifies by read-back, starts the image and reads its boot log.
 * What was reached is in `run`, and the serial recording is written, also when it throws.
 * @throws ProblemError `wrong-chip` | `image-outside-flash` | `verify-failed` | `port-lost` and bootloader problems
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
  const { chip, bytesWritten, skippedBytes, verified, booted, bytesPerSec } = run;
  return {
    protocol: input.protocol,
    chip,
    bytesWritten,
    skippedBytes,
    verified,
    booted,
    elapsedMs: Math.round(performance.now() - run.startedMs),
    bytesPerSec,
    recording: input.recordingPath,
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
  recorder.note(`${input.imageName} to ${input.port} at ${input.baudRate} baud 8E1`);
  const openLink = input.openLink ?? openSerialPort;
  const link = recorder.wrap(
    await openLink(input.port, { baudRate: input.baudRate, parity: 'even' }),
  );
  try {
    const bootloader = new Stm32Bootloader(link, input.port, context.signal);
    context.onProgress({ step: 'Connecting', done: 0, total: 0, unit: 'bytes' });
    const identity = await bootloader.connect();
    const chip = stm32Chips[identity.productId];
    run.chip = chip?.name ?? `unknown chip 0x${identity.productId.toString(16)}`;
    recorder.note(`chip ${run.chip}, bootloader version 0x${identity.version.toString(16)}`);
    if (!chip || (input.expectChip && input.expectChip !== chip.name)) {
      throw problem(
        'wrong-chip',
        'This is the wrong chip',
        `${input.port} is ${run.chip}; expected ${input.expectChip ?? 'a known STM32'}.`,
        'Connect the right board; nothing was erased.',
        'gate',
      );
    }
    const layout = layOut(input.image, chip);
    run.skippedBytes = layout.skippedBytes;
    await erase(bootloader, identity, layout, context);
    await write(bootloader, layout, run, context);
    await verify(bootloader, layout, run, context);
    recorder.startBootLog();
    await bootloader.go(layout.blocks[0]?.address ?? flashStart);
    run.booted = await watchBoot(recorder, input.expectVersion, context);
  } finally {
    await link.close();
  }
}

async function erase(
  bootloader: Stm32Bootloader,
  identity: BootloaderIdentity,
  { pages }: FlashLayout,
  context: WorkContext,
): Promise<void> {
  for (const [done, page] of pages.entries()) {
    context.onProgress({ step: 'Erasing pages', done, total: pages.length, unit: 'items' });
    await bootloader.erase(identity, [page]);
  }
}

async function write(
  bootloader: Stm32Bootloader,
  { blocks, total }: FlashLayout,
  run: FlashRun,
  context: WorkContext,
): Promise<void> {
  const startedMs = performance.now();
  for (const block of blocks) {
    await bootloader.write(block.address, block.bytes);
    run.bytesWritten += block.bytes.length;
    context.onProgress({ step: 'Writing', done: run.bytesWritten, total, unit: 'bytes' });
  }
  run.bytesPerSec = Math.round(total / ((performance.now() - startedMs) / 1000));
}

async function verify(
  bootloader: Stm32Bootloader,
  { blocks, total }: FlashLayout,
  run: FlashRun,
  context: WorkContext,
): Promise<void> {
  let done = 0;
  for (const block of blocks) {
    compare(block, await bootloader.read(block.address, block.bytes.length));
    done += block.bytes.length;
    context.onProgress({ step: 'Verifying', done, total, unit: 'bytes' });
  }
  run.verified = true;
  run.recorder.note(`verified ${total} bytes by read-back`);
}

function compare(block: Block, found: Uint8Array): void {
  const at = block.bytes.findIndex((byte, index) => byte !== found[index]);
  if (at < 0) return;
  const hex = (value: number | undefined): string => (value ?? 0).toString(16).padStart(2, '0');
  throw problem(
    'verify-failed',
    'The board does not hold what was written',
    `At 0x${(block.address + at).toString(16)}: expected ${hex(block.bytes[at])}, found ${hex(found[at])}.`,
    'Check write protection and the supply voltage; do not use this board.',
    'gate',
  );
}

async function watchBoot(
  recorder: Recorder,
  expectVersion: string | undefined,
  context: WorkContext,
): Promise<{ version: string | null; matched: boolean }> {
  const deadlineMs = performance.now() + bootWaitMs;
  for (;;) {
    // A line is complete only with its end, so that 1.1.0 is not taken for 1.1.
    const version = versionPattern.exec(recorder.bootLog.replace(/[^\n]*$/, ''))?.[1] ?? null;
    if (version !== null || performance.now() > deadlineMs)
      return { version, matched: expectVersion !== undefined && version === expectVersion };
    context.onProgress({ step: 'Waiting for the boot log', done: 0, total: 0, unit: 'bytes' });
    await sleep(20, undefined, { signal: context.signal });
  }
}
