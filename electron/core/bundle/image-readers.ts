import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { readElf } from '../../../shared/formats/elf.ts';
import { readEspImage } from '../../../shared/formats/esp-image.ts';
import { readFit } from '../../../shared/formats/fit.ts';
import type { ImageFacts } from '../../../shared/formats/image-facts.ts';
import { readUf2 } from '../../../shared/formats/uf2.ts';
import { readUimage } from '../../../shared/formats/uimage.ts';
import { startHash } from '../../files/start-hash.ts';
import type { FindingList } from './finding-list.ts';
import { checkSegments, checkSize, type MemoryRegion } from './memory-fit.ts';

/** What the component that an image is for is known to be. */
export interface ImageTarget {
  readonly chip?: string;
  readonly component?: 'module' | 'mcu';
  readonly memory: readonly MemoryRegion[];
}

/** Formats that {@link readImage} reads. */
export const readableImages: ReadonlySet<string> = new Set([
  'esp-image',
  'uf2',
  'uimage',
  'elf',
  'fit',
]);

/** Formats whose addresses are those of the memory that the bytes are written to. */
const physical: ReadonlySet<string> = new Set(['uf2', 'elf']);

/**
 * Reads an image of a format that has a reader of its own; null when the format has none or the
 * image is damaged, which the findings tell. `onData` gets the content of a format that breaks it
 * into blocks, so that a text across two blocks is found.
 */
export async function readImage(
  format: string,
  source: ByteSource,
  target: ImageTarget,
  findings: FindingList,
  onData: (bytes: Uint8Array) => void,
): Promise<ImageFacts | null> {
  const facts = await readByFormat(format, source, target, findings, onData);
  // An ELF file of an ESP chip names the addresses that the cache maps, not those of the flash.
  const isMapped = format === 'elf' && /esp/i.test(target.chip ?? '');
  if (facts !== null && physical.has(format) && !isMapped && target.memory.length > 0) {
    checkSegments(facts.segments, target.memory, findings.add);
  }
  if (facts !== null && !findings.blocked) findings.add('container.integrity', facts.summary);
  return facts;
}

async function readByFormat(
  format: string,
  source: ByteSource,
  { chip, component, memory }: ImageTarget,
  findings: FindingList,
  onData: (bytes: Uint8Array) => void,
): Promise<ImageFacts | null> {
  switch (format) {
    case 'esp-image': {
      // Its addresses are those that the cache maps, not those of the flash: only the size can fit.
      if (component === 'mcu') checkSize(source.sizeBytes, memory, findings.add);
      return readEspImage(source, findings.add, startHash, chip);
    }
    case 'uf2':
      return readUf2(source, findings.add, startHash, onData);
    case 'uimage':
      return readUimage(source, findings.add);
    case 'elf':
      return readElf(source, findings.add);
    case 'fit':
      return readFit(source, findings.add, startHash);
    default:
      return null;
  }
}
