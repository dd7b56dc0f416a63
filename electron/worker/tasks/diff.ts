import { type FileHandle, open, readFile, stat } from 'node:fs/promises';
import { mapPatch } from '../../../shared/delta/patch-map.ts';
import { compareImages } from '../../../shared/diff/compare-images.ts';
import { compareParts, placeNames } from '../../../shared/diff/compare-parts.ts';
import {
  contentSource,
  type ImageContent,
  readImageContent,
} from '../../../shared/diff/image-content.ts';
import type { ChangedRun, ImageDiff } from '../../../shared/domain/image-diff.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import { isRawFormat } from '../../../shared/domain/memory-home.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { PatchMap } from '../../../shared/domain/patch-map.ts';
import type { MemoryRegion } from '../../../shared/domain/product.ts';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import { type ElfParts, readElfParts } from '../../../shared/formats/elf-parts.ts';
import { throwingReport } from '../../../shared/formats/report.ts';
import { fileSource } from '../../core/bundle/file-source.ts';

/** One version of an image, and its ELF file when the image itself is none. */
export interface DiffSide {
  readonly path: string;
  /** For messages: an object of the workspace is named by its hash on the disk. */
  readonly name: string;
  readonly elfPath?: string;
}

/** Two images to compare, and the memory that they go into. */
export interface DiffOrder {
  readonly old: DiffSide;
  readonly new: DiffSide;
  /** Where images without addresses begin, and where that is known from. */
  readonly address: number;
  readonly placed: Exclude<ImageDiff['old']['placed'], 'file'>;
  readonly sectorBytes: number;
  readonly sectorsFrom: ImageDiff['sectors']['from'];
  readonly regions: readonly MemoryRegion[];
}

/** What was found, and where the bytes of both images are read from afterwards. */
export interface DiffResult {
  readonly report: ImageDiff;
  readonly old: ImageContent;
  readonly new: ImageContent;
}

/** Compares two images. @throws ProblemError `diff-too-large` | `diff-nothing-loaded` and what the readers find */
export async function diffImagesTask(order: DiffOrder, context: WorkContext): Promise<DiffResult> {
  const handles: FileHandle[] = [];
  const openSource = async (path: string, name: string): Promise<ByteSource> => {
    const handle = await open(path, 'r');
    handles.push(handle);
    const { size } = await handle.stat();
    if (size > maxFileSizeBytes) throw tooLarge(name, size);
    return fileSource(handle, size);
  };
  try {
    const older = await openSide(order.old, order, openSource);
    const newer = await openSide(order.new, order, openSource);
    const bytes = await compareImages(older.compared, newer.compared, {
      sectorBytes: order.sectorBytes,
      regions: order.regions,
      onProgress: (done, total) =>
        context.onProgress({ step: 'Comparing', done, total, unit: 'bytes' }),
    });
    const parts = older.parts && newer.parts ? { old: older.parts, new: newer.parts } : null;
    return {
      old: older.content,
      new: newer.content,
      report: {
        ...bytes,
        old: older.image,
        new: newer.image,
        runs: { ...bytes.runs, listed: namedRuns(bytes.runs.listed, parts) },
        sectors: { ...bytes.sectors, from: order.sectorsFrom },
        sections: parts && compareParts(parts.old.sections, parts.new.sections),
        symbols: parts && compareParts(parts.old.symbols, parts.new.symbols),
      },
    };
  } finally {
    for (const handle of handles) await handle.close();
  }
}

/** What is no image of a memory, as an archive, is compared by its offsets unless the caller says where it lies. */
const isPlacedBy = ({ placed }: DiffOrder, format: string): boolean =>
  placed !== 'memory-map' || format === 'unknown' || isRawFormat(format);

async function openSide(
  { path, name, elfPath }: DiffSide,
  order: DiffOrder,
  openSource: (path: string, name: string) => Promise<ByteSource>,
) {
  const source = await openSource(path, name);
  const content = await readImageContent(name, source, (format) =>
    isPlacedBy(order, format) ? order.address : 0,
  );
  const contentBytes = content.extents.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const isByOrder = isPlacedBy(order, content.format);
  const placed = content.isPlaced ? 'file' : isByOrder ? order.placed : 'offset';
  return {
    content,
    compared: { extents: content.extents, source: contentSource(content, source) },
    image: { name, format: content.format, contentBytes, placed } satisfies ImageDiff['old'],
    parts: await partsOf(content, source, { name, elfPath }, openSource),
  };
}

async function partsOf(
  { format }: ImageContent,
  source: ByteSource,
  { name, elfPath }: { readonly name: string; readonly elfPath: string | undefined },
  openSource: (path: string, name: string) => Promise<ByteSource>,
): Promise<ElfParts | null> {
  if (elfPath === undefined) {
    return format === 'elf' ? readElfParts(source, throwingReport(name)) : null;
  }
  const elfName = `the ELF file of ${name}`;
  const elf = await openSource(elfPath, elfName);
  const magic = await elf.read(0, 4);
  if (![0x7f, 0x45, 0x4c, 0x46].every((byte, index) => magic[index] === byte))
    throw problem(
      'diff-not-elf',
      'This is not an ELF file',
      `What was given as ${elfName} does not begin with 7F 45 4C 46.`,
      'Choose the linker’s output that the image was made from.',
      'usage',
    );
  return readElfParts(elf, throwingReport(elfName));
}

function namedRuns(
  runs: readonly Omit<ChangedRun, 'place'>[],
  parts: { readonly old: ElfParts; readonly new: ElfParts } | null,
): ChangedRun[] {
  if (!parts) return runs.map((run) => ({ ...run, place: null }));
  const before = placeNames(parts.old);
  const after = placeNames(parts.new);
  return runs.map((run) => ({
    ...run,
    place: (run.kind === 'removed' ? before : after)(run.start),
  }));
}

/** Tells what a patch does with each part of its target. @throws ProblemError `patch-format` | `patch-corrupt` */
export async function mapPatchTask({ path }: { readonly path: string }): Promise<PatchMap> {
  const { size } = await stat(path);
  if (size > maxFileSizeBytes) throw tooLarge('the patch', size);
  const { buffer, byteOffset, length } = await readFile(path);
  return mapPatch(new Uint8Array(buffer, byteOffset, length));
}

const tooLarge = (name: string, sizeBytes: number) =>
  problem(
    'diff-too-large',
    'The file is too large to be compared',
    `${name} has ${sizeBytes} bytes; the limit is ${maxFileSizeBytes}.`,
    'Compare the images that it holds.',
    'usage',
  );
