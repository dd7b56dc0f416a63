import { create } from 'zustand';
import type { FleetStatus, FleetUsers } from '../../shared/contract/cloud-calls.ts';
import type { Decision } from '../../shared/domain/cloud.ts';
import type {
  ActOutcome,
  DeviceAct,
  HistoryPoint,
  Plan,
  PlanDraftInput,
  PlanStatus,
} from '../../shared/domain/plan.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { call } from '../rpc/client.ts';
import { useStudio } from './studio.ts';

/** The parts of the rollout view. */
export type RolloutTab = 'live' | 'editor' | 'devices';

/** Which simulated devices a person asks for; null where the view proposes something. */
export interface FleetForm {
  readonly componentId: string | null;
  readonly fromVersion: string | null;
  readonly http: number;
  readonly mqtt: number;
  readonly lwm2m: number;
  readonly chinaTelecom: number;
  /** Percent of them whose upgrades fail, and that fall silent. */
  readonly failPercent: number;
  readonly silentPercent: number;
  readonly lowBattery: number;
  readonly weakSignal: number;
  readonly users: FleetUsers;
}

interface RolloutState {
  readonly tab: RolloutTab;
  readonly fleetForm: FleetForm;
  readonly isCloudBusy: boolean;
  readonly fleet: FleetStatus | null;
  readonly isFleetBusy: boolean;
  /** Plans of the release, newest first; `null` before they were read. */
  readonly plans: readonly Plan[] | null;
  readonly planId: string | null;
  /** Of the chosen plan, once it was read. */
  readonly status: PlanStatus | null;
  readonly history: readonly HistoryPoint[];
  /** Why following the cloud or the plan failed last. */
  readonly problem: Problem | null;
  openTab(tab: RolloutTab): void;
  changeFleetForm(change: Partial<FleetForm>): void;
  /** Asks how the cloud and the simulated devices are; never starts anything. */
  follow(): Promise<void>;
  startCloud(): Promise<void>;
  stopCloud(): Promise<void>;
  startFleet(order: Parameters<typeof call<'fleet.start'>>[1]): Promise<void>;
  stopFleet(): Promise<void>;
  listPlans(releaseId: string): Promise<void>;
  choosePlan(planId: string | null): void;
  /** Number of the last change of the chosen plan that was heard of. */
  readonly changeSeq: number;
  /** Reads status and history of the chosen plan from the cloud. */
  followPlan(): Promise<void>;
  /** Hears what becomes of the plan as it happens, until the returned function is called. */
  listenTo(planId: string): () => void;
  control(action: 'suspend' | 'resume' | 'terminate'): Promise<void>;
  /** Resumes a plan that a rule stopped. @throws ProblemError */
  resumeAccepting(accept: Decision): Promise<void>;
  /** Opens a stage, from 1. @throws ProblemError */
  openStage(stage: number, by: Decision): Promise<void>;
  /** Confirms, appoints, cancels or retries devices of the chosen plan; null when the cloud did not answer. */
  actOnDevices(deviceIds: readonly string[], what: DeviceAct): Promise<ActOutcome | null>;
  /** Saves a draft and opens it; its id, or null when the engine refused it. */
  savePlan(draft: PlanDraftInput): Promise<string | null>;
  deletePlan(planId: string): Promise<void>;
  /** True when the cloud has taken the plan. */
  publishPlan(planId: string): Promise<boolean>;
}

/** Reading a history of n points is worth it every n / 1000 seconds, and once a second at most. */
const historyPointsPerSecond = 1000;
const shortestHistoryPauseMs = 1000;

