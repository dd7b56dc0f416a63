import { type ProblemError, problem } from '../domain/problem.ts';
import { DeltaDamage } from '../formats/delta-facts.ts';
import { ContentEnd, NumberTooLarge } from '../formats/source-cursor.ts';

/** Largest target that a patch may announce, in bytes. */
export const maxTargetBytes = 512 * 1024 * 1024;

/** So many operations in a row may do nothing: a stream of them could be endless. */
export const mostEmptyOperations = 64;

/** A patch that contradicts itself or its format; nothing may be written from it. */
export const corruptPatch = (offset: number, why: string): ProblemError =>
  problem(
    'patch-corrupt',
    'The patch is damaged',
    `At offset ${offset}: ${why}.`,
    'Get the patch again; nothing was written.',
  );

/** A patch that reads what its source does not have. */
export const wrongSource = (why: string): ProblemError =>
  problem(
    'patch-source',
    'The patch does not belong to this source',
    `${why}.`,
    'Choose the image that the patch was made from; nothing was written.',
  );

/** A file that begins like none of the patch formats that can be applied. */
export const unknownPatch = (): ProblemError =>
  problem(
    'patch-format',
    'This is not a patch that Slipway can read',
    'The first bytes are neither those of BSDIFF40, ENDSLEY/BSDIFF43, VCDIFF, HDIFF13 and HPatchLite, nor a detools header.',
    'Choose a patch that Slipway, bsdiff, xdelta3, hdiffz, hdiffi or detools made.',
    'usage',
  );

/** A patch of a known format that uses a part of it which Slipway does not have. */
export const unsupportedPatch = (what: string): ProblemError =>
  problem(
    'patch-unsupported',
    'The patch uses something that Slipway does not read',
    `${what}.`,
    'Apply it with the tool that made it.',
    'usage',
  );

/** @throws ProblemError `patch-corrupt` when the size is negative or beyond reason */
export function checkTargetSize(sizeBytes: number, offset: number): void {
  if (!(sizeBytes >= 0 && sizeBytes <= maxTargetBytes))
    throw corruptPatch(offset, `the target size ${sizeBytes} is absurd`);
}

/** Tells what a reader of files throws at a header as a problem of a patch that is to be applied. @throws ProblemError `patch-corrupt` */
export function readHead<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ContentEnd) throw corruptPatch(error.offset, 'the header ends early');
    if (error instanceof NumberTooLarge)
      throw corruptPatch(error.offset, 'a size is absurdly long');
    if (error instanceof DeltaDamage) throw corruptPatch(error.offset, error.message);
    throw error;
  }
}
