import type { ImageSegment, InspectedFile } from './finding.ts';

/** Formats whose addresses are those that a loader or a cache maps, not where the bytes are stored. */
const mapped: ReadonlySet<string> = new Set(['esp-image', 'uimage', 'fit']);

/** Where the bytes of a file are stored in the target's memory; empty when it does not say so. */
export const storedSegments = ({
  format,
  segments = [],
}: Pick<InspectedFile, 'format' | 'segments'>): readonly ImageSegment[] =>
  mapped.has(format) ? [] : segments;

/** The first run of addresses that both lists claim, and how many bytes they share; null for none. */
export function addressOverlap(
  one: readonly ImageSegment[],
  other: readonly ImageSegment[],
): { readonly first: ImageSegment; readonly sizeBytes: number } | null {
  const shared = one
    .flatMap((a) => other.flatMap((b) => intersection(a, b)))
    .sort((a, b) => a.start - b.start);
  const [first] = shared;
  if (first === undefined) return null;
  return { first, sizeBytes: shared.reduce((sum, run) => sum + run.sizeBytes, 0) };
}

function intersection(a: ImageSegment, b: ImageSegment): ImageSegment[] {
  const start = Math.max(a.start, b.start);
  const end = Math.min(a.start + a.sizeBytes, b.start + b.sizeBytes);
  return end > start ? [{ start, sizeBytes: end - start }] : [];
}
