import { create } from 'zustand';
import type { BenchRun, PortInfo } from '../../shared/domain/bench.ts';
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
}

/** A board whose flash ended without a result. */
export interface FlashFailure {
  readonly port: string;
  readonly problem: Problem;
}

const cancelledFlash: Problem = {
  code: 'cancelled',
  title: 'Flashing was cancelled',
  detail: 'The board may hold only a part of the image, or nothing.',
  hint: 'Flash it again before you use it.',
  kind: 'io',
};

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
  /** Flashes a board that failed once more, leaving what it holds already. */
  resume(port: string): Promise<void>;
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
  const flashOne = async (port: string, order: FlashOrder, releaseId: string): Promise<void> => {
    const { source, protocol, expectVersion, baudRate, changedOnly } = order;
    try {
      const run = await call('bench.flash', {
        port,
        protocol,
        changedOnly,
        ...source,
        ...(baudRate === null ? {} : { baudRate }),
        ...(expectVersion === '' ? {} : { expectVersion }),
      });
      await get().listRuns(releaseId);
      await get().openRun(run.id);
    } catch (error) {
      const problem = toProblem(error);
      const told = problem.code === 'cancelled' ? cancelledFlash : problem;
      set({ failures: [...get().failures, { port, problem: told }] });
      const before = get().runs?.[0]?.id;
      await get().listRuns(releaseId);
      const [newest] = get().runs ?? [];
      if (newest && newest.id !== before) await get().openRun(newest.id);
    }
  };
  const flashAll = async (
    ports: readonly string[],
    order: FlashOrder,
    releaseId: string,
  ): Promise<void> => {
    const others = get().failures.filter(({ port }) => !ports.includes(port));
    set({ isFlashing: true, failures: others });
    await Promise.all(ports.map((port) => flashOne(port, order, releaseId)));
    set({ isFlashing: false });
  };
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
    resume: async (port) => {
      if (last) await flashAll([port], { ...last.order, changedOnly: true }, last.releaseId);
    },
    dismiss: (port) => set({ failures: get().failures.filter((failure) => failure.port !== port) }),
  };
});
