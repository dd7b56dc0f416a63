import { problem } from '../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';

/** The bytes of an image that is sent as one file. @throws ProblemError `wrong-image` when it has addresses */
export function wholeFile({ segments }: FirmwareImage): Uint8Array {
  const [only] = segments;
  if (only && only.address === null && segments.length === 1) return only.bytes;
  throw problem(
    'wrong-image',
    'This protocol sends a file as it is',
    'The image has addresses.',
    'Choose the file that the bootloader expects, usually a raw binary.',
    'gate',
  );
}
