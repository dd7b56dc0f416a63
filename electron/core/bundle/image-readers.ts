import type { MemoryRegion } from '../../../shared/domain/product.ts';
import { readAndroidPayload } from '../../../shared/formats/android-payload.ts';
import { readBsdiff40Header, readBsdiff43Header } from '../../../shared/formats/bsdiff-header.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { readDetoolsPatch } from '../../../shared/formats/detools-header.ts';
import { readElf } from '../../../shared/formats/elf.ts';
import { readEspImage } from '../../../shared/formats/esp-image.ts';
import { readFit } from '../../../shared/formats/fit.ts';
import { readHdiffHeader } from '../../../shared/formats/hdiff-header.ts';
import { readHpatchLitePatch } from '../../../shared/formats/hpatchlite-header.ts';
import type { ImageFacts } from '../../../shared/formats/image-facts.ts';
import { readMpy } from '../../../shared/formats/mpy.ts';
import { readPac } from '../../../shared/formats/pac.ts';
import { processorsOf } from '../../../shared/formats/processor.ts';
import { readUf2 } from '../../../shared/formats/uf2.ts';
import { readUimage } from '../../../shared/formats/uimage.ts';
import { readVcdiffHeader } from '../../../shared/formats/vcdiff-header.ts';
import { startHash } from '../../files/start-hash.ts';
import type { FindingList } from './finding-list.ts';
import { checkSegments, checkSize } from './memory-fit.ts';

/** What the component that an image is for is known to be. */
export interface ImageTarget {
  readonly chip?: string;
  readonly component?: 'module' | 'mcu';
  readonly memory: readonly MemoryRegion[];
}

type ImageReader = (
  source: ByteSource,
  report: FindingList['add'],
  target: ImageTarget,
  onData: (bytes: Uint8Array) => void,
) => Promise<ImageFacts | null>;

const readers: ReadonlyMap<string, ImageReader> = new Map<string, ImageReader>([
  [
    'esp-image',
    (source, report, { chip, component, memory }) => {
      // Its addresses are those that the cache maps, not those of the flash: only the size can fit.
      if (component === 'mcu') checkSize(source.sizeBytes, memory, report);
      return readEspImage(source, report, startHash, chip);
    },
  ],
  ['uf2', (source, report, { chip }, onData) => readUf2(source, report, startHash, onData, chip)],
  ['uimage', (source, report) => readUimage(source, report, startHash)],
  ['elf', (source, report) => readElf(source, report)],
  ['fit', (source, report) => readFit(source, report, startHash)],
  ['pac', (source, report) => readPac(source, report)],
  ['mpy', (source, report) => readMpy(source, report)],
  ['bsdiff40', (source, report) => readBsdiff40Header(source, report)],
  ['bsdiff43', (source, report) => readBsdiff43Header(source, report)],
  ['vcdiff', (source, report) => readVcdiffHeader(source, report)],
  ['hdiff', (source, report) => readHdiffHeader(source, report)],
  ['detools', (source, report) => readDetoolsPatch(source, report)],
  ['hpatchlite', (source, report) => readHpatchLitePatch(source, report)],
  ['android-payload', (source, report) => readAndroidPayload(source, report)],
]);

/** Formats that {@link readImage} reads. */
export const readableImages: ReadonlySet<string> = new Set(readers.keys());

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
  const facts = (await readers.get(format)?.(source, findings.add, target, onData)) ?? null;
  if (facts === null) return null;
  const { chip = '', memory } = target;
  // An ELF file of an ESP chip names the addresses that the cache maps, not those of the flash.
  const isMapped = format === 'elf' && /esp/i.test(chip);
  if (physical.has(format) && !isMapped && memory.length > 0)
    checkSegments(facts.segments, memory, findings.add);
  checkProcessor(facts, chip, findings);
  if (!findings.blocked) findings.add('container.integrity', facts.summary);
  return facts;
}

function checkProcessor({ processor }: ImageFacts, chip: string, findings: FindingList): void {
  const runs = processorsOf(chip);
  if (processor === undefined || runs === null || runs.includes(processor)) return;
  findings.add('image.processor-wrong', `its code is for ${processor}, but ${chip} is not`, {
    expected: runs.join(' or '),
    found: processor,
  });
}
