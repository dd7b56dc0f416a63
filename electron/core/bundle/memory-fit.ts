import type { ImageSegment } from '../../../shared/domain/finding.ts';
import type { MemoryRegion } from '../../../shared/domain/product.ts';
import { readVectorTable } from '../../../shared/formats/cortex-m.ts';
import { hexAddress, type Report } from '../../../shared/formats/report.ts';

/** Where boot memory is mirrored on many chips: images linked there say nothing about the slot. */
const bootAliasEnd = 0x0010_0000;

interface Range {
  readonly start: number;
  end: number;
}

function describe(regions: readonly MemoryRegion[]): string {
  return regions
    .map(({ name, start, sizeBytes }) => {
      return `${name} ${hexAddress(start)}–${hexAddress(start + sizeBytes - 1)}`;
    })
    .join(', ');
}

/** Regions that touch count as one. */
function mergedRanges(regions: readonly MemoryRegion[]): Range[] {
  const ranges: Range[] = [];
  for (const { start, sizeBytes } of [...regions].sort((a, b) => a.start - b.start)) {
    const last = ranges.at(-1);
    if (last !== undefined && start <= last.end) last.end = Math.max(last.end, start + sizeBytes);
    else ranges.push({ start, end: start + sizeBytes });
  }
  return ranges;
}

const withRole = (
  regions: readonly MemoryRegion[],
  ...roles: readonly MemoryRegion['role'][]
): MemoryRegion[] => regions.filter(({ role }) => roles.includes(role));

/** Where an image may lie: each slot for itself and without its trailer, or the memory that is neither boot loader nor RAM. */
function homes(regions: readonly MemoryRegion[]): Range[] {
  const slots = withRole(regions, 'slot').map(({ start, sizeBytes, trailerBytes = 0 }) => ({
    start,
    end: start + sizeBytes - trailerBytes,
  }));
  const apps = mergedRanges(withRole(regions, 'app'));
  if (slots.length + apps.length > 0) return [...slots, ...apps];
  return mergedRanges(withRole(regions, 'other', undefined));
}

const isWithin = (ranges: readonly Range[], address: number): boolean =>
  ranges.some(({ start, end }) => address >= start && address < end);

/** Checks that every segment lies in the memory of the component, and where an image may lie. */
export function checkSegments(
  segments: readonly ImageSegment[],
  regions: readonly MemoryRegion[],
  report: Report,
): void {
  // Where only the RAM is described, nothing is known of the flash.
  const ranges = homes(regions).length === 0 ? [] : mergedRanges(regions);
  const expected = describe(regions);
  let wrong = 0;
  for (const { start, sizeBytes } of segments) {
    const end = start + sizeBytes;
    if (ranges.length === 0) break;
    if (ranges.some((range) => start >= range.start && end <= range.end)) continue;
    wrong += 1;
    const found = `${hexAddress(start)}–${hexAddress(end - 1)}`;
    report('image.outside-memory', `${sizeBytes} bytes at ${found}`, { expected, found });
  }
  for (const segment of segments) wrong += checkRoles(segment, regions, report);
  if (wrong === 0 && segments.length > 0 && ranges.length > 0) {
    report('image.fits-memory', `${segments.length} segments inside ${expected}`);
  }
}

/** The number of things that are wrong with the place of a segment. */
function checkRoles(
  { start, sizeBytes }: ImageSegment,
  regions: readonly MemoryRegion[],
  report: Report,
): number {
  const end = start + sizeBytes;
  let wrong = 0;
  for (const region of regions) {
    const regionEnd = region.start + region.sizeBytes;
    const first = region.role === 'slot' ? regionEnd - (region.trailerBytes ?? 0) : region.start;
    const rule = roleRules.get(region.role);
    if (rule === undefined || start >= regionEnd || end <= first) continue;
    wrong += 1;
    const found = `${hexAddress(start)}–${hexAddress(end - 1)}`;
    const kept = `${hexAddress(first)}–${hexAddress(regionEnd - 1)}`;
    const detail = `${found} touches ${region.name}, ${kept}`;
    report(rule, detail, { expected: `nothing at ${kept}`, found });
  }
  return wrong;
}

type RoleRule = 'image.touches-bootloader' | 'image.touches-ram' | 'image.over-trailer';

const roleRules: ReadonlyMap<MemoryRegion['role'], RoleRule> = new Map<
  MemoryRegion['role'],
  RoleRule
>([
  ['bootloader', 'image.touches-bootloader'],
  ['ram', 'image.touches-ram'],
  ['slot', 'image.over-trailer'],
]);

/** Checks that some memory is large enough for an image without addresses; true when it is or none is known. */
export function checkSize(
  sizeBytes: number,
  regions: readonly MemoryRegion[],
  report: Report,
): boolean {
  const sizes = homes(regions).map(({ start, end }) => end - start);
  const largestBytes = Math.max(...sizes);
  if (sizes.length === 0 || sizeBytes <= largestBytes) return true;
  const slots = withRole(regions, 'slot');
  const evidence = { expected: `at most ${largestBytes} bytes`, found: `${sizeBytes} bytes` };
  if (slots.some((slot) => sizeBytes <= slot.sizeBytes)) {
    report('image.over-trailer', `${sizeBytes} bytes reach into the trailer`, evidence);
  } else {
    const detail = `${sizeBytes} bytes are more than any memory region holds`;
    report('image.outside-memory', detail, evidence);
  }
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
  if (checkSize(sizeBytes, regions, report)) checkLink(head, 0, regions, report);
}

/**
 * Checks that an image with a vector table at `offset` is linked for where an image may lie, and
 * its stack for the RAM. Says nothing without a vector table or memory.
 */
export function checkLink(
  vectorTable: Uint8Array,
  offset: number,
  regions: readonly MemoryRegion[],
  report: Report,
): void {
  const vectors = readVectorTable(vectorTable);
  if (vectors === null || regions.length === 0) return;
  const linked = vectors.resetHandler - 1;
  const found = hexAddress(linked);
  const expected = describe(regions);
  const evidence = { offset: offset + 4, expected, found };
  const hostile = regions.find(({ role, start, sizeBytes }) => {
    return (
      (role === 'bootloader' || role === 'ram') && linked >= start && linked < start + sizeBytes
    );
  });
  const rule = roleRules.get(hostile?.role);
  const places = homes(regions);
  if (hostile !== undefined && rule !== undefined) {
    report(rule, `it is linked for ${hostile.name}: the reset handler is at ${found}`, evidence);
  } else if (isWithin(places, linked)) {
    report('image.fits-memory', `linked inside ${expected}`);
  } else if (places.length > 0 && linked >= bootAliasEnd) {
    report('image.outside-memory', `the reset handler is at ${found}`, evidence);
  }
  checkStack(vectors.stackPointer, offset, withRole(regions, 'ram'), report);
}

/** The stack grows down from its first address, which may be the one after the RAM. */
function checkStack(
  stackPointer: number,
  offset: number,
  ram: readonly MemoryRegion[],
  report: Report,
): void {
  if (ram.length === 0) return;
  const isInside = mergedRanges(ram).some(
    ({ start, end }) => stackPointer > start && stackPointer <= end,
  );
  if (isInside) return;
  const found = hexAddress(stackPointer);
  const expected = describe(ram);
  report('image.stack-outside-ram', `it is ${found}`, { offset, expected, found });
}
