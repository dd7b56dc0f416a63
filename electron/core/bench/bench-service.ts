import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { BenchRun, FlashFootprint, FlashResult } from '../../../shared/domain/bench.ts';
import type { Protocol } from '../../../shared/domain/bench-names.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { maxFileSizeBytes } from '../../../shared/domain/limits.ts';
import { type Problem, problem, toProblem } from '../../../shared/domain/problem.ts';
import { type FirmwareImage, readFirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { componentOf } from '../bundle/bundle-service.ts';
import { hashFile } from '../workspace/object-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { FlashConnection } from './connection/flash-connection.ts';
import {
  type FlashInput,
  FlashRun,
  flashBoard,
  flashResult,
  sayingWhatElseFailed,
} from './flash.ts';
import { protocols } from './protocols.ts';
import { layOut } from './sector-layout.ts';
import { stm32Chips } from './stm32/stm32-bootloader.ts';
import { stm32Geometry } from './stm32/stm32-flasher.ts';
import type { OpenLink } from './serial-link.ts';

/** What to flash: an image of the workspace (by package) or a file. */
export interface FlashRequest {
  readonly port: string;
  readonly protocol: Protocol;
  readonly path?: string | undefined;
  readonly packageId?: string | undefined;
  readonly expectVersion?: string | undefined;
  /** Absent: what the protocol begins with. */
  readonly baudRate?: number | undefined;
  /** Where an image without addresses goes; absent: where the chip begins. */
  readonly address?: number | undefined;
  readonly changedOnly?: boolean | undefined;
  /** Where a module fetches the package itself. */
  readonly url?: string | undefined;
  readonly connection?: FlashConnection;
}

/**
 * Flashes, verifies and boot-checks an image, and returns the bench run with its recording.
 * In a workspace a run that fails is kept as well: that an image did not get onto a board is evidence too.
 */
export async function runBench(
  workspace: Workspace | null,
  ports: { opener(): OpenLink },
  recordingFolder: string,
  request: FlashRequest,
  context: WorkContext,
): Promise<BenchRun> {
  const source = resolveImage(workspace, request);
  const image = placed(await readImage(source, request.protocol), request.address);
  const { sha256 } = await hashFile(source.path, context.signal);
  const id = randomUUID();
  await mkdir(recordingFolder, { recursive: true });
  const recordingPath = join(recordingFolder, `${id}.jsonl`);
  const startedAt = new Date().toISOString();
  const input: FlashInput = {
    port: request.port,
    protocol: request.protocol,
    image,
    imageName: source.name,
    recordingPath,
    openLink: ports.opener(),
    changedOnly: request.changedOnly ?? false,
    ...(request.connection ? { connection: request.connection } : {}),
    ...(request.baudRate === undefined ? {} : { baudRate: request.baudRate }),
    ...(request.url === undefined ? {} : { url: request.url }),
    ...(source.chip ? { expectChip: source.chip } : {}),
    ...(request.expectVersion ? { expectVersion: request.expectVersion } : {}),
  };
  const reached = new FlashRun();
  const keep = async (failure?: Problem): Promise<BenchRun> => {
    const result = flashResult(input, reached);
    const run: BenchRun = {
      id,
      releaseId: source.releaseId,
      imageSha256: sha256,
      imageName: source.name,
      port: request.port,
      result,
      recordingSha256: (await hashFile(recordingPath)).sha256,
      startedAt,
      passed: !failure && hasPassed(result, request.expectVersion),
      ...(failure ? { failure } : {}),
    };
    workspace?.put('benchRun', run.releaseId, run);
    return run;
  };
  try {
    await flashBoard(input, context, reached);
  } catch (error) {
    // Without a recording (a full disk) there is nothing to keep a record of.
    if (!existsSync(recordingPath)) throw error;
    throw await sayingWhatElseFailed(
      error,
      keep(toProblem(error)),
      'The bench run could not be recorded',
    );
  }
  return keep();
}

/**
 * The exact image is on the board and, where a version was expected, booted it. A protocol that cannot read back
 * proves the image only by what booted.
 */
function hasPassed({ verified, booted }: FlashResult, expectVersion: string | undefined): boolean {
  if (booted?.outcome === 'boot-loop') return false;
  return expectVersion === undefined ? verified : booted?.matched === true;
}

const largestChip = { flashBytes: 1024 * 1024, pageBytes: 1024 } as const;

/**
 * What flashing this image will write and erase; pages are known when the package's component names its chip.
 * @throws ProblemError `image-outside-flash` | `image-empty` and problems of reading the image
 */
export async function flashFootprint(
  workspace: Workspace | null,
  request: Pick<FlashRequest, 'path' | 'packageId'>,
): Promise<FlashFootprint> {
  const source = resolveImage(workspace, request);
  const chip = Object.values(stm32Chips).find((candidate) => candidate.name === source.chip);
  const geometry = stm32Geometry(chip ?? largestChip);
  const { sectors, totalBytes, skippedBytes } = layOut(await readImage(source), geometry);
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

async function readImage(source: ImageSource, protocol?: Protocol): Promise<FirmwareImage> {
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

function placed(image: FirmwareImage, address: number | undefined): FirmwareImage {
  if (address === undefined) return image;
  const segments = image.segments.map((segment) => ({
    address: segment.address ?? address,
    bytes: segment.bytes,
  }));
  return { ...image, segments };
}

interface ImageSource {
  readonly path: string;
  readonly name: string;
  readonly releaseId: string | null;
  readonly chip?: string | undefined;
}

function resolveImage(
  workspace: Workspace | null,
  request: Pick<FlashRequest, 'path' | 'packageId'>,
): ImageSource {
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
    const component = componentOf(workspace.product(pkg.productId), pkg.componentId);
    return {
      path: workspace.objects.path(file.sha256),
      name: file.name,
      releaseId: pkg.releaseId,
      chip: component.chip,
    };
  }
  if (request.path) return { path: request.path, name: basename(request.path), releaseId: null };
  throw problem(
    'nothing-to-flash',
    'Nothing to flash',
    'Neither a file nor a version package was given.',
    'Choose an image.',
    'usage',
  );
}
