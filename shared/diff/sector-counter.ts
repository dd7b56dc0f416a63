import type { ImageDiff, TouchedSector } from '../domain/image-diff.ts';
import type { MemoryRegion } from '../domain/product.ts';

type Sector = { -readonly [K in keyof TouchedSector]: TouchedSector[K] };

/** Counts sectors as they are told in ascending order: those that hold content, and those with a byte that differs. */
export class SectorCounter {
  readonly #sizeBytes: number;
  readonly #limit: number;
  readonly #regions: readonly MemoryRegion[];
  readonly #ofRegion = new Map<string, { total: number; touched: number; changedBytes: number }>();
  readonly #listed: Sector[] = [];
  #covered: Sector | null = null;
  #touched: Sector | null = null;
  #total = 0;
  #touchedCount = 0;

  constructor(sizeBytes: number, regions: readonly MemoryRegion[], limit: number) {
    this.#sizeBytes = sizeBytes;
    this.#limit = limit;
    this.#regions = [...regions].sort((a, b) => a.start - b.start);
    for (const { name } of regions)
      this.#ofRegion.set(name, { total: 0, touched: 0, changedBytes: 0 });
  }

  /** Addresses that hold content. */
  cover(start: number, end: number): void {
    for (let at = start; at < end; ) {
      if (!this.#covered || at >= endOf(this.#covered)) {
        this.#covered = this.#sectorAt(at);
        this.#total++;
        const region = this.#ofRegion.get(this.#covered.region ?? '');
        if (region) region.total++;
      }
      at = endOf(this.#covered);
    }
  }

  /** Addresses at which the images differ. */
  touch(start: number, end: number): void {
    for (let at = start; at < end; ) {
      let sector = this.#touched;
      const isNew = !sector || at >= endOf(sector);
      if (!sector || isNew) {
        sector = this.#sectorAt(at);
        this.#touched = sector;
        this.#touchedCount++;
        if (this.#listed.length < this.#limit) this.#listed.push(sector);
      }
      const to = Math.min(end, endOf(sector));
      sector.changedBytes += to - at;
      const region = this.#ofRegion.get(sector.region ?? '');
      if (region) {
        region.changedBytes += to - at;
        if (isNew) region.touched++;
      }
      at = to;
    }
  }

  finish(): Omit<ImageDiff['sectors'], 'from'> {
    return {
      sizeBytes: this.#sizeBytes,
      total: this.#total,
      touched: this.#touchedCount,
      listed: this.#listed,
      regions: [...this.#ofRegion].map(([name, counts]) => ({ name, ...counts })),
    };
  }

  /** Sectors are counted from the start of their region, or from address 0 outside of all. */
  #sectorAt(address: number): Sector {
    const region = this.#regions.find(
      ({ start, sizeBytes }) => address >= start && address < start + sizeBytes,
    );
    const base = region?.start ?? 0;
    const next = this.#regions.find(({ start }) => start > address);
    const limit = region ? region.start + region.sizeBytes : (next?.start ?? Infinity);
    const start = base + Math.floor((address - base) / this.#sizeBytes) * this.#sizeBytes;
    const end = Math.min(start + this.#sizeBytes, limit);
    return { start, sizeBytes: end - start, changedBytes: 0, region: region?.name ?? null };
  }
}

const endOf = ({ start, sizeBytes }: Sector): number => start + sizeBytes;
