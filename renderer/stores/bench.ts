import { create } from 'zustand';
import type { BenchRun, KnownBoard, PortInfo } from '../../shared/domain/bench.ts';
import {
  type Protocol,
  type VirtualBoardKind,
  virtualBoardKinds,
} from '../../shared/domain/bench-names.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { call } from '../rpc/client.ts';
import { useStudio } from './studio.ts';

/** What the bench flashes, as the form gives it; the boards are those that are chosen. */
export interface FlashOrder {
  readonly source: { readonly packageId: string } | { readonly file: string };
  readonly protocol: Protocol;
  readonly expectVersion: string;
  /** Null: what the protocol begins with. */
  readonly baudRate: number | null;
  readonly changedOnly: boolean;
  /** Null: what is remembered of each board. */
  readonly hardwareRevision: string | null;
  /** Name of the board that may be erased as a whole, which takes off its read-out protection. */
  readonly unprotect?: string;
}

/** A board whose flash ended without a result. */
export interface FlashFailure {
  readonly port: string;
  readonly problem: Problem;
  /** Its record, when it was kept. */
  readonly runId: string | null;
}

const cancelledFlash: Problem = {
  code: 'cancelled',
  title: 'Flashing was cancelled',
  detail: 'The board may hold only a part of the image, or nothing.',
  hint: 'Flash it again before you use it.',
  kind: 'io',
};

/** What a person says about a board. */
interface BoardChange {
  readonly nickname: string;
  readonly hardwareRevision: string;
}

interface BenchState {
  /** `null` before they were listed. */
  readonly ports: readonly PortInfo[] | null;
  /** Why ports cannot be listed, and what helps. */
  readonly portsHint: string | null;
  /** Links to ports by the id of their adapter. */
  readonly otherPaths: readonly string[];
  /** Paths of the boards to flash. */
  readonly chosen: readonly string[];
  /** A port that the system does not list. */
  readonly otherPath: string;
  readonly protocol: Protocol;
  /** Runs of one release and of files, newest first; `null` before they were read. */
  readonly runs: readonly BenchRun[] | null;
  readonly runId: string | null;
  readonly recording: { readonly runId: string; readonly text: string } | null;
  /** Why boards or runs could not be read. */
  readonly loadProblem: Problem | null;
  /** Boards whose last flash ended without a result. */
  readonly failures: readonly FlashFailure[];
  readonly isFlashing: boolean;
  choose(path: string, isChosen: boolean): void;
  setOtherPath(path: string): void;
  setProtocol(protocol: Protocol): void;
  listPorts(): Promise<void>;
  startVirtualBoard(kind: VirtualBoardKind): Promise<void>;
  stopVirtualBoard(path: string): Promise<void>;
  listRuns(releaseId: string): Promise<void>;
  /** Opens a run with its recording. */
  openRun(runId: string): Promise<void>;
  /** Flashes every chosen board, each with its own end; `releaseId` is the release whose runs are listed. */
  flash(order: FlashOrder, releaseId: string): Promise<void>;
  /** Goes on with a run that was cut off, wherever its board is now, leaving what it holds already. */
  resume(run: Pick<BenchRun, 'id' | 'port'>, releaseId: string): Promise<void>;
  /** Erases the board of this name as a whole, and flashes it as it was last ordered. */
  unprotect(port: string, name: string): Promise<void>;
  /** Boards that the workspace knows; `null` before they were read. */
  readonly knownBoards: readonly KnownBoard[] | null;
  listBoards(): Promise<void>;
  /** Names a board, or says which revision it is; empty takes that away. @throws ProblemError */
  setBoard(board: string, change: BoardChange): Promise<void>;
  dismiss(port: string): void;
}

