import type { ImageSegment } from '../../../shared/domain/finding.ts';
import { readVectorTable } from '../../../shared/formats/cortex-m.ts';
import { hexAddress, type Report } from '../../../shared/formats/report.ts';

/** A named piece of the component's memory. */
export interface MemoryRegion {
  readonly name: string;
  readonly start: number;
  readonly sizeBytes: number;
}

/** Where boot memory is mirrored on many chips: images linked there say nothing about the slot. */
const bootAliasEnd = 0x0010_0000;

function describe(regions: readonly MemoryRegion[]): string {
  return regions
    .map(({ name, start, sizeBytes }) => {
      return `${name} ${hexAddress(start)}–${hexAddress(start + sizeBytes - 1)}`;
    })
    .join(', ');
}

/** Regions that touch count as one. */
function mergedRanges(regions: readonly MemoryRegion[]): { start: number; end: number }[] {
  const ranges: { start: number; end: number }[] = [];
  for (const { start, sizeBytes } of [...regions].sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, start + sizeBytes);
    else ranges.push({ start, end: start + sizeBytes });
  }
  return ranges;
}

/** Checks that every segment lies in the memory of the component. */
export function checkSegments(
  segments: readonly ImageSegment[],
  regions: readonly MemoryRegion[],
  report: Report,
): void {
  const ranges = mergedRanges(regions);
  const expected = describe(regions);
  let outside = 0;
  for (const { start, sizeBytes } of segments) {
    const end = start + sizeBytes;
    if (ranges.some((range) => start >= range.start && end <= range.end)) continue;
    outside += 1;
    const found = `${hexAddress(start)}–${hexAddress(end - 1)}`;
    report('image.outside-memory', `${sizeBytes} bytes at ${found}`, { expected, found });
  }
  if (outside === 0 && segments.length > 0) {
    report('image.fits-memory', `${segments.length} segments inside ${expected}`);
  }
}

/** Checks that some memory is large enough for an image without addresses; true when it is or none is known. */
export function checkSize(
  sizeBytes: number,
  regions: readonly MemoryRegion[],
  report: Report,
): boolean {
  const largestBytes = Math.max(...mergedRanges(regions).map(({ start, end }) => end - start));
  if (regions.length === 0 || sizeBytes <= largestBytes) return true;
  report('image.outside-memory', `${sizeBytes} bytes are more than any memory region holds`, {
    expected: `at most ${largestBytes} bytes`,
    found: `${sizeBytes} bytes`,
  });
  return false;
}

/** Checks the vector table of a raw Cortex-M image, and its link address and size if memory is known. */
export function checkRawImage(
  head: Uint8Array,
  sizeBytes: number,
  regions: readonly MemoryRegion[],
  report: Report,
): void {
  const vectors = readVectorTable(head);
  if (vectors !== null) {
    const { stackPointer, resetHandler } = vectors;
    report(
      'image.vector-table',
      `stack pointer ${hexAddress(stackPointer)}, reset handler ${hexAddress(resetHandler)}`,
      { offset: 0 },
    );
  }
  if (!checkSize(sizeBytes, regions, report) || vectors === null || regions.length === 0) return;
  const expected = describe(regions);
  const linked = vectors.resetHandler - 1;
  const inside = mergedRanges(regions).some(({ start, end }) => linked >= start && linked < end);
  if (inside) report('image.fits-memory', `linked inside ${expected}`);
  else if (linked >= bootAliasEnd) {
    const found = hexAddress(linked);
    report('image.outside-memory', `the reset handler is at ${found}`, {
      offset: 4,
      expected,
      found,
    });
  }
}
