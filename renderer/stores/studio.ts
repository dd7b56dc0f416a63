import { create } from 'zustand';
import type { LogEntry, Output, ReleaseSummary } from '../../shared/contract/contract.ts';
import type { Job } from '../../shared/domain/job.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import type { Product, VersionPackage } from '../../shared/domain/product.ts';
import { call } from '../rpc/client.ts';

/** The rooms of the release line that have a view, in their order; `settings` stands apart. */
export const viewNames = [
  'releases',
  'bundle',
  'delta',
  'bench',
  'rollout',
  'evidence',
  'settings',
] as const;
export type ViewName = (typeof viewNames)[number];

const keptLogEntries = 1000;

interface StudioState {
  readonly info: Output<'app.info'> | null;
  readonly products: readonly Product[];
  readonly releases: readonly ReleaseSummary[];
  readonly packages: readonly VersionPackage[];
  /** The release that every view works on. */
  readonly releaseId: string | null;
  readonly view: ViewName;
  /** Newest first. */
  readonly jobs: readonly Job[];
  /** Oldest first. */
  readonly log: readonly LogEntry[];
  readonly problem: Problem | null;
  openView(view: ViewName): void;
  selectRelease(releaseId: string | null): void;
  dismissProblem(): void;
  /** Loads everything once, then follows the engine's events. */
  start(): Promise<void>;
  /** Reads products, releases and packages again, after something was made. */
  refresh(): Promise<void>;
  /** Runs what a person asked for and shows the problem when it fails; true when it worked. */
  act(work: () => Promise<void>): Promise<boolean>;
}

/** What every view of the window shares: the release line's records, the jobs and the log. */
export const useStudio = create<StudioState>((set, get) => ({
  info: null,
  products: [],
  releases: [],
  packages: [],
  releaseId: null,
  view: 'releases',
  jobs: [],
  log: [],
  problem: null,
  openView: (view) => set({ view }),
  selectRelease: (releaseId) => set({ releaseId }),
  dismissProblem: () => set({ problem: null }),
  async start() {
    window.slipway.subscribe((event) => {
      if (event.type === 'job') set({ jobs: withJob(get().jobs, event.job) });
      else set({ log: [...get().log, event.entry].slice(-keptLogEntries) });
    });
    await get().act(async () => {
      const [info, jobs, log] = await Promise.all([
        call('app.info', {}),
        call('jobs.list', {}),
        call('log.tail', {}),
      ]);
      set({ info, jobs, log });
      await get().refresh();
    });
  },
  async refresh() {
    const [products, releases, packages] = await Promise.all([
      call('products.list', {}),
      call('releases.list', {}),
      call('packages.list', {}),
    ]);
    const known = releases.some((release) => release.id === get().releaseId);
    set({
      products,
      releases,
      packages,
      releaseId: known ? get().releaseId : (releases[0]?.id ?? null),
    });
  },
  async act(work) {
    set({ problem: null });
    try {
      await work();
      return true;
    } catch (error) {
      set({ problem: toProblem(error) });
      return false;
    }
  },
}));

function withJob(jobs: readonly Job[], job: Job): Job[] {
  const known = jobs.findIndex((candidate) => candidate.id === job.id);
  return known < 0 ? [job, ...jobs] : jobs.map((other, index) => (index === known ? job : other));
}

/** The chosen release with its product, or null before one is chosen. */
export function useRelease(): { release: ReleaseSummary; product: Product } | null {
  const release = useStudio((state) =>
    state.releases.find((candidate) => candidate.id === state.releaseId),
  );
  const product = useStudio((state) =>
    state.products.find((candidate) => candidate.id === release?.productId),
  );
  return release && product ? { release, product } : null;
}
