import { create } from 'zustand';
import type {
  LogEntry,
  Output,
  ReleaseSummary,
  Settings,
  StudioEvent,
} from '../../shared/contract/contract.ts';
import type { Job } from '../../shared/domain/job.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import type { Product, VersionPackage } from '../../shared/domain/product.ts';
import { call } from '../rpc/client.ts';
import { withJob, withLog } from './event-lists.ts';

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

/** Jobs after which the records of the release line are different. */
const recordingJobs = new Set([
  'bundle.create',
  'delta.create',
  'bench.flash',
  'plans.publish',
  'verifications.start',
  'evidence.export',
]);
/** Jobs that start the embedded cloud. */
const cloudJobs = new Set([
  'cloud.start',
  'devices.import',
  'fleet.start',
  'plans.publish',
  'verifications.start',
]);

interface StudioState {
  readonly info: Output<'app.info'> | null;
  readonly products: readonly Product[];
  readonly releases: readonly ReleaseSummary[];
  readonly packages: readonly VersionPackage[];
  readonly evidence: Output<'evidence.list'>;
  readonly settings: Settings | null;
  readonly cloud: Output<'cloud.status'> | null;
  /** Everything above has been read once. */
  readonly ready: boolean;
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
  /** Loads everything, then follows the engine's events. */
  start(): Promise<void>;
  /** Reads products, releases, packages and evidence again, after something was made. */
  refresh(): Promise<void>;
  /** Reads again whether the embedded cloud runs. */
  refreshCloud(): Promise<void>;
  /** Changes settings of the workspace. @throws ProblemError `config-invalid` */
  saveSettings(changes: Partial<Settings>): Promise<void>;
  /** Runs what a person asked for and shows the problem when it fails; true when it worked. */
  act(work: () => Promise<void>): Promise<boolean>;
}

/** What every view of the window shares: the release line's records, the jobs and the log. */
export const useStudio = create<StudioState>((set, get) => {
  let following = false;

  const onEvent = (event: StudioEvent): void => {
    if (event.type === 'log') {
      set({ log: withLog(get().log, [event.entry]) });
      return;
    }
    if (event.type !== 'job') return;
    const { job } = event;
    set({ jobs: withJob(get().jobs, job) });
    if (job.state === 'running') return;
    // Not through `act`: it would take the problem off the screen that the job has just ended with.
    const show = (error: unknown): void => set({ problem: toProblem(error) });
    if (recordingJobs.has(job.kind)) get().refresh().catch(show);
    if (cloudJobs.has(job.kind)) get().refreshCloud().catch(show);
  };

  return {
    info: null,
    products: [],
    releases: [],
    packages: [],
    evidence: [],
    settings: null,
    cloud: null,
    ready: false,
    releaseId: null,
    view: 'releases',
    jobs: [],
    log: [],
    problem: null,
    openView: (view) => set({ view }),
    selectRelease: (releaseId) => set({ releaseId }),
    dismissProblem: () => set({ problem: null }),
    async start() {
      if (!following) {
        following = true;
        window.slipway.subscribe(onEvent);
      }
      await get().act(async () => {
        const [info, settings, jobs, log] = await Promise.all([
          call('app.info', {}),
          call('settings.get', {}),
          call('jobs.list', {}),
          call('log.tail', {}),
        ]);
        set({ info, settings, jobs, log: withLog(get().log, log) });
        await Promise.all([get().refresh(), get().refreshCloud()]);
        set({ ready: true });
      });
    },
    async refresh() {
      const [products, releases, packages, evidence] = await Promise.all([
        call('products.list', {}),
        call('releases.list', {}),
        call('packages.list', {}),
        call('evidence.list', {}),
      ]);
      const known = releases.some((release) => release.id === get().releaseId);
      set({
        products,
        releases,
        packages,
        evidence,
        releaseId: known ? get().releaseId : (releases[0]?.id ?? null),
      });
    },
    async refreshCloud() {
      set({ cloud: await call('cloud.status', {}) });
    },
    async saveSettings(changes) {
      set({ settings: await call('settings.set', changes) });
    },
    async act(work) {
      set({ problem: null });
      try {
        await work();
        return true;
      } catch (error) {
        const problem = toProblem(error);
        // The person who cancelled knows; the job dock says so too.
        if (problem.code !== 'cancelled') set({ problem });
        return false;
      }
    },
  };
});

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

/** All running jobs of a kind. */
export function useRunningJobs(kind: string): readonly Job[] {
  const jobs = useStudio((state) => state.jobs);
  return jobs.filter((job) => job.state === 'running' && job.kind === kind);
}

/** The newest running job of these kinds, for example `delta.create`. */
export function useRunningJob(...kinds: readonly string[]): Job | undefined {
  return useStudio((state) =>
    state.jobs.find((job) => job.state === 'running' && kinds.includes(job.kind)),
  );
}
