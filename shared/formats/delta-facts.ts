import type { ImageFacts } from './image-facts.ts';
import type { Report } from './report.ts';
import { ContentEnd, NumberTooLarge } from './source-cursor.ts';

/** Largest image that a patch may announce: no device that this program serves holds more. */
const largestImageBytes = 4 * 1024 * 1024 * 1024;

/** What the header of a patch announces; sizes that it does not tell are left out. */
export interface DeltaSizes {
  readonly format: string;
  readonly targetBytes: number;
  /** Where the target size stands in the patch. */
  readonly targetAt: number;
  readonly sourceBytes?: number;
  /** What else the header says. */
  readonly details: readonly string[];
}

/**
 * Tells what a patch announces and that its content was not applied; null after a blocking report
 * about sizes that no image has.
 */
export function tellDelta(sizes: DeltaSizes, report: Report): ImageFacts | null {
  const { format, targetBytes, targetAt, sourceBytes, details } = sizes;
  if (targetBytes > largestImageBytes || (sourceBytes ?? 0) > largestImageBytes) {
    report('patch.absurd', `${format}: ${Math.max(targetBytes, sourceBytes ?? 0)} bytes`, {
      offset: targetAt,
      expected: `at most ${largestImageBytes} bytes`,
    });
    return null;
  }
  if (targetBytes === 0) {
    report('patch.absurd', `${format}: it makes an empty image`, {
      offset: targetAt,
      found: '0 bytes',
    });
    return null;
  }
  const source = sourceBytes === undefined ? 'a source of unknown size' : `${sourceBytes} bytes`;
  report(
    'patch.header',
    [`${format}: makes ${targetBytes} bytes from ${source}`, ...details].join(', '),
    {
      offset: targetAt,
    },
  );
  report('patch.not-applied', `${format}: only its header was read`);
  return {
    summary: `${format}: the header and the lengths agree with the file`,
    segments: [],
    compressed: true,
    identity: {
      patch: { targetBytes, ...(sourceBytes === undefined ? {} : { sourceBytes }) },
    },
  };
}

/** Told when a header contradicts itself or the file. */
export class DeltaDamage extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

/** Turns what a walk over a patch throws into a finding. Other errors pass on. */
export async function withDeltaFindings<T>(
  format: string,
  report: Report,
  walk: () => Promise<T>,
): Promise<T | null> {
  try {
    return await walk();
  } catch (error) {
    if (error instanceof ContentEnd) {
      report('patch.truncated', `${format}: it ends inside what it announces`, {
        offset: error.offset,
      });
    } else if (error instanceof DeltaDamage) {
      report('patch.damaged', `${format}: ${error.message}`, { offset: error.offset });
    } else if (error instanceof NumberTooLarge) {
      report('patch.damaged', `${format}: a length is absurd`, { offset: error.offset });
    } else throw error;
    return null;
  }
}
