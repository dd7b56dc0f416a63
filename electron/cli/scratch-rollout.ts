import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { VersionPackage } from '../../shared/domain/product.ts';
import { FleetProcess } from '../core/clouds/fleet-process.ts';
import { LocalCloud } from '../core/clouds/local-cloud.ts';
import { makeSimulatedDevices } from '../core/clouds/simulated-identities.ts';
import { hashFile } from '../core/workspace/object-store.ts';

/** A cloud and the simulated devices to bring to it. */
export interface FleetTarget {
  readonly http: string;
  readonly mqtt: string;
  readonly token: string;
  readonly protocol: 'http' | 'mqtt';
  readonly devices: number;
  readonly productId: string;
  readonly componentId: string;
  readonly fromVersion: string;
}

/** The shape of `fleet simulate --rollout`. */
export interface ScratchResult {
  readonly devices: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly elapsedMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Registers the devices and runs them until stopped. */
export async function serveFleet(target: FleetTarget): Promise<FleetProcess> {
  const cloud = new LocalCloud({ http: target.http, token: target.token });
  await cloud.putProduct({ id: target.productId, name: target.productId });
  const devices = makeSimulatedDevices({
    productId: target.productId,
    componentId: target.componentId,
    fromVersion: target.fromVersion,
    http: target.protocol === 'http' ? target.devices : 0,
    mqtt: target.protocol === 'mqtt' ? target.devices : 0,
    batch: 'simulated',
  });
  const { secrets } = await cloud.putDevices(devices, { rotate: true });
  const fleet = new FleetProcess();
  await fleet.start({
    endpoint: { http: target.http, mqtt: target.mqtt },
    devices: devices.map(({ id, transport, versions }) => ({
      id,
      transport,
      versions,
      secret: secrets[id] ?? '',
    })),
  });
  return fleet;
}

const pollMs = 200;
const devicesPerPage = 500;

/** Publishes a silent full plan of a scratch image to the devices and waits for its end. */
export async function runScratchRollout(
  target: FleetTarget,
  imagePath: string,
  signal: AbortSignal,
): Promise<ScratchResult> {
  const cloud = new LocalCloud({ http: target.http, token: target.token });
  const fleet = await serveFleet(target);
  try {
    const image = await hashFile(imagePath);
    const targetVersion = `scratch-${randomUUID().slice(0, 8)}`;
    const file = { name: 'image.bin', role: 'image' as const, ...image, format: 'unknown' };
    const pkg: VersionPackage = {
      id: randomUUID(),
      releaseId: targetVersion,
      productId: target.productId,
      componentId: target.componentId,
      componentType: 'mcu',
      name: targetVersion,
      packageType: 'full',
      sourceVersion: null,
      targetVersion,
      files: [file],
      sha256: image.sha256,
      sizeBytes: image.sizeBytes,
      report: { verdict: 'pass', files: [] },
      deltaProof: null,
      createdAt: new Date().toISOString(),
    };
    await cloud.putPackage(pkg, { path: imagePath, name: file.name, ...image });
    const planId = randomUUID();
    const startedMs = Date.now();
    const publishedAt = new Date(startedMs).toISOString();
    let status = await cloud.publish(
      {
        id: planId,
        name: targetVersion,
        productId: target.productId,
        releaseId: targetVersion,
        mode: 'silent',
        state: 'saved',
        createdAt: publishedAt,
        publishedAt,
        components: [
          {
            componentId: target.componentId,
            componentType: 'mcu',
            targetVersion,
            fullPackageId: pkg.id,
            deltas: [],
          },
        ],
        batches: [],
        whitelist: [],
        blacklist: [],
        retries: 5,
      },
      { chinaTelecomIccidPrefixes: [] },
    );
    while (status.state !== 'ended' && status.state !== 'terminated') {
      await sleep(pollMs, undefined, { signal });
      status = await cloud.status(planId);
    }
    const finishedMs: number[] = [];
    for (let offset = 0; ; offset += devicesPerPage) {
      const page = await cloud.rolloutDevices(planId, {
        offset,
        limit: devicesPerPage,
        state: 'upgraded',
      });
      finishedMs.push(...page.items.map((device) => Date.parse(device.updatedAt) - startedMs));
      if (page.items.length < devicesPerPage) break;
    }
    finishedMs.sort((a, b) => a - b);
    const percentile = (share: number): number =>
      finishedMs[Math.min(finishedMs.length - 1, Math.floor(share * finishedMs.length))] ?? 0;
    return {
      devices: target.devices,
      succeeded: status.counts.upgraded,
      failed: status.counts.failed,
      elapsedMs: finishedMs.at(-1) ?? Date.now() - startedMs,
      p50Ms: percentile(0.5),
      p99Ms: percentile(0.99),
    };
  } finally {
    await fleet.stop();
  }
}