/** The local cloud, simulated devices, and the plans of the release with their live rollout. */
export const useRollout = create<RolloutState>((set, get) => {
  const act = (work: () => Promise<void>): Promise<boolean> => useStudio.getState().act(work);
  let historyReadMs = 0;
  let listedReleaseId: string | null = null;
  /** Whether the shown problem is that the cloud and the fleet could not be followed. */
  let isLost = false;

  const relist = async (): Promise<void> => {
    if (listedReleaseId !== null) await get().listPlans(listedReleaseId);
    await useStudio.getState().refresh();
  };
  const take = (status: PlanStatus): void => {
    const { planId, plans } = get();
    if (status.planId !== planId) return;
    const known = plans?.find((plan) => plan.id === planId);
    set({ status });
    if (known && known.state !== status.state) {
      const renewed = { ...known, state: status.state };
      set({ plans: plans?.map((plan) => (plan === known ? renewed : plan)) ?? null });
      // Not through `act`, which would take a problem off the screen that a person has not read.
      useStudio
        .getState()
        .refresh()
        .catch((error: unknown) => set({ problem: toProblem(error) }));
    }
  };

  /** The last points are read at once: nothing comes after them that would. */
  const readHistory = async (planId: string, state: PlanStatus['state']): Promise<void> => {
    const isOver = state === 'ended' || state === 'terminated';
    const waitMs = Math.max(
      shortestHistoryPauseMs,
      (1000 * get().history.length) / historyPointsPerSecond,
    );
    if (!isOver && Date.now() - historyReadMs < waitMs) return;
    historyReadMs = Date.now();
    const points = await call('plans.history', { planId });
    if (get().planId === planId) set({ history: points });
  };

  return {
    tab: 'live',
    fleetForm: {
      componentId: null,
      fromVersion: null,
      http: 10,
      mqtt: 10,
      lwm2m: 5,
      chinaTelecom: 0,
      failPercent: 0,
      silentPercent: 0,
      lowBattery: 0,
      weakSignal: 0,
      users: 'ignore',
    },
    isCloudBusy: false,
    fleet: null,
    isFleetBusy: false,
    plans: null,
    planId: null,
    status: null,
    history: [],
    changeSeq: 0,
    problem: null,
    openTab: (tab) => set({ tab }),
    changeFleetForm: (change) => set({ fleetForm: { ...get().fleetForm, ...change } }),
    async follow() {
      try {
        const [fleet] = await Promise.all([
          call('fleet.status', {}),
          useStudio.getState().refreshCloud(),
        ]);
        set({ fleet, ...(isLost ? { problem: null } : {}) });
        isLost = false;
      } catch (error) {
        isLost = true;
        set({ problem: toProblem(error) });
      }
    },
    async startCloud() {
      set({ isCloudBusy: true });
      await act(async () => void (await call('cloud.start', {})));
      await get().follow();
      set({ isCloudBusy: false, problem: null });
    },
    async stopCloud() {
      set({ isCloudBusy: true });
      await act(async () => void (await call('cloud.stop', {})));
      await get().follow();
      set({ isCloudBusy: false, problem: null });
    },
    async startFleet(order) {
      set({ isFleetBusy: true });
      await act(async () => set({ fleet: await call('fleet.start', order) }));
      await get().follow();
      set({ isFleetBusy: false });
    },
    async stopFleet() {
      set({ isFleetBusy: true });
      await act(async () => void (await call('fleet.stop', {})));
      await get().follow();
      set({ isFleetBusy: false });
    },
    async listPlans(releaseId) {
      try {
        if (releaseId !== listedReleaseId) set({ plans: null });
        listedReleaseId = releaseId;
        const plans = (await call('plans.list', { releaseId })).reverse();
        if (releaseId !== listedReleaseId) return;
        const { planId } = get();
        const known = plans.some((plan) => plan.id === planId);
        set({ plans });
        if (!known) get().choosePlan(plans[0]?.id ?? null);
      } catch (error) {
        set({ problem: toProblem(error) });
      }
    },
    choosePlan(planId) {
      historyReadMs = 0;
      set({ planId, status: null, history: [], problem: null });
    },
    listenTo(planId) {
      const fail = (error: unknown): void => set({ problem: toProblem(error) });
      const unsubscribe = window.slipway.subscribe((event) => {
        if (event.type !== 'plan' || event.planId !== planId) return;
        const { status } = get();
        // Who was left out and who is held comes with the status that is asked for.
        if (status?.planId === planId) take({ ...status, ...event.change.progress });
        set({ changeSeq: event.seq });
        readHistory(planId, event.change.progress.state).catch(fail);
      });
      call('plans.follow', { planId }).catch(fail);
      return () => {
        unsubscribe();
        call('plans.follow', { planId: null }).catch(fail);
      };
    },
    async followPlan() {
      const { planId } = get();
      if (planId === null) return;
      try {
        const status = await call('plans.status', { planId });
        take(status);
        await readHistory(planId, status.state);
        set({ problem: null });
      } catch (error) {
        if (get().planId === planId) set({ problem: toProblem(error) });
      }
    },
    async control(action) {
      const { planId } = get();
      if (planId === null) return;
      await act(async () => take(await call(`plans.${action}`, { planId })));
    },
    async resumeAccepting(accept) {
      const { planId } = get();
      if (planId !== null) take(await call('plans.resume', { planId, accept }));
    },
    async openStage(stage, by) {
      const { planId } = get();
      if (planId !== null) take(await call('plans.openStage', { planId, stage, ...by }));
    },
    async actOnDevices(deviceIds, what) {
      const { planId } = get();
      let outcome: ActOutcome | null = null;
      if (planId === null) return outcome;
      await act(async () => {
        outcome = await call('plans.act', { planId, deviceIds: [...deviceIds], act: what });
      });
      await get().followPlan();
      return outcome;
    },
    async savePlan(draft) {
      let planId: string | null = null;
      await act(async () => {
        planId = (await call('plans.create', draft)).id;
        get().choosePlan(planId);
        await relist();
      });
      return planId;
    },
    async deletePlan(planId) {
      await act(async () => {
        await call('plans.delete', { planId });
        await relist();
      });
    },
    publishPlan: (planId) =>
      act(async () => {
        take(await call('plans.publish', { planId }));
        await relist();
      }),
  };
});
