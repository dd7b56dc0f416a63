import { randomUUID } from 'node:crypto';
import type { Output, ParsedInput } from '../../../shared/contract/contract.ts';
import { combinationsAfter } from '../../../shared/domain/compatibility.ts';
import type { DecisionOrder, OtaCloud } from '../../../shared/domain/cloud.ts';
import { computeGates } from '../../../shared/domain/gates.ts';
import { markDeltas } from '../../../shared/domain/delta-capability.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { type LastRollout, previewPlan } from '../../../shared/domain/plan-preview.ts';
import {
  planDraftSchema,
  type ScopeDecision,
  type ActOutcome,
  type Device,
  type DeviceAct,
  type Plan,
  type PlanCheck,
  type PlanDraft,
  type PlanStatus,
} from '../../../shared/domain/plan.ts';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import { planInvalid } from '../../../shared/domain/plan-draft.ts';
import { planFault } from '../../../shared/domain/plan-strategy.ts';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';
import {
  decideScope,
  reportedVersion,
  type ScopePolicy,
  summarizeScope,
  unknownListedIds,
  upgradePaths,
} from '../../../shared/domain/scope.ts';
import { groupOf } from '../../../shared/report/scope-csv.ts';
import { sha256 } from '../../files/sha256.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { artifactOf, checkComponent } from './plan-packages.ts';

/** The largest page that the operator API of the local cloud gives. */
const devicesPerPage = 1000;
/** How many published plans are asked for how they went. */
const rolloutsLookedAt = 5;

type ScopeQuery = ParsedInput<'plans.scopeDevices'>;

/** A plan of another cloud, or of one that was emptied, tells nothing. */
const missingPlan = (error: unknown): null => {
  if (error instanceof ProblemError && error.problem.code === 'plan-missing') return null;
  throw error;
};

/** Plans of a workspace: drafting, gates, publishing, following. */
export class PlanService {
  readonly #workspace: Workspace;
  readonly #cloud: () => Promise<OtaCloud>;
  /** Of the last plan that was looked at, so that its devices can be paged through. */
  #decided: { readonly key: string; readonly decisions: readonly ScopeDecision[] } | null = null;

  constructor(workspace: Workspace, cloud: () => Promise<OtaCloud>) {
    this.#workspace = workspace;
    this.#cloud = cloud;
  }

