import type { ImageSegment } from '../domain/finding.ts';

/** Bytes of one row of a hex view; areas consist of whole rows. */
export const rowBytes = 16;
/** Holes up to this size do not part an area. */
const smallestGapBytes = 256;
const mostAreas = 1024;

/** Joins neighbours that are no further apart than `gapBytes`; the ranges ascend and do not overlap. */
function joined(ranges: readonly ImageSegment[], gapBytes: number): ImageSegment[] {
  const result: { start: number; sizeBytes: number }[] = [];
  for (const { start, sizeBytes } of ranges) {
    const last = result.at(-1);
    if (last && start - (last.start + last.sizeBytes) <= gapBytes)
      last.sizeBytes = Math.max(last.sizeBytes, start + sizeBytes - last.start);
    else result.push({ start, sizeBytes });
  }
  return result;
}

/** The parts of the address space that either image fills: whole rows, small holes inside, at most 1,024. */
export function areasOf(
  older: readonly ImageSegment[],
  newer: readonly ImageSegment[],
): readonly ImageSegment[] {
  const rows = [...older, ...newer]
    .map(({ start, sizeBytes }) => {
      const from = start - (start % rowBytes);
      return {
        start: from,
        sizeBytes: Math.ceil((start + sizeBytes - from) / rowBytes) * rowBytes,
      };
    })
    .sort((a, b) => a.start - b.start);
  let gapBytes = smallestGapBytes;
  let areas = joined(rows, gapBytes);
  while (areas.length > mostAreas) {
    gapBytes *= 2;
    areas = joined(areas, gapBytes);
  }
  return areas;
}

/** An address space of several areas laid end to end, so that a place in it is one number. */
export class AreaMap {
  readonly areas: readonly ImageSegment[];
  readonly sizeBytes: number;
  /** Offset at which each area begins. */
  readonly #offsets: readonly number[];

  constructor(areas: readonly ImageSegment[]) {
    this.areas = areas;
    const offsets: number[] = [];
    let sum = 0;
    for (const { sizeBytes } of areas) {
      offsets.push(sum);
      sum += sizeBytes;
    }
    this.#offsets = offsets;
    this.sizeBytes = sum;
  }

  /** The address at an offset below the size. */
  addressAt(offset: number): number {
    const index = lastAtMost(this.#offsets, (value) => value, offset);
    return (this.areas[index]?.start ?? 0) + offset - (this.#offsets[index] ?? 0);
  }

  /** The offset of an address; null for one in no area. */
  offsetOf(address: number): number | null {
    const index = lastAtMost(this.areas, ({ start }) => start, address);
    const area = this.areas[index];
    if (!area || address < area.start || address >= area.start + area.sizeBytes) return null;
    return (this.#offsets[index] ?? 0) + address - area.start;
  }

  /** The stretches of addresses that lie at so many bytes from an offset on. */
  stretches(
    from: number,
    sizeBytes: number,
  ): readonly { readonly offset: number; readonly address: number; readonly sizeBytes: number }[] {
    const to = Math.min(this.sizeBytes, from + sizeBytes);
    const result: { offset: number; address: number; sizeBytes: number }[] = [];
    let index = lastAtMost(this.#offsets, (value) => value, from);
    for (let offset = from; offset < to; index++) {
      const end = this.#offsets[index + 1] ?? this.sizeBytes;
      const size = Math.min(to, end) - offset;
      result.push({ offset, address: this.addressAt(offset), sizeBytes: size });
      offset += size;
    }
    return result;
  }

  /** Offsets at which an area begins, but the first: the addresses jump there. */
  get jumps(): readonly number[] {
    return this.#offsets.slice(1);
  }
}

/** Index of the last item whose value is at most `wanted`; the values ascend. -1 when there is none. */
export function lastAtMost<T>(
  items: readonly T[],
  valueOf: (item: T) => number,
  wanted: number,
): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (valueOf(items[middle] as T) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
