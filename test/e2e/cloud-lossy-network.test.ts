import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FleetProcess } from '../../electron/core/clouds/fleet-process.ts';
import { untilReported } from '../../electron/core/clouds/reported-devices.ts';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { LocalCloudProcess } from '../../electron/core/clouds/local-cloud-process.ts';
import { makeSimulatedDevices } from '../../electron/core/clouds/simulated-identities.ts';
import { componentId, productId, until } from '../support/cloud.ts';
import { LossyUdp } from '../support/lossy-udp.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { artifactOf, packageOf, planOf } from '../support/scratch.ts';

let folder: string;
let cloudProcess: LocalCloudProcess;
let fleet: FleetProcess;
let network: LossyUdp | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-lossy-'));
  cloudProcess = new LocalCloudProcess({ dataDir: join(folder, 'cloud') });
  fleet = new FleetProcess();
});
afterEach(async () => {
  await fleet.stop();
  await network?.stop();
  network = null;
  await cloudProcess.stop();
  await rm(folder, { recursive: true, force: true });
});

test('over a network that loses 10 % of all packets, repeats 5 % and reorders 5 %, no LwM2M device is lost', async () => {
  const deviceCount = 30;
  const endpoint = await cloudProcess.start();
  const cloud = new LocalCloud(endpoint);
  const coapPort = Number(new URL(endpoint.coap ?? '').port);
  const faults = { lost: 0.1, twice: 0.05, late: 0.05 };
  network = await LossyUdp.start(coapPort, faults, seededRandom(1));
  await cloud.putProduct({ id: productId, name: 'Product' });
  const devices = makeSimulatedDevices({
    productId,
    componentId,
    fromVersion: '1.0.0',
    batch: null,
    http: 0,
    mqtt: 0,
    lwm2m: deviceCount,
  });
  const { secrets } = await cloud.putDevices(devices, { rotate: true });
  await fleet.start({
    endpoint: { ...endpoint, coap: `coap://127.0.0.1:${network.port}` },
    devices: devices.map((device) => ({ ...device, secret: secrets[device.id] ?? '' })),
  });
  await untilReported(cloud, devices, {});

  const path = join(folder, 'image.bin');
  const bytes = randomBytes(6 * 1024);
  await writeFile(path, bytes);
  const artifact = artifactOf(path, bytes);
  const pkg = packageOf(artifact, { target: '2.0.0' });
  await cloud.putPackage(pkg, artifact);
  const plan = planOf(pkg);
  await cloud.publish(plan, { chinaTelecomIccidPrefixes: [] });
  const { counts } = await until(
    () => cloud.status(plan.id),
    ({ state }) => state === 'ended',
    150_000,
  );
  expect(counts).toMatchObject({ upgraded: deviceCount, failed: 0 });
  const { items } = await cloud.rolloutDevices(plan.id, { offset: 0, limit: 100 });
  // Five losses in a row end an exchange (RFC 7252 4.8), at this rate one in four thousand: it is tried again.
  for (const device of items) {
    expect(device).toMatchObject({ error: null });
    expect(device.attempts).toBeLessThanOrEqual(2);
  }
  const { passed, lost, twice, late } = network.counts;
  // Every block of every download came this way.
  expect(passed).toBeGreaterThan(deviceCount * 2 * (bytes.length / 1024));
  for (const count of [lost, twice, late]) expect(count / (passed + lost)).toBeGreaterThan(0.03);
}, 200_000);
