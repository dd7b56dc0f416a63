import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetProcess } from '../../electron/core/clouds/fleet-process.ts';
import { untilReported } from '../../electron/core/clouds/reported-devices.ts';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { LocalCloudProcess } from '../../electron/core/clouds/local-cloud-process.ts';
import { makeSimulatedDevices } from '../../electron/core/clouds/simulated-identities.ts';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { PatchChoice } from '../../shared/domain/delta.ts';
import type { Device, PlanStatus } from '../../shared/domain/plan.ts';
import { componentId, productId, until } from '../support/cloud.ts';
import { firmwareLike, makePatch } from '../support/patches.ts';
import { artifactOf, packageOf, planOf } from '../support/scratch.ts';

const policy = { chinaTelecomIccidPrefixes: ['898603', '898611'] };
let folder: string;
let cloudProcess: LocalCloudProcess;
let cloud: LocalCloud;
let fleet: FleetProcess;
let studio: Studio | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-rollout-'));
  cloudProcess = new LocalCloudProcess({ dataDir: join(folder, 'cloud') });
  fleet = new FleetProcess();
});
afterEach(async () => {
  await fleet.stop();
  await cloudProcess.stop();
  await studio?.close();
  studio = null;
  await rm(folder, { recursive: true, force: true });
});

/** Simulated devices, at work on a cloud of their own. */
async function startFleet(
  http: number,
  mqtt: number,
  { chinaTelecom = 0, pollMs = 200 } = {},
): Promise<Device[]> {
  const endpoint = await cloudProcess.start();
  cloud = new LocalCloud(endpoint);
  await cloud.putProduct({ id: productId, name: 'Product' });
  const identity = { productId, componentId, fromVersion: '1.0.0', batch: null };
  const devices = makeSimulatedDevices({ ...identity, http, mqtt, chinaTelecom });
  const { secrets } = await cloud.putDevices(devices, { rotate: true });
  await fleet.start({
    endpoint,
    pollMs,
    devices: devices.map((device) => ({ ...device, secret: secrets[device.id] ?? '' })),
  });
  await untilReported(cloud, devices, {});
  return devices;
}

async function publishFull(sizeBytes: number, changes: Parameters<typeof planOf>[1] = {}) {
  const path = join(folder, 'image.bin');
  const bytes = randomBytes(sizeBytes);
  await writeFile(path, bytes);
  const artifact = artifactOf(path, bytes);
  const pkg = packageOf(artifact, { target: '2.0.0' });
  await cloud.putPackage(pkg, artifact);
  const plan = planOf(pkg, changes);
  return { planId: plan.id, status: await cloud.publish(plan, policy) };
}

const ended = (planId: string): Promise<PlanStatus> =>
  until(
    () => cloud.status(planId),
    ({ state }) => state === 'ended',
    40_000,
  );

async function versionsById(): Promise<Map<string, unknown>> {
  const { items } = await cloud.devices({ productId, offset: 0, limit: 1000 });
  return new Map(items.map((device) => [device.id, device.versions[componentId]]));
}

test('25 HTTP and 25 MQTT devices take a full plan; blacklisted and China Telecom ones stay', async () => {
  const devices = await startFleet(25, 25, { chinaTelecom: 3 });
  const telecom = devices.slice(-3).map(({ id }) => id);
  const blacklisted = devices[4]?.id ?? '';
  const { planId, status } = await publishFull(262_144, { blacklist: [blacklisted] });
  expect(status.skipped).toEqual([
    { reason: 'blacklisted', count: 1, devices: [blacklisted] },
    { reason: 'chinaTelecom', count: 3, devices: telecom },
  ]);
  const end = await ended(planId);
  expect(end.counts).toMatchObject({ upgraded: 46, failed: 0 });
  expect(end.successRate).toBe(1);
  const versions = await versionsById();
  for (const { id } of devices)
    expect([id, versions.get(id)]).toEqual([
      id,
      telecom.includes(id) || id === blacklisted ? '1.0.0' : '2.0.0',
    ]);
  const rollout = await cloud.rolloutDevices(planId, { offset: 0, limit: 100 });
  expect(new Set(rollout.items.map(({ attempts }) => attempts))).toEqual(new Set([1]));
  await until(
    () => fleet.status(),
    ({ updated }) => updated === 46,
  );
  await fleet.stop();
  expect(fleet.status()).toMatchObject({ running: false, devices: 50, http: 25, mqtt: 25 });
});