/** Boards and bench runs; kept while other views are open. */
export const useBench = create<BenchState>((set, get) => {
  let listedId: string | null = null;
  let last: { readonly order: FlashOrder; readonly releaseId: string } | null = null;
  const load = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      set({ loadProblem: null });
    } catch (error) {
      set({ loadProblem: toProblem(error) });
    }
  };
  const follow = async (port: string, releaseId: string, work: () => Promise<BenchRun>) => {
    try {
      const run = await work();
      await get().listRuns(releaseId);
      await get().openRun(run.id);
    } catch (error) {
      const problem = toProblem(error);
      const told = problem.code === 'cancelled' ? cancelledFlash : problem;
      const known = new Set(get().runs?.map(({ id }) => id));
      await get().listRuns(releaseId);
      const kept = get().runs?.find((run) => !known.has(run.id) && run.port === port) ?? null;
      set({ failures: [...get().failures, { port, problem: told, runId: kept?.id ?? null }] });
      if (kept) await get().openRun(kept.id);
    }
  };
  const flashOne = (port: string, order: FlashOrder, releaseId: string): Promise<void> => {
    const { source, protocol, expectVersion, baudRate, changedOnly } = order;
    const { hardwareRevision, unprotect } = order;
    return follow(port, releaseId, () =>
      call('bench.flash', {
        port,
        protocol,
        changedOnly,
        ...source,
        ...(baudRate === null ? {} : { baudRate }),
        ...(expectVersion === '' ? {} : { expectVersion }),
        ...(hardwareRevision === null ? {} : { hardwareRevision }),
        ...(unprotect === undefined ? {} : { unprotect }),
      }),
    );
  };
  const whileFlashing = async (
    ports: readonly string[],
    work: (port: string) => Promise<void>,
  ): Promise<void> => {
    const others = get().failures.filter(({ port }) => !ports.includes(port));
    set({ isFlashing: true, failures: others });
    await Promise.all(ports.map(work));
    set({ isFlashing: false });
    await get().listPorts();
  };
  const flashAll = (ports: readonly string[], order: FlashOrder, releaseId: string) =>
    whileFlashing(ports, (port) => flashOne(port, order, releaseId));
  return {
    ports: null,
    portsHint: null,
    otherPaths: [],
    chosen: [],
    otherPath: '',
    protocol: 'stm32',
    runs: null,
    runId: null,
    recording: null,
    loadProblem: null,
    failures: [],
    isFlashing: false,
    choose: (path, isChosen) => {
      const others = get().chosen.filter((chosen) => chosen !== path);
      set({ chosen: isChosen ? [...others, path] : others });
    },
    setOtherPath: (otherPath) => set({ otherPath }),
    setProtocol: (protocol) => set({ protocol }),
    listPorts: () =>
      load(async () => {
        const { ports, hint, otherPaths } = await call('bench.ports', {});
        const listed = new Set(ports.map(({ path }) => path));
        const chosen = get().chosen.filter((path) => listed.has(path));
        set({ ports, portsHint: hint, otherPaths, chosen });
      }),
    startVirtualBoard: async (kind) => {
      await useStudio.getState().act(async () => {
        const { path } = await call('bench.virtual.start', { kind });
        await get().listPorts();
        set({ chosen: [...get().chosen, path], protocol: virtualBoardKinds[kind].protocol });
      });
    },
    stopVirtualBoard: async (path) => {
      await useStudio.getState().act(async () => void (await call('bench.virtual.stop', { path })));
      await get().listPorts();
    },
    listRuns: (releaseId) =>
      load(async () => {
        if (releaseId !== listedId) set({ runs: null, runId: null, recording: null });
        listedId = releaseId;
        const all = await call('bench.runs', {});
        if (releaseId !== listedId) return;
        const runs = all.filter((run) => [releaseId, null].includes(run.releaseId)).reverse();
        const known = runs.some((run) => run.id === get().runId);
        set(known ? { runs } : { runs, runId: null, recording: null });
        const [newest] = runs;
        if (!known && newest) await get().openRun(newest.id);
      }),
    openRun: (runId) =>
      load(async () => {
        set({ runId });
        if (get().recording?.runId === runId) return;
        const { text } = await call('bench.recording', { runId });
        if (get().runId === runId) set({ recording: { runId, text } });
      }),
    flash: async (order, releaseId) => {
      last = { order, releaseId };
      const other = get().otherPath.trim();
      await flashAll([...get().chosen, ...(other === '' ? [] : [other])], order, releaseId);
    },
    resume: ({ id, port }, releaseId) =>
      whileFlashing([port], () =>
        follow(port, releaseId, () => call('bench.resume', { runId: id })),
      ),
    unprotect: async (port, name) => {
      if (last) await flashAll([port], { ...last.order, unprotect: name }, last.releaseId);
    },
    knownBoards: null,
    listBoards: () => load(async () => set({ knownBoards: await call('bench.boards.list', {}) })),
    setBoard: async (board, change) => {
      await call('bench.boards.set', { board, ...change });
      await get().listBoards();
      await get().listPorts();
    },
    dismiss: (port) => set({ failures: get().failures.filter((failure) => failure.port !== port) }),
  };
});
