import { readFile } from 'node:fs/promises';
import type { Handlers } from '../handlers.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { flashFootprint } from './bench-image.ts';
import { resumeBench } from './bench-resume.ts';
import { type BenchParts, runBench } from './bench-service.ts';
import { changeBoard, withKnownBoards } from './board-register.ts';
import { connectionHandlers } from './connection/connection-handlers.ts';
import type { Connections } from './connection/connections.ts';
import { consoleHandlers } from './console/console-handlers.ts';
import type { Consoles } from './console/consoles.ts';
import { recordInterrupted } from './interrupted-runs.ts';
import { type ListPorts, namedPorts } from './ports.ts';
import type { VirtualBoards } from './virtual-boards.ts';

type BenchHandlers = Pick<Handlers, Extract<keyof Handlers, `bench.${string}`>>;

/** What the bench is composed of. */
export interface BenchDoors {
  readonly boards: VirtualBoards;
  readonly consoles: Consoles;
  readonly connections: Connections;
  /** The serial ports of the system. */
  readonly listPorts: ListPorts;
  /** Where serial recordings are kept. */
  readonly scratchFolder: string;
}

/** Where the calls find their workspace and their files. */
interface Surroundings {
  /** The open workspace, or null. */
  readonly open: Workspace | null;
  /** @throws ProblemError `no-workspace` */
  readonly workspace: () => Workspace;
  readonly toRead: (ref: string) => string;
  readonly toWrite: (ref: string) => string;
}

/** The calls of the bench room. */
export function benchHandlers(doors: BenchDoors, around: Surroundings): BenchHandlers {
  const { boards, consoles, connections } = doors;
  const { open, workspace, toRead, toWrite } = around;
  const bench: BenchParts = {
    workspace: open,
    boards,
    ports: consoles,
    connections,
    recordingFolder: doors.scratchFolder,
    listPorts: async () => {
      const { ports, hint } = await doors.listPorts();
      return { ports: [...boards.list(), ...ports], hint };
    },
  };
  return {
    'bench.ports': async () => {
      const [{ ports, hint }, otherPaths] = await Promise.all([bench.listPorts(), namedPorts()]);
      return { ports: withKnownBoards(ports, open?.list('board') ?? []), hint, otherPaths };
    },
    'bench.boards.list': async () => workspace().list('board'),
    'bench.boards.set': async (input) => changeBoard(workspace(), input),
    'bench.virtual.start': (input) => boards.start(input.kind),
    'bench.virtual.stop': async (input) => {
      await boards.stop(input.path);
      return {};
    },
    'bench.footprint': (input) =>
      flashFootprint(open, {
        packageId: input.packageId,
        address: input.address,
        path: input.file && toRead(input.file),
      }),
    'bench.flash': (input, context) =>
      runBench(bench, { ...input, path: input.file && toRead(input.file) }, context),
    'bench.resume': async (input, context) => {
      await recordInterrupted(workspace());
      return resumeBench(bench, input, context);
    },
    'bench.runs': async (input) => {
      await recordInterrupted(workspace());
      return workspace()
        .list('benchRun', input.releaseId)
        .map((run) => ({ ...run, resumable: workspace().has('benchOrder', run.id) }));
    },
    'bench.recording': async (input) => ({
      text: await readFile(workspace().get('benchRun', input.runId).result.recording, 'utf8'),
    }),
    ...consoleHandlers(consoles, toWrite),
    ...connectionHandlers(connections, toWrite),
  };
}