test('the cloud is killed in the middle of a rollout of 200 devices; each is upgraded once', async () => {
  await startFleet(100, 100, { pollMs: 2000 });
  const { planId } = await publishFull(1_000_000);
  await until(
    () => cloud.status(planId),
    ({ counts }) => counts.upgraded > 20,
  );
  const { pid } = JSON.parse(await readFile(join(folder, 'cloud/endpoint.json'), 'utf8')) as {
    pid: number;
  };
  process.kill(pid, 'SIGKILL');
  await until(
    () => cloudProcess.attach(),
    (address) => address === null,
  );
  cloud = new LocalCloud(await cloudProcess.start());
  expect((await cloud.status(planId)).counts.upgraded).toBeLessThan(200);
  const end = await ended(planId);
  expect(end.counts).toMatchObject({ upgraded: 200, failed: 0 });
  const { items } = await cloud.rolloutDevices(planId, { offset: 0, limit: 1000 });
  expect(items.filter(({ attempts }) => attempts !== 1)).toEqual([]);
  expect(new Set((await versionsById()).values())).toEqual(new Set(['2.0.0']));
});

test('through the studio: simulated devices really apply a delta', async () => {
  const workspace = join(folder, 'workspace');
  await cp('resources/sample', workspace, { recursive: true });
  const config = join(workspace, 'slipway.yaml');
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('benchRunsRequired: 1', 'benchRunsRequired: 0'));
  const opened = await createStudio({ workspacePath: workspace });
  studio = opened;

  const full = async (version: string) => {
    const release = await opened.ask('releases.create', { productId: 'SENSOR-1', version });
    const files = [join(workspace, `firmware/sensor-${version}.bin`)];
    return opened.ask('bundle.create', { releaseId: release.id, componentId: 'STM32', files });
  };
  const [source, target] = [await full('1.0.0'), await full('1.1.0')];
  const packages = { sourcePackageId: source.id, targetPackageId: target.id };
  const delta = await opened.ask('delta.create', packages);

  const component = { componentId: 'STM32', fromVersion: '1.0.0' };
  const counts = { http: 25, mqtt: 25, chinaTelecom: 2 };
  const status = await opened.ask('fleet.start', {
    productId: 'SENSOR-1',
    ...component,
    ...counts,
  });
  expect(status).toMatchObject({ running: true, devices: 50, http: 25, mqtt: 25 });
  expect(await opened.ask('cloud.status', {})).toMatchObject({ running: true });

  const plan = await opened.ask('plans.create', {
    name: 'Delta to 1.1.0',
    productId: 'SENSOR-1',
    releaseId: target.releaseId,
    components: [
      {
        componentId: 'STM32',
        componentType: 'mcu',
        targetVersion: '1.1.0',
        fullPackageId: null,
        deltas: [{ sourceVersion: '1.0.0', packageId: delta.id }],
      },
    ],
  });
  await opened.ask('plans.publish', { planId: plan.id });
  const end = await until(
    () => opened.ask('plans.status', { planId: plan.id }),
    ({ state }) => state === 'ended',
  );
  expect(end.counts).toMatchObject({ upgraded: 48, failed: 0 });
  expect(end.skipped).toMatchObject([{ reason: 'chinaTelecom', count: 2 }]);
  const rollout = await opened.ask('plans.devices', { planId: plan.id, limit: 500 });
  expect(rollout.items.flatMap(({ components }) => components)).toHaveLength(48);
  for (const { components } of rollout.items)
    expect(components).toMatchObject([{ packageType: 'delta', toVersion: '1.1.0' }]);
});

