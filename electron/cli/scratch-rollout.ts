import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FleetUsers } from '../../shared/contract/cloud-calls.ts';
import type { Device, Plan, PlanStatus, Transport } from '../../shared/domain/plan.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';
import { FleetProcess } from '../core/clouds/fleet-process.ts';
import { successTimes, timeAt } from '../core/clouds/success-times.ts';
import { LocalCloud } from '../core/clouds/local-cloud.ts';
import { untilReported } from '../core/clouds/reported-devices.ts';
import {
  type FleetFaults,
  type WeakDevices,
  firstSignals,
  makeSimulatedDevices,
  simulatedFaults,
} from '../core/clouds/simulated-identities.ts';
import { hashFile } from '../core/workspace/object-store.ts';
import { untilStopped } from './session.ts';

/** A cloud and the simulated devices to bring to it. */
export interface FleetTarget {
  /** `mqtt` is empty and `coap` null when no device uses it. */
  readonly cloud: {
    readonly http: string;
    readonly mqtt: string;
    readonly coap: string | null;
    readonly token: string;
  };
  /** How many devices use each protocol. */
  readonly devices: Readonly<Record<Transport, number>>;
  readonly productId: string;
  readonly componentId: string;
  readonly fromVersion: string;
  /** None when left out. */
  readonly faults?: FleetFaults;
  /** How many begin with little battery or a weak signal. */
  readonly weak?: WeakDevices;
  /** What users do when a manual plan asks them; they ignore it unless told otherwise. */
  readonly users?: FleetUsers;
  /** How often HTTP devices ask, instead of what the cloud wants. */
  readonly pollMs?: number;
}

/** The shape of `fleet simulate --rollout`; times are from publishing to a device's success. */
export interface ScratchResult {
  readonly devices: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const followPeriodMs = 200;

/** Registers the devices and runs them until `signal` is aborted. @throws ProblemError also when the fleet ends by itself */
export async function serveFleet(
  target: FleetTarget,
  signal: AbortSignal,
  onReady: () => void,
): Promise<void> {
  await withFleet(target, async (lost) => {
    onReady();
    await untilStopped(AbortSignal.any([signal, lost]));
    lost.throwIfAborted();
  });
}

/** Publishes a silent full plan of a scratch image to the devices and waits for its end. */
export async function runScratchRollout(
  target: FleetTarget,
  imagePath: string,
  signal: AbortSignal,
): Promise<ScratchResult> {
  return withFleet(target, async (lost) => {
    const cloud = new LocalCloud(target.cloud);
    const image = { path: imagePath, name: 'image.bin', ...(await hashFile(imagePath, signal)) };
    const pkg = scratchPackage(target, image);
    await cloud.putPackage(pkg, image);
    const stopped = AbortSignal.any([signal, lost]);
    await untilReported(cloud, devicesOf(target), { signal: stopped });
    const startedMs = Date.now();
    const plan = scratchPlan(target, pkg, new Date(startedMs).toISOString());
    await cloud.publish(plan, { chinaTelecomIccidPrefixes: [] });
    const silent = faultsOf(target).filter((fault) => fault === 'silent').length;
    const { counts } = await waitForEnd(cloud, plan.id, silent, stopped);
    const finishedMs = await successTimes(cloud, plan.id);
    const at = (share: number): number => timeAt(finishedMs, share) ?? startedMs;
    return {
      devices: plan.whitelist.length,
      succeeded: counts.upgraded,
      failed: counts.failed,
      elapsedMs: (finishedMs.at(-1) ?? Date.now()) - startedMs,
      p50Ms: at(0.5) - startedMs,
      p99Ms: at(0.99) - startedMs,
    };
  });
}

/** Registers the devices and does `work` while they run; `lost` is aborted when they end by themselves. */
async function withFleet<T>(
  target: FleetTarget,
  work: (lost: AbortSignal) => Promise<T>,
): Promise<T> {
  const cloud = new LocalCloud(target.cloud);
  await cloud.putProduct({ id: target.productId, name: target.productId });
  const devices = devicesOf(target);
  const { secrets } = await cloud.putDevices(devices, { rotate: true });
  const faults = faultsOf(target);
  const lost = new AbortController();
  const fleet = new FleetProcess({
    onLine: (line) => process.stderr.write(`${line}\n`),
    onLost: (failure) => lost.abort(failure),
  });
  try {
    await fleet.start({
      endpoint: target.cloud,
      users: target.users,
      pollMs: target.pollMs,
      devices: devices.map(({ id, transport, versions }, index) => ({
        id,
        transport,
        versions,
        secret: secrets[id] ?? '',
        fault: faults[index],
        ...firstSignals(index, target.weak ?? {}),
      })),
    });
    return await work(lost.signal);
  } finally {
    await fleet.stop();
  }
}

const noFaults: FleetFaults = { failShare: 0, silentShare: 0 };

function faultsOf({ devices, faults = noFaults }: FleetTarget): ReturnType<typeof simulatedFaults> {
  return simulatedFaults(devices.http + devices.mqtt + devices.lwm2m, faults);
}

function devicesOf(target: FleetTarget): Device[] {
  return makeSimulatedDevices({
    productId: target.productId,
    componentId: target.componentId,
    fromVersion: target.fromVersion,
    ...target.devices,
    batch: 'simulated',
  });
}

function scratchPackage(
  target: FleetTarget,
  image: { readonly name: string; readonly sizeBytes: number; readonly sha256: string },
): VersionPackage {
  const { name, sizeBytes, sha256 } = image;
  const targetVersion = `scratch-${randomUUID().slice(0, 8)}`;
  return {
    id: randomUUID(),
    releaseId: targetVersion,
    productId: target.productId,
    componentId: target.componentId,
    componentType: 'mcu',
    name: targetVersion,
    packageType: 'full',
    sourceVersion: null,
    targetVersion,
    files: [{ name, role: 'image', sizeBytes, sha256, format: 'unknown' }],
    sha256,
    sizeBytes,
    report: { verdict: 'pass', files: [] },
    deltaProof: null,
    createdAt: new Date().toISOString(),
  };
}

function scratchPlan(target: FleetTarget, pkg: VersionPackage, publishedAt: string): Plan {
  const { componentId, componentType, targetVersion } = pkg;
  return {
    id: randomUUID(),
    name: pkg.name,
    productId: target.productId,
    releaseId: pkg.releaseId,
    mode: 'silent',
    state: 'saved',
    createdAt: publishedAt,
    publishedAt,
    components: [{ componentId, componentType, targetVersion, fullPackageId: pkg.id, deltas: [] }],
    batches: [],
    // The product may have devices of an earlier run, which are no longer there.
    whitelist: devicesOf(target).map(({ id }) => id),
    blacklist: [],
    retries: 5,
  };
}

/** Follows the plan until only the silent devices are left; a plan that nobody waits for any longer is terminated. */
async function waitForEnd(
  cloud: LocalCloud,
  planId: string,
  silent: number,
  signal: AbortSignal,
): Promise<PlanStatus> {
  try {
    for (;;) {
      const status = await cloud.status(planId);
      if (status.state === 'ended' || status.state === 'terminated') return status;
      const { notUpgraded, upgrading } = status.counts;
      if (silent > 0 && notUpgraded + upgrading <= silent) {
        await cloud.terminate(planId);
        return status;
      }
      await sleep(followPeriodMs, undefined, { signal });
    }
  } catch (error) {
    if (signal.aborted) await cloud.terminate(planId);
    signal.throwIfAborted();
    throw error;
  }
}
