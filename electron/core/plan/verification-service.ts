import { randomUUID } from 'node:crypto';
import type { OtaCloud } from '../../../shared/domain/cloud.ts';
import { computeRecordGates } from '../../../shared/domain/gates.ts';
import type { WorkContext } from '../../../shared/domain/job.ts';
import { choosePackage, reportedVersion } from '../../../shared/domain/scope.ts';
import type { Device, Plan } from '../../../shared/domain/plan.ts';
import { planComponents } from '../../../shared/domain/plan-draft.ts';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';
import { type Verification, verificationTimes } from '../../../shared/domain/verification.ts';
import type { Workspace } from '../workspace/workspace.ts';
import type { PlanService } from './plan-service.ts';

/** The gate of a bench run is left out: a verification may be what a release is tried with first. */
const skippedGate = 'bench';

/** Tries version packages on one device each, as a plan of the cloud with one device and an hour of time. */
export class VerificationService {
  readonly #workspace: Workspace;
  readonly #plans: PlanService;
  readonly #cloud: () => Promise<OtaCloud>;

  constructor(workspace: Workspace, plans: PlanService, cloud: () => Promise<OtaCloud>) {
    this.#workspace = workspace;
    this.#plans = plans;
    this.#cloud = cloud;
  }

  /**
   * Issues a component's package of a release to a device; it goes out as soon as the device is online.
   * @throws ProblemError `package-missing`, `device-missing`, `verification-refused`, `device-in-plan`, `gates-closed`
   */
  async start(
    order: { releaseId: string; componentId: string; deviceId: string },
    context: WorkContext,
  ): Promise<Verification> {
    const release = this.#workspace.release(order.releaseId);
    const releasePackages = this.#workspace.list('package', release.id);
    const component = planComponents(release.id, releasePackages).find(
      ({ componentId }) => componentId === order.componentId,
    );
    if (!component) throw noPackage(release.version, order.componentId);
    const startedAt = new Date();
    const plan: Plan = {
      id: randomUUID(),
      kind: 'verification',
      name: `Verification of ${order.componentId} ${component.targetVersion} on ${order.deviceId}`.slice(
        0,
        100,
      ),
      productId: release.productId,
      releaseId: release.id,
      mode: 'silent',
      components: [component],
      batches: [],
      whitelist: [order.deviceId],
      blacklist: [],
      retries: 0,
      ...verificationTimes(startedAt.getTime()),
      state: 'saved',
      createdAt: startedAt.toISOString(),
      publishedAt: null,
    };
    this.#checkGates(plan);
    const device = await this.#device(release.productId, order.deviceId);
    const fromVersion = device ? reportedVersion(device, order.componentId) : null;
    const choice = choosePackage(this.#plans.marked(plan).components[0] ?? component, fromVersion);
    const packageId = choice?.packageId ?? component.fullPackageId ?? '';
    const verification: Verification = {
      id: plan.id,
      releaseId: release.id,
      packageId,
      packageName: releasePackages.find(({ id }) => id === packageId)?.name ?? '',
      componentId: order.componentId,
      deviceId: order.deviceId,
      fromVersion,
      toVersion: component.targetVersion,
      startedAt: plan.createdAt,
      finishedAt: null,
      outcome: 'running',
      error: null,
    };
    // Recorded first: what a crash leaves behind is looked up in the cloud.
    this.#workspace.put('verification', release.id, verification);
    try {
      await this.#plans.send(plan, context);
    } catch (error) {
      // When the answer was lost, the cloud may be carrying it out.
      const isLost = error instanceof ProblemError && error.problem.code === 'cloud-unreachable';
      if (!isLost) this.#workspace.remove('verification', verification.id);
      throw error;
    }
    return verification;
  }

  /**
   * Those of a release, newest first, as they are now. The cloud is asked for only when one runs; without it
   * they are as they were last seen.
   */
  async list(releaseId: string, cloudOf: () => Promise<OtaCloud | null>): Promise<Verification[]> {
    const all = this.#workspace.list('verification', releaseId);
    const isOpen = ({ outcome }: Verification): boolean => outcome === 'running';
    const cloud = all.some(isOpen) ? await cloudOf() : null;
    const renewed: Verification[] = [];
    for (const one of all) renewed.push(cloud && isOpen(one) ? await this.#renew(one, cloud) : one);
    return renewed.reverse();
  }

  async #renew(verification: Verification, cloud: OtaCloud): Promise<Verification> {
    const found = await this.#outcome(verification, cloud);
    if (found === null) return verification;
    const ended = { ...verification, ...found };
    this.#workspace.put('verification', ended.releaseId, ended);
    return ended;
  }

  async #outcome(
    { id }: Verification,
    cloud: OtaCloud,
  ): Promise<Pick<Verification, 'outcome' | 'error' | 'finishedAt'> | null> {
    try {
      const { items } = await cloud.rolloutDevices(id, { offset: 0, limit: 1 });
      const [device] = items;
      if (!device || device.state === 'notUpgraded' || device.state === 'upgrading') return null;
      const isUpgraded = device.state === 'upgraded';
      return {
        outcome: isUpgraded ? 'succeeded' : 'failed',
        error: isUpgraded ? null : (device.error ?? device.state),
        finishedAt: device.updatedAt,
      };
    } catch (error) {
      if (!(error instanceof ProblemError) || error.problem.code !== 'plan-missing') throw error;
      return { outcome: 'failed', error: 'never-issued', finishedAt: new Date().toISOString() };
    }
  }

  async #device(productId: string, deviceId: string): Promise<Device | undefined> {
    const cloud = await this.#cloud();
    const found = await cloud.devices({ productId, search: deviceId, offset: 0, limit: 1000 });
    return found.items.find(({ id }) => id === deviceId);
  }

  #checkGates(plan: Plan): void {
    const closed = computeRecordGates({
      product: this.#workspace.product(plan.productId),
      packages: this.#plans.packages(plan),
      releasePackages: this.#workspace.list('package', plan.releaseId),
      sourcePackages: this.#workspace.list('package'),
      benchRuns: [],
      at: plan.createdAt,
      waivers: this.#workspace.list('waiver').filter(({ removed }) => removed === null),
    }).filter(({ id, passed }) => !passed && id !== skippedGate);
    if (closed.length > 0)
      throw problem(
        'gates-closed',
        'A gate says no',
        closed.map((gate) => `${gate.title}: ${gate.why}`).join(' '),
        'Meet the gate, then verify again.',
        'gate',
      );
  }
}

const noPackage = (version: string, componentId: string) =>
  problem(
    'package-missing',
    'The release has no such version package',
    `${version} has no version package of component ${componentId}.`,
    'Create it with: slipway bundle create.',
    'usage',
  );
