import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import type { FlashFootprint } from '../../../shared/domain/bench.ts';
import type { BootCommands } from '../../../shared/domain/boot-commands.ts';
import type { Protocol } from '../../../shared/domain/bench-names.ts';
import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { type FirmwareImage, readFirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { componentOf } from '../bundle/bundle-service.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { ProtectedRegion } from './flasher.ts';
import { checkImagePlace, checkPackageHardware, keepOutOf } from './guard-rails.ts';
import { protocols } from './protocols.ts';
import { layOut } from './sector-layout.ts';
import { stm32Chips } from './stm32/stm32-bootloader.ts';
import { stm32Geometry } from './stm32/stm32-flasher.ts';

/** An image of the workspace, by its package, or a file. */
interface ImageRequest {
  readonly path?: string | undefined;
  readonly packageId?: string | undefined;
}

const largestChip = { flashBytes: 1024 * 1024, pageBytes: 1024 } as const;

/**
 * What flashing this image will write and erase; pages are known when the package's component names its chip.
 * @throws ProblemError `image-outside-flash` | `image-empty` and problems of reading the image
 */
export async function flashFootprint(
  workspace: Workspace | null,
  request: ImageRequest & { readonly address?: number | undefined },
): Promise<FlashFootprint> {
  const source = resolveImage(workspace, request);
  const chip = Object.values(stm32Chips).find((candidate) => candidate.name === source.chip);
  const geometry = { ...stm32Geometry(chip ?? largestChip), keepOut: source.keepOut };
  const image = placed(await readImage(source), request.address);
  checkImagePlace(image, undefined, source.keepOut);
  const { sectors, totalBytes, skippedBytes } = layOut(image, geometry);
  const pages = sectors.map(({ index }) => index);
  return {
    writeBytes: totalBytes,
    skippedBytes,
    erase: chip
      ? {
          chip: chip.name,
          pages: pages.length,
          pageBytes: chip.pageBytes,
          from: geometry.start + Math.min(...pages) * chip.pageBytes,
          toExclusive: geometry.start + (Math.max(...pages) + 1) * chip.pageBytes,
        }
      : null,
  };
}

/** @throws ProblemError `file-too-large` and problems of reading the image */
export async function readImage(source: ImageSource, protocol?: Protocol): Promise<FirmwareImage> {
  const { size } = await stat(source.path);
  if (size > maxFileSizeBytes) {
    throw problem(
      'file-too-large',
      'The image is too large',
      `${source.name} has ${size} bytes; the limit is ${maxFileSizeBytes}.`,
      'Choose the image for this chip.',
      'usage',
    );
  }
  const bytes = new Uint8Array(await readFile(source.path));
  return protocol !== undefined && protocols[protocol].sendsFile
    ? { format: 'raw', segments: [{ address: null, bytes }] }
    : readFirmwareImage(source.name, bytes);
}

/** An image without addresses, placed where it is to go. */
export function placed(image: FirmwareImage, address: number | undefined): FirmwareImage {
  if (address === undefined) return image;
  const segments = image.segments.map((segment) => ({
    address: segment.address ?? address,
    bytes: segment.bytes,
  }));
  return { ...image, segments };
}

/** An image, where it lies, and what flashing it must heed. */
export interface ImageSource {
  readonly path: string;
  readonly name: string;
  readonly releaseId: string | null;
  readonly chip?: string | undefined;
  readonly bootCommands?: BootCommands | undefined;
  /** Memory that stays as it is, by the component's memory map. */
  readonly keepOut: readonly ProtectedRegion[];
}

/** @throws ProblemError `no-workspace` | `not-an-image` | `nothing-to-flash` | `wrong-hardware` */
export function resolveImage(workspace: Workspace | null, request: ImageRequest): ImageSource {
  if (request.packageId) {
    if (!workspace)
      throw problem(
        'no-workspace',
        'No workspace is open',
        'A package can be flashed only from a workspace.',
        'Open one with --workspace.',
        'usage',
      );
    const pkg = workspace.get('package', request.packageId);
    const [file] = pkg.files;
    if (!file || pkg.files.length > 1 || pkg.packageType !== 'full') {
      throw problem(
        'not-an-image',
        'This package cannot be flashed',
        `${pkg.name} is not a full package with a single image.`,
        'Choose a full package with one image.',
        'usage',
      );
    }
    checkPackageHardware(pkg);
    const component = componentOf(workspace.product(pkg.productId), pkg.componentId);
    return {
      path: workspace.objects.path(file.sha256),
      name: file.name,
      releaseId: pkg.releaseId,
      chip: component.chip,
      bootCommands: component.bootCommands,
      keepOut: keepOutOf(component),
    };
  }
  if (request.path)
    return {
      path: request.path,
      name: basename(request.path),
      releaseId: null,
      keepOut: [],
    };
  throw problem(
    'nothing-to-flash',
    'Nothing to flash',
    'Neither a file nor a version package was given.',
    'Choose an image.',
    'usage',
  );
}
