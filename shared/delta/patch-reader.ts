import { readBsdiffHeader, readBsdiffSteps } from './bsdiff-reader.ts';
import { readDetoolsHeader } from './detools-format.ts';
import { readDetoolsSteps } from './detools-reader.ts';
import { readInPlace } from './in-place-device.ts';
import { unknownPatch } from './patch-problems.ts';
import { rebuild } from './patch-steps.ts';
import { isVcdiff, readVcdiff } from './vcdiff-reader.ts';

/**
 * Rebuilds the target piece by piece; the format is found from the patch. The memory of a piece is used again for the
 * next one. `losesPower` lets the simulated device of an in-place patch lose its power within each step.
 * @throws ProblemError `patch-format` | `patch-corrupt` | `patch-source` | `patch-unsupported`
 */
export function* readPatch(
  source: Uint8Array,
  patch: Uint8Array,
  losesPower = false,
): Generator<Uint8Array> {
  const bsdiff = readBsdiffHeader(patch);
  if (bsdiff) return yield* rebuild(source, readBsdiffSteps(patch, bsdiff), 'zeros');
  if (isVcdiff(patch)) return yield* readVcdiff(source, patch);
  const detools = readDetoolsHeader(patch);
  if (!detools) throw unknownPatch();
  if (detools.place) return yield* readInPlace(source, patch, detools, losesPower);
  yield* rebuild(source, readDetoolsSteps(patch, detools), 'error');
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
