import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import type { BenchRun, BoardReference, FlashResult } from '../../../shared/domain/bench.ts';
import type { flashRequestSchema } from '../../../shared/domain/flash-request.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { type Problem, problem, toProblem } from '../../../shared/domain/problem.ts';
import type { FirmwareImage } from '../../../shared/formats/firmware-image.ts';
import { hashFile } from '../workspace/object-store.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { type ImageSource, placed, readImage, resolveImage } from './bench-image.ts';
import { askedSchema, type BenchOrder } from './bench-order.ts';
import { knownBoard, rememberBoard } from './board-register.ts';
import type { Connections } from './connection/connections.ts';
import { FlashConnection } from './connection/flash-connection.ts';
import {
  type FlashInput,
  FlashRun,
  flashBoard,
  flashResult,
  sayingWhatElseFailed,
} from './flash.ts';
import { checkImagePlace } from './guard-rails.ts';
import { whileRunning } from './interrupted-runs.ts';
import { isPseudoTerminal, type ListPorts } from './ports.ts';
import type { OpenLink } from './serial-link.ts';
import type { VirtualBoards } from './virtual-boards.ts';

/** What to flash, an image of the workspace (by package) or a file, and how. */
export interface FlashRequest
  extends Readonly<Omit<z.infer<typeof flashRequestSchema>, 'changedOnly'>> {
  readonly path?: string | undefined;
  readonly changedOnly?: boolean | undefined;
}

/** What the bench works with. */
export interface BenchParts {
  readonly workspace: Workspace | null;
  readonly boards: VirtualBoards;
  /** Opens any port. */
  readonly ports: { opener(): OpenLink };
  readonly recordingFolder: string;
  /** Every port, virtual boards of this process included. */
  readonly listPorts: ListPorts;
  /** What is known of the ways to boards; absent: every board is reached as its protocol says. */
  readonly connections?: Connections;
}

/** The run that is gone on with: the same image on the same board. */
interface Resumed {
  readonly runId: string;
  readonly imageSha256: string;
  readonly board: BoardReference | undefined;
}

/**
 * Flashes, verifies and boot-checks an image, and returns the bench run with its recording.
 * In a workspace a run that fails is kept as well: that an image did not get onto a board is evidence too.
 */
export async function runBench(
  parts: BenchParts,
  request: FlashRequest,
  context: WorkContext,
  resumed?: Resumed,
): Promise<BenchRun> {
  const work = (connection: FlashConnection, told: WorkContext): Promise<BenchRun> =>
    flashAsOrdered(parts, { request, connection, resumed }, told);
  return parts.connections
    ? parts.connections.during(request, context, work)
    : work(new FlashConnection(), context);
}

/** What a run begins with. */
interface Beginning {
  readonly request: FlashRequest;
  readonly connection: FlashConnection;
  readonly resumed: Resumed | undefined;
}

async function flashAsOrdered(
  parts: BenchParts,
  beginning: Beginning,
  context: WorkContext,
): Promise<BenchRun> {
  const { workspace } = parts;
  const { request, resumed } = beginning;
  const source = resolveImage(workspace, request);
  const image = placed(await readImage(source, request.protocol), request.address);
  checkImagePlace(image, request.protocol, source.keepOut);
  const { sha256 } = await hashFile(source.path, context.signal);
  if (resumed && resumed.imageSha256 !== sha256) throw imageChanged(source.name);
  const id = randomUUID();
  await mkdir(parts.recordingFolder, { recursive: true });
  const order: BenchOrder = {
    ...askedSchema.parse(request),
    id,
    path: request.path && resolve(request.path),
    releaseId: source.releaseId,
    imageSha256: sha256,
    imageName: source.name,
    startedAt: new Date().toISOString(),
    recording: join(parts.recordingFolder, `${id}.jsonl`),
    processId: process.pid,
    step: 'open',
    chip: '',
    virtual: await isVirtual(parts, request.port),
    ...(resumed ? { resumes: resumed.runId } : {}),
  };
  return whileRunning(id, () => carryOut(parts, { ...beginning, source, image, order }, context));
}

interface Work extends Beginning {
  readonly source: ImageSource;
  readonly image: FirmwareImage;
  readonly order: BenchOrder;
}

