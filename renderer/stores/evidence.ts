import { create } from 'zustand';
import type { Output } from '../../shared/contract/contract.ts';
import type { BenchRun } from '../../shared/domain/bench.ts';
import type { EvidenceReport } from '../../shared/domain/evidence.ts';
import type { Plan } from '../../shared/domain/plan.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { call, type PickedFile } from '../rpc/client.ts';

/** One file that `evidence.list` names. */
export type ExportedEvidence = Output<'evidence.list'>[number];

/** What was verified last, and what came out. */
export interface Verified {
  readonly name: string;
  readonly outcome: { readonly report: EvidenceReport } | { readonly problem: Problem };
}

interface EvidenceState {
  /** Bench runs and plans of the release; `null` before they were read. */
  readonly records: { readonly runs: readonly BenchRun[]; readonly plans: readonly Plan[] } | null;
  readonly verified: Verified | null;
  readonly problem: Problem | null;
  readonly isExporting: boolean;
  readonly isVerifying: boolean;
  load(releaseId: string): Promise<void>;
  export(releaseId: string): Promise<void>;
  verifyFile(file: PickedFile): Promise<void>;
  verifyExported(evidence: ExportedEvidence): Promise<void>;
}

/** The records that evidence is made of, the files that were written, and the last check of one. */
export const useEvidence = create<EvidenceState>((set, get) => {
  let loadedId: string | null = null;
  const verify = async (name: string, work: () => Promise<EvidenceReport>): Promise<void> => {
    set({ isVerifying: true, verified: null });
    try {
      set({ verified: { name, outcome: { report: await work() } } });
    } catch (error) {
      set({ verified: { name, outcome: { problem: toProblem(error) } } });
    } finally {
      set({ isVerifying: false });
    }
  };
  return {
    records: null,
    verified: null,
    problem: null,
    isExporting: false,
    isVerifying: false,
    async load(releaseId) {
      if (releaseId !== loadedId) set({ records: null });
      loadedId = releaseId;
      try {
        const [runs, plans] = await Promise.all([
          call('bench.runs', { releaseId }),
          call('plans.list', { releaseId }),
        ]);
        if (releaseId === loadedId) set({ records: { runs, plans }, problem: null });
      } catch (error) {
        set({ problem: toProblem(error) });
      }
    },
    async export(releaseId) {
      set({ isExporting: true, problem: null });
      try {
        await call('evidence.export', { releaseId });
        await get().load(releaseId);
      } catch (error) {
        set({ problem: toProblem(error) });
      } finally {
        set({ isExporting: false });
      }
    },
    verifyFile: (file) => verify(file.name, () => call('evidence.verify', { file: file.handle })),
    verifyExported: ({ path }) => verify(path, () => call('evidence.verify', { exported: path })),
  };
});
