import { randomUUID } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Output, ParsedInput } from '../../../shared/contract/contract.ts';
import {
  type AddressBytes,
  contentSource,
  fileChanged,
  type ImageContent,
  readAddresses,
} from '../../../shared/diff/image-content.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { homeRegion } from '../../../shared/domain/memory-home.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { Component, PackageFile, VersionPackage } from '../../../shared/domain/product.ts';
import { runTask } from '../../worker/run-task.ts';
import type { TaskInput } from '../../worker/tasks.ts';
import { componentOf } from '../bundle/bundle-service.ts';
import { fileSource } from '../bundle/file-source.ts';
import type { Workspace } from '../workspace/workspace.ts';

type DiffInput = ParsedInput<'delta.diff'>;
type DiffOrder = TaskInput<'delta.diff'>;

const mostKept = 4;
/** The erase unit of many NOR flashes. */
const assumedSectorBytes = 4096;

/** An image of which pages are read; the file is kept open, so that another one cannot take its place. */
interface OpenImage {
  readonly content: ImageContent;
  readonly handle: FileHandle;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Comparisons whose bytes can be read page by page; the oldest is given up for a fifth. */
export class ImageDiffs {
  readonly #open = new Map<string, { readonly old: OpenImage; readonly new: OpenImage }>();

  /** Compares two images in a worker thread. @throws ProblemError `diff-side` and what the task finds */
  async compare(
    workspace: () => Workspace,
    input: DiffInput,
    toRead: (ref: string) => string,
    context: WorkContext,
  ): Promise<Output<'delta.diff'>> {
    const sides = {
      old: sideOf(workspace, input.old, toRead),
      new: sideOf(workspace, input.new, toRead),
    };
    const component = componentFor(workspace, input, sides.new.pkg ?? sides.old.pkg);
    const order: DiffOrder = {
      old: sides.old.side,
      new: sides.new.side,
      regions: component?.memory ?? [],
      ...placeOf(input, component),
      ...sectorsOf(input, component),
    };
    const result = await runTask('delta.diff', order, context);
    const older = await openImage(order.old.path, result.old);
    const newer = await openImage(order.new.path, result.new).catch(async (error: unknown) => {
      await older.handle.close();
      throw error;
    });
    const diffId = randomUUID();
    this.#open.set(diffId, { old: older, new: newer });
    const [oldest] = this.#open.keys();
    if (this.#open.size > mostKept && oldest) await this.close(oldest);
    return { diffId, report: result.report };
  }

  /** Reads both images at a stretch of addresses. @throws ProblemError `diff-closed` | `diff-file-changed` */
  async bytes(input: ParsedInput<'delta.diff.bytes'>): Promise<Output<'delta.diff.bytes'>> {
    const images = this.#open.get(input.diffId);
    if (!images)
      throw problem(
        'diff-closed',
        'This comparison is no longer open',
        `There is no comparison ${input.diffId}; only the last ${mostKept} are kept.`,
        'Compare the images again.',
        'usage',
      );
    const { address, sizeBytes } = input;
    return {
      old: copied(await readOpen(images.old, address, sizeBytes)),
      new: copied(await readOpen(images.new, address, sizeBytes)),
    };
  }

  /** Closes the files of a comparison; nothing happens when it is closed already. */
  async close(diffId: string): Promise<void> {
    const images = this.#open.get(diffId);
    this.#open.delete(diffId);
    await images?.old.handle.close();
    await images?.new.handle.close();
  }

  async closeAll(): Promise<void> {
    for (const diffId of this.#open.keys()) await this.close(diffId);
  }
}

const copied = ({ bytes, holes }: AddressBytes) => ({ bytes, holes: [...holes] });

async function openImage(path: string, content: ImageContent): Promise<OpenImage> {
  const handle = await open(path, 'r');
  const { size, mtimeMs } = await handle.stat();
  return { content, handle, sizeBytes: size, modifiedMs: mtimeMs };
}

async function readOpen(
  { content, handle, sizeBytes, modifiedMs }: OpenImage,
  address: number,
  count: number,
): Promise<AddressBytes> {
  const { size, mtimeMs } = await handle.stat();
  if (size !== sizeBytes || mtimeMs !== modifiedMs) throw fileChanged();
  const source = contentSource(content, fileSource(handle, sizeBytes));
  return readAddresses(content.extents, source, address, count);
}

function sideOf(
  workspace: () => Workspace,
  side: DiffInput['old'],
  toRead: (ref: string) => string,
): { readonly side: DiffOrder['old']; readonly pkg: VersionPackage | null } {
  const elf = side.elf === undefined ? {} : { elfPath: toRead(side.elf) };
  if ('file' in side) {
    const path = toRead(side.file);
    return { side: { path, name: basename(path), ...elf }, pkg: null };
  }
  const pkg = workspace().get('package', side.packageId);
  const file = onlyFile(pkg);
  return { side: { path: workspace().objects.path(file.sha256), name: file.name, ...elf }, pkg };
}

/** The stored patch of a delta package. @throws ProblemError `diff-side` */
export function patchPath(workspace: Workspace, packageId: string): string {
  return workspace.objects.path(onlyFile(workspace.get('package', packageId)).sha256);
}

function onlyFile(pkg: VersionPackage): PackageFile {
  const [file, second] = pkg.files;
  if (file && !second) return file;
  throw problem(
    'diff-side',
    'This package is not one file',
    `${pkg.name} has ${pkg.files.length} files.`,
    'Compare the files themselves.',
    'usage',
  );
}

function componentFor(
  workspace: () => Workspace,
  { productId = undefined, componentId = undefined }: DiffInput,
  pkg: VersionPackage | null,
): Component | null {
  const id = productId ?? pkg?.productId;
  if (id === undefined) return null;
  const product = workspace().product(id);
  const first = pkg?.productId === id ? pkg.componentId : product.components[0]?.id;
  return componentOf(product, componentId ?? first ?? '');
}

function placeOf(
  { address }: DiffInput,
  component: Component | null,
): Pick<DiffOrder, 'address' | 'placed'> {
  if (address !== undefined) return { address, placed: 'given' };
  const home = homeRegion(component?.memory ?? []);
  return home ? { address: home.start, placed: 'memory-map' } : { address: 0, placed: 'offset' };
}

function sectorsOf(
  { sectorBytes }: DiffInput,
  component: Component | null,
): Pick<DiffOrder, 'sectorBytes' | 'sectorsFrom'> {
  if (sectorBytes !== undefined) return { sectorBytes, sectorsFrom: 'given' };
  const segmentBytes = component?.delta?.segmentBytes;
  return segmentBytes === undefined
    ? { sectorBytes: assumedSectorBytes, sectorsFrom: 'assumed' }
    : { sectorBytes: segmentBytes, sectorsFrom: 'component' };
}
