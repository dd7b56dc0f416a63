import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { makeSimulatedDevices } from '../../electron/core/clouds/simulated-identities.ts';
import type { Device } from '../../shared/domain/plan.ts';
import { type RunningCloud, createCloud } from '../../electron/cloud/ota-cloud.ts';
import { loopbackOptions, componentId, productId, reportVersions } from '../support/cloud.ts';
import { artifactOf, packageOf, planOf } from '../support/scratch.ts';

let server: RunningCloud;
let cloud: LocalCloud;
let folder: string;
const strangers: Server[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-local-cloud-'));
  server = await createCloud(loopbackOptions(join(folder, 'cloud')));
});
beforeEach(async () => {
  cloud = new LocalCloud(server);
  await cloud.putProduct({ id: productId, name: 'Product' });
});
afterEach(() => {
  vi.unstubAllEnvs();
  for (const stranger of strangers.splice(0)) stranger.close();
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

const devicesOf = (product: string, count: number): Device[] =>
  makeSimulatedDevices({
    productId: product,
    componentId,
    fromVersion: '1.0.0',
    http: count,
    mqtt: 0,
    batch: null,
  });

async function storedFile(bytes: Uint8Array) {
  const path = join(folder, randomBytes(8).toString('hex'));
  await writeFile(path, bytes);
  return artifactOf(path, bytes);
}

/** A server that is not a cloud. */
async function stranger(answer: RequestListener): Promise<string> {
  const other = createServer(answer);
  strangers.push(other);
  await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
  return `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
}

test('devices get their secrets once, and again only when they are provisioned anew', async () => {
  const devices = devicesOf(productId, 3);
  const first = await cloud.putDevices(devices);
  expect(first.added).toBe(3);
  expect(Object.keys(first.secrets)).toEqual(devices.map(({ id }) => id));
  expect(await cloud.putDevices(devices)).toEqual({ added: 0, secrets: {}, dtlsKeys: {} });
  const anew = await cloud.putDevices(devices, { rotate: true });
  expect(anew.added).toBe(0);
  expect(new Set([...Object.values(first.secrets), ...Object.values(anew.secrets)]).size).toBe(6);
  const page = await cloud.devices({ productId, offset: 1, limit: 1, search: 'SIM-HTTP' });
  expect(page).toMatchObject({ total: 3, items: [{ id: devices[1]?.id, transport: 'http' }] });
});

test('more devices than one request takes are all put', async () => {
  await cloud.putProduct({ id: 'MANY', name: 'Many' });
  const { added, secrets } = await cloud.putDevices(devicesOf('MANY', 10_001));
  expect(added).toBe(10_001);
  expect(Object.keys(secrets)).toHaveLength(10_001);
});

test('a package goes up with its bytes, and only once', async () => {
  const bytes = randomBytes(3_000_000);
  const artifact = await storedFile(bytes);
  const pkg = packageOf(artifact, { target: '2.0.0' });
  await cloud.putPackage(pkg, artifact);
  await rm(artifact.path);
  await cloud.putPackage(pkg, artifact);
  await cloud.putDevices(devicesOf(productId, 3));
  const plan = planOf(pkg, { allowNeverReported: true });
  const status = await cloud.publish(plan, { chinaTelecomIccidPrefixes: [] });
  expect(status).toMatchObject({ state: 'activated', counts: { notUpgraded: 3 } });
});

test('a file that is not the recorded one is refused on both sides', async () => {
  const artifact = await storedFile(randomBytes(1000));
  const pkg = packageOf(artifact, { target: '2.0.1' });
  await writeFile(artifact.path, randomBytes(999));
  await expect(cloud.putPackage(pkg, artifact)).rejects.toMatchObject({
    problem: { code: 'artifact-changed' },
  });
  await writeFile(artifact.path, randomBytes(1000));
  await expect(cloud.putPackage(pkg, artifact)).rejects.toMatchObject({
    problem: { code: 'artifact-hash' },
  });
});

test('the cloud leaves out what the studio leaves out: devices that would skip a version', async () => {
  const devices = devicesOf(productId, 3);
  const { secrets } = await cloud.putDevices(devices, { rotate: true });
  for (const device of devices) await reportVersions(server.http, device, secrets);
  const artifact = await storedFile(randomBytes(1000));
  const pkg = packageOf(artifact, { target: '2.0.3' });
  await cloud.putPackage(pkg, artifact);
  const upgradePaths = {
    [componentId]: { versionScheme: 'semver' as const, requiredSteps: ['1.5.0'] },
  };
  const policy = { chinaTelecomIccidPrefixes: [], upgradePaths };
  await expect(cloud.publish(planOf(pkg), policy)).rejects.toMatchObject({
    problem: { code: 'no-devices', detail: expect.stringContaining('3 stepSkipped') },
  });
});

test('a plan is suspended, resumed, terminated and followed', async () => {
  await cloud.putDevices(devicesOf(productId, 3));
  const artifact = await storedFile(randomBytes(1000));
  const pkg = packageOf(artifact, { target: '2.0.2' });
  await cloud.putPackage(pkg, artifact);
  const [, blacklisted] = devicesOf(productId, 3);
  const plan = planOf(pkg, { blacklist: [blacklisted?.id ?? ''], allowNeverReported: true });
  const published = await cloud.publish(plan, { chinaTelecomIccidPrefixes: ['898611'] });
  expect(published.skipped).toEqual([
    { reason: 'blacklisted', count: 1, devices: [blacklisted?.id] },
  ]);
  expect((await cloud.suspend(plan.id)).state).toBe('suspended');
  expect((await cloud.resume(plan.id)).state).toBe('activated');
  expect((await cloud.terminate(plan.id)).counts.failed).toBe(2);
  expect((await cloud.status(plan.id)).failureReasons).toEqual([{ code: 'terminated', count: 2 }]);
  const failed = await cloud.rolloutDevices(plan.id, { offset: 0, limit: 1, state: 'failed' });
  expect(failed).toMatchObject({ total: 2, items: [{ error: 'terminated' }] });
  const history = await cloud.history(plan.id);
  expect(history.at(-1)).toMatchObject({ failed: 2, notUpgraded: 0 });
});

test('what the cloud refuses arrives as the same problem', async () => {
  await expect(cloud.status('../../devices')).rejects.toMatchObject({
    problem: { code: 'plan-missing', kind: 'usage' },
  });
  await expect(new LocalCloud({ ...server, token: 'wrong' }).check()).rejects.toMatchObject({
    problem: { code: 'unauthorized' },
  });
  await expect(cloud.check()).resolves.toBeUndefined();
});

test('a cloud that is away is named, without the token', async () => {
  const error = await new LocalCloud({ http: 'http://127.0.0.1:9', token: server.token })
    .putProduct({ id: 'P', name: 'P' })
    .catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ problem: { code: 'cloud-unreachable', kind: 'io' } });
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(server.token);
});

test('when the cloud of another command is gone, the call goes to the one that takes over', async () => {
  const gone = { http: 'http://127.0.0.1:9', token: 'gone' };
  let asked = 0;
  const moved = new LocalCloud(gone, async () => {
    asked++;
    return server;
  });
  await moved.putProduct({ id: productId, name: 'Product' });
  const artifact = await storedFile(randomBytes(100_000));
  await moved.putPackage(packageOf(artifact, { target: '1.1.0' }), artifact);
  expect(asked).toBe(3);
  // A cloud that answers is not gone.
  await expect(moved.status('none')).rejects.toMatchObject({ problem: { code: 'plan-missing' } });
  const lost = new LocalCloud(gone, async () => gone);
  await expect(lost.status('none')).rejects.toMatchObject({
    problem: { code: 'cloud-unreachable' },
  });
});

test('an address that is none is a usage problem', () => {
  for (const http of ['', '127.0.0.1:80', 'file:///etc', 'mqtt://127.0.0.1'])
    expect(() => new LocalCloud({ http, token: 't' })).toThrow(/not valid/);
});

test('redirects are not followed, so the token stays here', async () => {
  const visits: string[] = [];
  const other = await stranger((request, response) => {
    visits.push(request.url ?? '');
    response.end('{}');
  });
  const redirecting = await stranger((_request, response) =>
    response.writeHead(307, { location: `${other}/stolen` }).end(),
  );
  await expect(
    new LocalCloud({ http: redirecting, token: 't' }).putProduct({ id: 'P', name: 'P' }),
  ).rejects.toMatchObject({ problem: { code: 'cloud-answer' } });
  expect(visits).toEqual([]);
});

test('answers of another shape are not taken', async () => {
  for (const body of ['', 'hello', '{"total":"many","items":[]}', '{"total":1,"items":[{}]}']) {
    const http = await stranger((_request, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(body),
    );
    await expect(
      new LocalCloud({ http, token: 't' }).devices({ productId, offset: 0, limit: 1 }),
    ).rejects.toMatchObject({ problem: { code: 'cloud-answer' } });
  }
});

test('the token is shown only to what has answered like a cloud', async () => {
  const headers: (string | undefined)[] = [];
  const http = await stranger((request, response) => {
    headers.push(request.headers.authorization);
    response.end('{"ok":false}');
  });
  await expect(new LocalCloud({ http, token: 't' }).check()).rejects.toThrow();
  expect(headers).toEqual([undefined]);
});

test('a proxy of the environment is not used', async () => {
  vi.stubEnv('HTTP_PROXY', 'http://127.0.0.1:9');
  vi.stubEnv('http_proxy', 'http://127.0.0.1:9');
  await expect(new LocalCloud(server).check()).resolves.toBeUndefined();
});
