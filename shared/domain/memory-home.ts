import type { MemoryRegion } from './product.ts';

/** The region that an image without addresses is for: a slot, an application, else what is neither boot loader nor RAM. */
export function homeRegion(regions: readonly MemoryRegion[]): MemoryRegion | undefined {
  const isFor = (role: MemoryRegion['role']): MemoryRegion | undefined =>
    regions.find((region) => region.role === role);
  const plain = regions.find(({ role }) => role !== 'bootloader' && role !== 'ram');
  return isFor('slot') ?? isFor('app') ?? plain ?? regions[0];
}

const rawFormats: ReadonlySet<string> = new Set(['cortex-m', 'mcuboot', 'esp-image']);

/** Whether images of a format lie in memory as they are, without saying where; files of no known format may. */
export const isRawFormat = (format: string): boolean => rawFormats.has(format);