test('deltas of every kind are applied over every protocol, each on the result of the one before', async () => {
  const endpoint = await cloudProcess.start();
  cloud = new LocalCloud(endpoint);
  await cloud.putProduct({ id: productId, name: 'Product' });
  const identity = { productId, componentId, fromVersion: '0.0.0', batch: null };
  const devices = makeSimulatedDevices({ ...identity, http: 2, mqtt: 2, lwm2m: 2 });
  const { secrets } = await cloud.putDevices(devices, { rotate: true });
  const images = [0, 1, 2, 3].map((version) => firmwareLike(30_000, version));
  const path = join(folder, 'source.bin');
  await writeFile(path, images[0] ?? '');
  await fleet.start({
    endpoint,
    pollMs: 100,
    images: [{ componentId, version: '0.0.0', path }],
    devices: devices.map((device) => ({ ...device, secret: secrets[device.id] ?? '' })),
  });
  await untilReported(cloud, devices, {});
  const choices: readonly PatchChoice[] = [
    { format: 'vcdiff', compression: null },
    { format: 'detools-inplace', compression: 'heatshrink' },
    { format: 'hpatchlite', compression: 'tinyuz' },
  ];
  for (const [step, choice] of choices.entries()) {
    const [source, target] = [images[step], images[step + 1]] as [Uint8Array, Uint8Array];
    const patch = makePatch(source, target, choice, { memoryBytes: 96 * 1024, segmentBytes: 1024 });
    const patchPath = join(folder, `${step}.patch`);
    await writeFile(patchPath, patch);
    const artifact = artifactOf(patchPath, patch);
    const pkg = packageOf(artifact, { source: `${step}.0.0`, target: `${step + 1}.0.0` });
    await cloud.putPackage(pkg, artifact);
    const plan = planOf(pkg, { retries: 0 });
    await cloud.publish(plan, policy);
    expect(await ended(plan.id)).toMatchObject({
      counts: { upgraded: 6, failed: 0 },
      failureReasons: [],
    });
  }
});

test('a patch that cannot be applied fails on every device that has the source', async () => {
  const endpoint = await cloudProcess.start();
  cloud = new LocalCloud(endpoint);
  await cloud.putProduct({ id: productId, name: 'Product' });
  const identity = { productId, componentId, fromVersion: '1.0.0', batch: null };
  const devices = makeSimulatedDevices({ ...identity, http: 3, mqtt: 3 });
  const { secrets } = await cloud.putDevices(devices, { rotate: true });
  const path = join(folder, 'broken.patch');
  const bytes = Buffer.concat([Buffer.from('BSDIFF40'), randomBytes(500)]);
  await writeFile(path, bytes);
  await fleet.start({
    endpoint,
    pollMs: 100,
    images: [{ componentId, version: '1.0.0', path }],
    devices: devices.map((device) => ({ ...device, secret: secrets[device.id] ?? '' })),
  });
  await untilReported(cloud, devices, {});
  const artifact = artifactOf(path, bytes);
  const pkg = packageOf(artifact, { source: '1.0.0', target: '2.0.0' });
  await cloud.putPackage(pkg, artifact);
  const plan = planOf(pkg, { retries: 1 });
  await cloud.publish(plan, policy);
  const end = await ended(plan.id);
  expect(end.counts).toMatchObject({ upgraded: 0, failed: 6 });
  expect(end.failureReasons).toEqual([{ code: 'patch-corrupt', count: 6 }]);
  const { items } = await cloud.rolloutDevices(plan.id, { offset: 0, limit: 10 });
  expect(items.map(({ attempts }) => attempts)).toEqual([2, 2, 2, 2, 2, 2]);
});

test('a fleet whose images or devices are no good says so, and ends', async () => {
  const endpoint = { http: 'http://127.0.0.1:9', mqtt: 'mqtt://127.0.0.1:9', coap: null };
  const missing = { componentId, version: '1.0.0', path: join(folder, 'missing.bin') };
  await expect(fleet.start({ endpoint, devices: [], images: [missing] })).rejects.toMatchObject({
    problem: { code: 'file-not-found' },
  });
  const device = { id: 'D', transport: 'mqtt' as const, versions: {}, secret: '' };
  await expect(fleet.start({ endpoint, devices: [device] })).rejects.toMatchObject({
    problem: { code: 'fleet-config' },
  });
  expect(fleet.status().running).toBe(false);
});

test('a smaller fleet after a larger one: no plan waits for devices that are gone', async () => {
  const workspace = join(folder, 'workspace');
  await cp('resources/sample', workspace, { recursive: true });
  const opened = await createStudio({ workspacePath: workspace });
  studio = opened;
  const start = (http: number, mqtt: number) =>
    opened.ask('fleet.start', {
      productId: 'SENSOR-1',
      componentId: 'STM32',
      fromVersion: '1.0.0',
      http,
      mqtt,
      chinaTelecom: 0,
    });
  const known = async (): Promise<string[]> =>
    (await opened.ask('devices.list', { productId: 'SENSOR-1', offset: 0, limit: 10 })).items.map(
      ({ id }) => id,
    );
  await start(3, 2);
  expect(await known()).toHaveLength(5);
  const status = await start(1, 1);
  expect(status).toMatchObject({ running: true, devices: 2 });
  expect(await known()).toEqual(['SENSOR-1-SIM-HTTP-00001', 'SENSOR-1-SIM-MQTT-00001']);
});
