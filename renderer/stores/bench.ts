import { create } from 'zustand';
import type { BenchRun, PortInfo } from '../../shared/domain/bench.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { call } from '../rpc/client.ts';
import { useStudio } from './studio.ts';

/** What the bench flashes, as the form gives it. */
export interface FlashOrder {
  readonly port: string;
  readonly source: { readonly packageId: string } | { readonly file: string };
  readonly expectVersion: string;
  readonly baudRate: number;
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
  readonly port: string | null;
  /** Runs of one release and of files, newest first; `null` before they were read. */
  readonly runs: readonly BenchRun[] | null;
  readonly runId: string | null;
  readonly recording: { readonly runId: string; readonly text: string } | null;
  /** Why boards or runs could not be read. */
  readonly loadProblem: Problem | null;
  /** Why the last flash ended without a result. */
  readonly flashProblem: Problem | null;
  readonly isFlashing: boolean;
  choosePort(path: string): void;
  listPorts(): Promise<void>;
  startVirtualBoard(): Promise<void>;
  stopVirtualBoard(path: string): Promise<void>;
  listRuns(releaseId: string): Promise<void>;
  /** Opens a run with its recording. */
  openRun(runId: string): Promise<void>;
  /** Flashes a board and opens the run; `releaseId` is the release whose runs are listed. */
  flash(order: FlashOrder, releaseId: string): Promise<void>;
}

/** Boards and bench runs; kept while other views are open. */
export const useBench = create<BenchState>((set, get) => {
  let listedId: string | null = null;
  const load = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
      set({ loadProblem: null });
    } catch (error) {
      set({ loadProblem: toProblem(error) });
    }
  };
  return {
    ports: null,
    portsHint: null,
    port: null,
    runs: null,
    runId: null,
    recording: null,
    loadProblem: null,
    flashProblem: null,
    isFlashing: false,
    choosePort: (port) => set({ port }),
    listPorts: () =>
      load(async () => {
        const { ports, hint } = await call('bench.ports', {});
        const { port } = get();
        const isGone = port?.startsWith('virtual:') && !ports.some(({ path }) => path === port);
        set({
          ports,
          portsHint: hint,
          port: isGone || port === null ? (ports[0]?.path ?? null) : port,
        });
      }),
    startVirtualBoard: async () => {
      await useStudio.getState().act(async () => {
        const { path } = await call('bench.virtual.start', { kind: 'stm32' });
        set({ port: path });
      });
      await get().listPorts();
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
    flash: async ({ port, source, expectVersion, baudRate }, releaseId) => {
      set({ isFlashing: true, flashProblem: null });
      try {
        const run = await call('bench.flash', {
          port,
          protocol: 'stm32',
          baudRate,
          ...source,
          ...(expectVersion === '' ? {} : { expectVersion }),
        });
        await get().listRuns(releaseId);
        await get().openRun(run.id);
      } catch (error) {
        const problem = toProblem(error);
        set({ flashProblem: problem.code === 'cancelled' ? cancelledFlash : problem });
        const before = get().runs?.[0]?.id;
        await get().listRuns(releaseId);
        const [newest] = get().runs ?? [];
        if (newest && newest.id !== before) await get().openRun(newest.id);
      } finally {
        set({ isFlashing: false });
      }
    },
  };
});
