import { readBsdiffHeader, readBsdiffSteps } from './bsdiff-reader.ts';
import { DecoderMemory } from './decoder-memory.ts';
import { readDetoolsHeader } from './detools-format.ts';
import { readDetoolsSteps } from './detools-reader.ts';
import { readHdiffHeader } from './hdiff-format.ts';
import { readHdiffSteps } from './hdiff-reader.ts';
import { readHpatchLiteHeader } from './hpatchlite-format.ts';
import { HpatchLiteBody } from './hpatchlite-reader.ts';
import { readInPlace } from './in-place-device.ts';
import { unknownPatch, wrongSource } from './patch-problems.ts';
import { rebuild } from './patch-steps.ts';
import { isVcdiff, readVcdiff } from './vcdiff-reader.ts';

/** How the device that applies a patch is simulated. */
export interface SimulatedDevice {
  /** Called whenever it has lost its power within a step of an update in place; without it the power never fails. */
  readonly onPowerLoss?: () => void;
  /** RAM of the decoder; not limited without it. */
  readonly memory?: DecoderMemory;
}

/**
 * Rebuilds the target piece by piece; the format is found from the patch. The memory of a piece is used again for the
 * next one.
 * @throws ProblemError `patch-format` | `patch-corrupt` | `patch-source` | `patch-unsupported` | `delta-ram`
 */
export function* readPatch(
  source: Uint8Array,
  patch: Uint8Array,
  { onPowerLoss, memory = new DecoderMemory() }: SimulatedDevice = {},
): Generator<Uint8Array> {
  const bsdiff = readBsdiffHeader(patch);
  if (bsdiff)
    return yield* rebuild(source, readBsdiffSteps(patch, bsdiff, memory), 'zeros', memory);
  if (isVcdiff(patch)) return yield* readVcdiff(source, patch, memory);
  const hdiff = readHdiffHeader(patch);
  if (hdiff) {
    if (source.length !== hdiff.sourceSizeBytes)
      throw wrongSource(
        `It was made from ${hdiff.sourceSizeBytes} bytes; this source has ${source.length}`,
      );
    return yield* rebuild(source, readHdiffSteps(patch, hdiff, memory), 'error', memory);
  }
  const lite = readHpatchLiteHeader(patch);
  if (lite) {
    const steps = new HpatchLiteBody(patch, lite, memory).steps();
    return yield* rebuild(source, steps, 'error', memory);
  }
  const detools = readDetoolsHeader(patch);
  if (!detools) throw unknownPatch();
  if (detools.place) return yield* readInPlace(source, patch, detools, memory, onPowerLoss);
  yield* rebuild(source, readDetoolsSteps(patch, detools, memory), 'error', memory);
}

/** Rebuilds the target in memory. @throws ProblemError as {@link readPatch} */
export function applyPatch(source: Uint8Array, patch: Uint8Array): Uint8Array {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for (const piece of readPatch(source, patch)) {
    pieces.push(piece.slice());
    size += piece.length;
  }
  const target = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    target.set(piece, at);
    at += piece.length;
  }
  return target;
}