  /** Saves a draft. @throws ProblemError `plan-invalid`, `plan-packages` when a package does not fit its place */
  create(draft: PlanDraft): Plan {
    this.#workspace.release(draft.releaseId);
    const fault = planFault(draft);
    if (fault !== null) throw planInvalid(fault);
    for (const component of draft.components) checkComponent(this.#workspace, draft, component);
    const plan: Plan = {
      ...draft,
      id: randomUUID(),
      state: 'saved',
      createdAt: new Date().toISOString(),
      publishedAt: null,
    };
    this.#workspace.put('plan', plan.releaseId, plan);
    return plan;
  }

  /** Deletes a plan that was never published. @throws ProblemError `plan-published` */
  delete(planId: string): void {
    if (this.#workspace.get('plan', planId).publishedAt !== null) {
      throw problem(
        'plan-published',
        'A published plan cannot be deleted',
        `Plan ${planId} is part of the record of its release.`,
        'Terminate it when it must not go on.',
        'usage',
      );
    }
    this.#workspace.remove('plan', planId);
  }

  /** Gates and scope of a saved plan, computed from the records of this moment. */
  check(planId: string): Promise<PlanCheck> {
    return this.preview(this.#workspace.get('plan', planId), planId);
  }

  /** Gates and scope of a plan that need not be saved. @throws ProblemError `plan-packages` */
  async preview(draft: PlanDraft, planId: string | null = null): Promise<PlanCheck> {
    for (const component of draft.components) checkComponent(this.#workspace, draft, component);
    const { plan, devices, decisions } = await this.decide(draft);
    const scope = summarizeScope(decisions);
    const gates = computeGates({
      product: this.#workspace.product(plan.productId),
      combinations: combinationsAfter(plan, devices, decisions),
      packages: this.packages(plan),
      releasePackages: this.#workspace.list('package', plan.releaseId),
      sourcePackages: this.#workspace.list('package'),
      benchRuns: this.#workspace.list('benchRun'),
      at: new Date().toISOString(),
      waivers: this.#workspace.list('waiver').filter(({ removed }) => removed === null),
      scope,
      unknownIds: unknownListedIds(plan, devices),
    });
    const packages = this.packages(plan).map((pkg) => ({
      pkg,
      sizeBytes: artifactOf(this.#workspace, pkg).sizeBytes,
    }));
    const product = this.#workspace.product(plan.productId);
    const preview = previewPlan({
      plan,
      decisions,
      devices,
      packages,
      product,
      lastRollout: await this.#lastRollout(plan.productId),
      cohortSeed: planId,
      sha256,
    });
    return { gates, scope, preview };
  }

  /** What each device of the product gets, or why it is skipped. */
  async decisions(draft: PlanDraft): Promise<readonly ScopeDecision[]> {
    const key = JSON.stringify(draft);
    if (this.#decided?.key === key) return this.#decided.decisions;
    return (await this.decide(draft)).decisions;
  }

  /** One page of the devices that get the same, or are skipped for the same reason. */
  async scopeDevices(query: ScopeQuery): Promise<Output<'plans.scopeDevices'>> {
    const found = (await this.decisions(query.plan)).filter(
      (decision) =>
        groupOf(decision) === query.group && decision.deviceId.includes(query.search.trim()),
    );
    const page = found.slice(query.offset, query.offset + query.limit);
    const items = page.map(({ deviceId, detail }) => ({ deviceId, detail }));
    return { total: found.length, items };
  }

  /** What such devices get, or why they are skipped. */
  decideFor(draft: PlanDraft, devices: readonly Device[]): ScopeDecision[] {
    return decideScope(this.marked(draft), devices, this.#policy(draft.productId));
  }

  /** The devices of the product and what each gets. */
  async decide(draft: PlanDraft): Promise<{
    readonly plan: PlanDraft;
    readonly devices: readonly Device[];
    readonly decisions: readonly ScopeDecision[];
  }> {
    const plan = this.marked(draft);
    const devices = await this.#devices(plan.productId);
    const decisions = this.decideFor(plan, devices);
    this.#decided = { key: JSON.stringify(planDraftSchema.parse(draft)), decisions };
    return { plan, devices, decisions };
  }

  /** The newest rollout of a product that got 95 % of its devices upgraded, as the cloud remembers it. */
  async #lastRollout(productId: string): Promise<LastRollout | null> {
    const published = this.#workspace
      .list('plan')
      .filter((plan) => plan.productId === productId && plan.publishedAt !== null)
      .toSorted((one, other) => (other.publishedAt ?? '').localeCompare(one.publishedAt ?? ''));
    const cloud = await this.#cloud();
    for (const { id, name } of published.slice(0, rolloutsLookedAt)) {
      const status = await cloud.status(id).catch(missingPlan);
      if (typeof status?.timeTo95Ms === 'number')
        return { planName: name, devices: status.counts.upgraded, timeTo95Ms: status.timeTo95Ms };
    }
    return null;
  }

  /** Uploads the packages and publishes. @throws ProblemError `gates-closed` naming each closed gate */
  async publish(planId: string, context: WorkContext): Promise<PlanStatus> {
    const plan = this.#workspace.get('plan', planId);
    const adopted = await this.#adopt(plan);
    if (adopted) return adopted;
    context.onProgress({ step: 'Checking gates', done: 0, total: 0, unit: 'items' });
    const checked = await this.check(planId);
    const closed = checked.gates.filter((gate) => !gate.passed);
    if (closed.length > 0) {
      throw problem(
        'gates-closed',
        'A gate says no',
        closed.map((gate) => `${gate.title}: ${gate.why}`).join(' '),
        'Meet the gate, then publish again.',
        'gate',
      );
    }
    const product = this.#workspace.product(plan.productId);
    const { gates, scope } = checked;
    const status = await this.send(plan, context, {
      record: () =>
        this.#workspace.put('planCheck', plan.releaseId, { id: plan.id, product, gates, scope }),
    });
    return this.#published(plan, status);
  }

  /** Brings a plan with its packages to a cloud, whatever the gates say; `record` is called before it is told to begin. */
  async send(
    plan: Plan,
    context: WorkContext,
    options: { readonly cloud?: OtaCloud; readonly record?: () => void } = {},
  ): Promise<PlanStatus> {
    const cloud = options.cloud ?? (await this.#cloud());
    const product = this.#workspace.product(plan.productId);
    await cloud.putProduct({ id: product.id, name: product.name });
    const packages = this.packages(plan);
    for (const [index, pkg] of packages.entries()) {
      context.signal.throwIfAborted();
      context.onProgress({
        step: 'Uploading packages',
        done: index,
        total: packages.length,
        unit: 'items',
      });
      await cloud.putPackage(pkg, artifactOf(this.#workspace, pkg));
    }
    context.signal.throwIfAborted();
    options.record?.();
    const marked = { ...plan, ...this.marked(plan) };
    return cloud.publish(marked, this.#policy(plan.productId));
  }

  /** Suspends or terminates a published plan. @throws ProblemError `plan-missing` | `plan-state` */
  async control(planId: string, action: 'suspend' | 'terminate'): Promise<PlanStatus> {
    this.#workspace.get('plan', planId);
    return this.#remember(await (await this.#cloud())[action](planId));
  }

  /** Resumes a suspended plan; after a stop with who accepts its failures and why. */
  async resume(planId: string, accept: DecisionOrder | undefined): Promise<PlanStatus> {
    this.#workspace.get('plan', planId);
    return this.#remember(await (await this.#cloud()).resume(planId, accept));
  }

  /** Opens a stage, from 1, before its time or at a hold. @throws ProblemError `last-stage` | `plan-state` */
  async openStage(planId: string, stage: number, by: DecisionOrder): Promise<PlanStatus> {
    this.#workspace.get('plan', planId);
    return this.#remember(await (await this.#cloud()).openStage(planId, stage, by));
  }

  /** Confirms, appoints, cancels or retries devices of a published plan, each for itself. @throws ProblemError `plan-missing` */
  async actOnDevices(
    planId: string,
    deviceIds: readonly string[],
    act: DeviceAct,
  ): Promise<ActOutcome> {
    this.#workspace.get('plan', planId);
    return (await this.#cloud()).actOnDevices(planId, deviceIds, act);
  }

  async status(planId: string): Promise<PlanStatus> {
    const plan = this.#workspace.get('plan', planId);
    if (plan.publishedAt) return this.#remember(await (await this.#cloud()).status(planId));
    const adopted = await this.#adopt(plan);
    if (adopted) return adopted;
    const counts = { notUpgraded: 0, upgrading: 0, upgraded: 0, failed: 0, noUpdateRequired: 0 };
    return { planId, state: 'saved', counts, successRate: null, failureReasons: [], skipped: [] };
  }

  /** Version packages that the plan delivers. */
  packages(plan: PlanDraft): VersionPackage[] {
    const ids = plan.components.flatMap((component) => [
      component.fullPackageId,
      ...component.deltas.map((delta) => delta.packageId),
    ]);
    return ids.filter((id) => id !== null).map((id) => this.#workspace.get('package', id));
  }

  /** How many devices run each version of a component; devices that reported none are left out. */
  async versionsInField(
    productId: string,
    componentId: string,
  ): Promise<ReadonlyMap<string, number>> {
    const counts = new Map<string, number>();
    for (const device of await this.#devices(productId)) {
      const version = reportedVersion(device, componentId);
      if (version !== null) counts.set(version, (counts.get(version) ?? 0) + 1);
    }
    return counts;
  }

  /** The ids of all devices of a product. */
  async deviceIds(productId: string): Promise<string[]> {
    return (await this.#devices(productId)).map(({ id }) => id);
  }

  async #devices(productId: string): Promise<Device[]> {
    const cloud = await this.#cloud();
    const devices: Device[] = [];
    for (;;) {
      const page = await cloud.devices({
        productId,
        offset: devices.length,
        limit: devicesPerPage,
      });
      devices.push(...page.items);
      if (devices.length >= page.total || page.items.length === 0) return devices;
    }
  }

  /** With what the devices cannot apply, by the description of their components, which the cloud does not have. */
  marked(plan: PlanDraft): PlanDraft {
    return markDeltas(plan, this.#workspace.product(plan.productId), this.packages(plan));
  }

  #policy(productId: string): ScopePolicy {
    const { chinaTelecomIccidPrefixes } = this.#workspace.config;
    return { chinaTelecomIccidPrefixes, ...upgradePaths(this.#workspace.product(productId)) };
  }

  /**
   * The gates' answer is recorded before the cloud is told, the publication after it. When the
   * studio died in between, the cloud may be carrying the plan out already; then it is taken over.
   */
  async #adopt(plan: Plan): Promise<PlanStatus | null> {
    if (plan.publishedAt !== null || !this.#workspace.has('planCheck', plan.id)) return null;
    try {
      return this.#published(plan, await (await this.#cloud()).status(plan.id));
    } catch (error) {
      if (error instanceof ProblemError && error.problem.code === 'plan-missing') return null;
      throw error;
    }
  }

  #published(plan: Plan, status: PlanStatus): PlanStatus {
    this.#workspace.put('plan', plan.releaseId, {
      ...plan,
      state: status.state,
      publishedAt: new Date().toISOString(),
    });
    return status;
  }

  #remember(status: PlanStatus): PlanStatus {
    const plan = this.#workspace.get('plan', status.planId);
    if (plan.state !== status.state)
      this.#workspace.put('plan', plan.releaseId, { ...plan, state: status.state });
    return status;
  }
}