async function carryOut(parts: BenchParts, work: Work, context: WorkContext): Promise<BenchRun> {
  const { workspace, ports, listPorts } = parts;
  const { request, connection, source, image, order, resumed } = work;
  const reached = new FlashRun();
  const bootCommands = request.bootCommands ?? source.bootCommands;
  const nameOf = (board: BoardReference): string =>
    (workspace && knownBoard(workspace, board.id)?.nickname) || '';
  const expectBoard = resumed?.board && {
    reference: resumed.board,
    name: nameOf(resumed.board) || resumed.board.id,
  };
  const input: FlashInput = {
    port: request.port,
    protocol: request.protocol,
    image,
    imageName: source.name,
    recordingPath: order.recording,
    openLink: ports.opener(),
    listPorts,
    connection,
    changedOnly: request.changedOnly ?? false,
    usesStub: request.usesStub ?? false,
    keepOut: source.keepOut,
    nicknameOf: nameOf,
    ...(request.baudRate === undefined ? {} : { baudRate: request.baudRate }),
    ...(request.url === undefined ? {} : { url: request.url }),
    ...(request.mcu && { mcu: request.mcu }),
    ...(bootCommands && { bootCommands }),
    ...(request.unprotect === undefined ? {} : { unprotect: request.unprotect }),
    ...(source.chip ? { expectChip: source.chip } : {}),
    ...(request.expectVersion ? { expectVersion: request.expectVersion } : {}),
    ...(expectBoard ? { expectBoard } : {}),
    onStep: (step) => {
      const { chip, board } = reached;
      workspace?.put('benchOrder', order.releaseId, {
        ...order,
        step,
        chip,
        ...(board ? { board } : {}),
      });
    },
  };
  const keep = async (failure?: Problem): Promise<BenchRun> => {
    const run = await runOf(parts, work, { input, reached, failure });
    workspace?.put('benchRun', run.releaseId, run);
    if (failure?.kind !== 'io') workspace?.remove('benchOrder', run.id);
    if (run.passed && workspace) forgetOrders(workspace, resumed?.runId);
    return run;
  };
  try {
    if (workspace) {
      reached.recorder.keepAt(order.recording);
      workspace.put('benchOrder', order.releaseId, order);
    }
    await flashBoard(input, context, reached);
  } catch (error) {
    // Without a recording (a full disk) there is nothing to keep a record of.
    if (!existsSync(order.recording)) throw error;
    throw await sayingWhatElseFailed(
      error,
      keep(toProblem(error)),
      'The bench run could not be recorded',
    );
  }
  return keep();
}

/** The board is whole again: none of the runs that led here is left to go on with. */
function forgetOrders(workspace: Workspace, runId: string | undefined): void {
  let next = runId;
  while (next !== undefined && workspace.has('benchOrder', next)) {
    const { resumes } = workspace.get('benchOrder', next);
    workspace.remove('benchOrder', next);
    next = resumes;
  }
}

/** The record of a run that has ended, one way or the other. */
async function runOf(
  { workspace }: BenchParts,
  { request, order }: Work,
  ended: {
    readonly input: FlashInput;
    readonly reached: FlashRun;
    readonly failure: Problem | undefined;
  },
): Promise<BenchRun> {
  const { input, reached, failure } = ended;
  const result = flashResult(input, reached);
  const port = reached.path || request.port;
  const { board, chip } = reached;
  const known =
    workspace &&
    board &&
    rememberBoard(workspace, { board, chip, port, hardwareRevision: request.hardwareRevision });
  const hardwareRevision = request.hardwareRevision ?? known?.hardwareRevision ?? undefined;
  return {
    id: order.id,
    releaseId: order.releaseId,
    imageSha256: order.imageSha256,
    imageName: order.imageName,
    port,
    result,
    recordingSha256: (await hashFile(order.recording)).sha256,
    startedAt: order.startedAt,
    passed: !failure && hasPassed(result, request.expectVersion),
    virtual: order.virtual,
    ...(failure ? { failure } : {}),
    ...(board
      ? { board: { ...board, ...(known?.nickname ? { nickname: known.nickname } : {}) } }
      : {}),
    ...(hardwareRevision === undefined ? {} : { hardwareRevision }),
    ...(order.resumes === undefined ? {} : { resumes: order.resumes }),
  };
}

const isVirtual = async ({ boards }: BenchParts, path: string): Promise<boolean> =>
  boards.list().some((info) => info.path === path) || (await isPseudoTerminal(path));

const imageChanged = (name: string) =>
  problem(
    'image-changed',
    'The image has changed',
    `${name} is no longer the image that the run began with.`,
    'Flash the board anew.',
    'gate',
  );

/**
 * The exact image is on the board and, where a version was expected, booted it. A protocol that cannot read back
 * proves the image only by what booted.
 */
function hasPassed({ verified, booted }: FlashResult, expectVersion: string | undefined): boolean {
  if (booted?.outcome === 'boot-loop') return false;
  return expectVersion === undefined ? verified : booted?.matched === true;
}
