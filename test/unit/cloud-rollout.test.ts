import { randomBytes, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Device } from '../../shared/domain/plan.ts';
import {
  componentId,
  makeDevice,
  makePackage,
  makePlan,
  productId,
  until,
} from '../support/cloud.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(() => cloud.stop());

test('a device is upgraded only when it reports the target version', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull();
  expect((await cloud.operator.status(plan.id)).state).toBe('activated');
  const { href, version } = await device.begin();
  expect(version).toBe('1.1.0');
  expect((await cloud.operator.status(plan.id)).state).toBe('upgrading');
  await device.feedback(href, 'download');
  await device.feedback(href, 'closed', 'success');
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgrading' });
  expect(await device.poll()).toBeNull();
  await device.runs('1.1.0');
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgraded', attempts: 1 });
  expect(await cloud.operator.status(plan.id)).toMatchObject({ state: 'ended', successRate: 1 });
  expect(await device.feedback(href, 'closed', 'success')).toBe(200);
  expect(await device.feedback(href, 'closed', 'failure')).toBe(410);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgraded', attempts: 1 });
});

test('a claimed success is disproved by another version, and retries are counted', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull({ retries: 1 });
  const first = await device.begin();
  await device.feedback(first.href, 'closed', 'success');
  await device.runs('1.0.0');
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({
    state: 'upgrading',
    attempts: 1,
    error: 'version-mismatch',
  });
  const second = await device.begin();
  expect(second.href).not.toBe(first.href);
  await device.feedback(second.href, 'closed', 'failure', 'E42');
  expect(await device.feedback(second.href, 'closed', 'failure', 'E42')).toBe(410);
  expect(await device.poll()).toBeNull();
  expect(await cloud.operator.status(plan.id)).toMatchObject({
    state: 'ended',
    successRate: 0,
    failureReasons: [{ code: 'E42', count: 1 }],
  });
});

test('suspend: no further device receives the plan, those in progress continue; resume goes on', async () => {
  const [begun, offered, waiting] = [
    await cloud.http('dev-1'),
    await cloud.http('dev-2'),
    await cloud.http('dev-3'),
  ];
  const plan = await cloud.publishFull();
  const { href } = await begun.begin();
  const offeredHref = await offered.poll();
  await cloud.operator.control(plan.id, 'suspend');
  expect((await cloud.operator.control(plan.id, 'suspend')).state).toBe('suspended');
  expect(await waiting.poll()).toBeNull();
  expect(await offered.poll()).toBeNull();
  expect((await offered.ask('GET', offeredHref ?? '')).status).toBe(404);
  expect(await begun.poll()).toBe(href);
  await begun.feedback(href, 'closed', 'failure', 'E1');
  const again = await begun.begin();
  expect(again.href).not.toBe(href);
  await begun.runs('1.1.0');
  expect((await cloud.operator.status(plan.id)).counts).toMatchObject({
    upgraded: 1,
    notUpgraded: 2,
  });
  expect((await cloud.operator.control(plan.id, 'resume')).state).toBe('upgrading');
  expect(await offered.poll()).toBe(offeredHref);
  expect(await waiting.poll()).not.toBeNull();
});

test('terminate: waiting devices fail for good, those in progress continue', async () => {
  const [begun, waiting] = [await cloud.http('dev-1'), await cloud.http('dev-2')];
  const plan = await cloud.publishFull();
  const { href } = await begun.begin();
  const offered = await waiting.poll();
  expect((await cloud.operator.control(plan.id, 'terminate')).state).toBe('terminated');
  expect(await cloud.deviceOf(plan, 'dev-2')).toMatchObject({
    state: 'failed',
    error: 'terminated',
  });
  expect(await waiting.poll()).toBeNull();
  expect((await waiting.ask('GET', offered ?? '')).status).toBe(410);
  await expect(cloud.operator.control(plan.id, 'resume')).rejects.toMatchObject({
    code: 'plan-state',
  });
  await expect(cloud.operator.control(plan.id, 'suspend')).rejects.toMatchObject({ status: 409 });
  await begun.feedback(href, 'closed', 'success');
  await begun.runs('1.1.0');
  expect(await cloud.operator.status(plan.id)).toMatchObject({
    state: 'terminated',
    counts: { upgraded: 1, failed: 1 },
  });
});

test('full and delta go by the version that the device reports, even when it changes before the device begins', async () => {
  const device = await cloud.http('dev-1', { versions: {} });
  const full = await cloud.operator.putPackage(randomBytes(100));
  const delta = await cloud.operator.putPackage(randomBytes(50), {
    packageType: 'delta',
    sourceVersion: '1.0.0',
    deltaProof: {
      format: 'bsdiff40',
      sourceSha256: 'a'.repeat(64),
      targetSha256: 'b'.repeat(64),
      patchSha256: 'c'.repeat(64),
      patchSizeBytes: 50,
      targetSizeBytes: 100,
      elapsedMs: 1,
      peakRssBytes: 1,
      proven: true,
    },
  });
  const [component] = makePlan(full).components;
  if (!component) throw new Error('no component');
  const deltas = [{ sourceVersion: '1.0.0', packageId: delta }];
  const plan = makePlan(null, {
    components: [{ ...component, deltas }],
    allowNeverReported: true,
  });
  await cloud.operator.publish(plan);
  const forFull = await device.poll();
  await device.runs('1.0.5');
  expect(await device.poll()).toBe(forFull);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({
    components: [{ fromVersion: '1.0.5' }],
  });
  await device.runs('1.0.0');
  const begun = await device.begin();
  expect(begun.metadata).toEqual({
    packageType: 'delta',
    sourceVersion: '1.0.0',
    targetVersion: '1.1.0',
    targetSha256: 'b'.repeat(64),
    componentId,
  });
  expect(begun.href).not.toBe(forFull);
  await device.runs('1.0.5');
  expect(await device.poll()).toBe(begun.href);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({
    attempts: 1,
    components: [{ packageType: 'delta', fromVersion: '1.0.0' }],
  });
});

test('a device that already runs the target needs no update, at publication and later', async () => {
  await cloud.addDevices(makeDevice('dev-1', { versions: { [componentId]: '1.1.0' } }));
  const later = await cloud.http('dev-2');
  await cloud.http('dev-3');
  const plan = await cloud.publishFull();
  expect((await cloud.operator.status(plan.id)).counts).toMatchObject({ noUpdateRequired: 1 });
  await later.poll();
  await later.runs('1.1.0');
  expect(await cloud.deviceOf(plan, 'dev-2')).toMatchObject({
    state: 'noUpdateRequired',
    attempts: 0,
  });
  expect((await cloud.operator.status(plan.id)).counts).toMatchObject({ notUpgraded: 1 });
});

test('a device that was only declared is left out until it reports itself, over whatever protocol', async () => {
  const { operator } = cloud;
  const ids = ['by-http', 'by-mqtt', 'declared'] as const;
  const transports = { 'by-http': 'http', 'by-mqtt': 'mqtt', declared: 'http' } as const;
  const devices = ids.map((id) => makeDevice(id, { transport: transports[id] }));
  for (const [id, secret] of Object.entries(await operator.declareDevices(devices)))
    cloud.secrets.set(id, secret);
  const skippedOf = async () => {
    const plan = makePlan(await operator.putPackage(randomBytes(100)));
    const refused = await operator.publish(plan).catch((error: unknown) => error);
    return refused instanceof Error ? refused.message : (await operator.status(plan.id)).skipped;
  };
  expect(await skippedOf()).toMatch(/no-devices/);

  const byHttp = new HandHttpDevice(cloud.running.http, 'by-http', cloud.secretOf('by-http'));
  const answer = await (await byHttp.ask('GET', '')).json();
  // It is asked for its attributes, although a version was declared.
  expect(answer).toMatchObject({ _links: { configData: expect.anything() } });
  await byHttp.runs('1.0.0');
  const later = await (await byHttp.ask('GET', '')).json();
  expect(later).not.toHaveProperty('_links.configData');
  const byMqtt = await cloud.mqtt('by-mqtt');
  await byMqtt.get('1.0.0');
  await until(
    async () =>
      (await operator.call<{ items: Device[] }>('GET', '/devices?productId=SENSOR')).items,
    (found) => found.some(({ reports }) => reports?.[componentId]?.protocol === 'mqtt'),
  );
  const listed = await operator.call<{ items: Device[] }>('GET', '/devices?productId=SENSOR');
  expect(listed.items).toMatchObject([
    { id: 'by-http', reports: { [componentId]: { version: '1.0.0', protocol: 'ddi' } } },
    { id: 'by-mqtt', reports: { [componentId]: { version: '1.0.0', protocol: 'mqtt' } } },
    { id: 'declared', versions: { [componentId]: '1.0.0' }, reports: {} },
  ]);
  expect(await skippedOf()).toEqual([{ reason: 'onlyDeclared', count: 1, devices: ['declared'] }]);
});

test('scope is decided once; blacklist wins; China Telecom devices are named', async () => {
  await cloud.addDevices(
    makeDevice('listed'),
    makeDevice('black'),
    makeDevice('telecom-imsi', { imsi: '460031234567890' }),
    makeDevice('telecom-iccid', { iccid: '89860312345678901234' }),
    makeDevice('other'),
  );
  const whitelist = ['listed', 'black', 'telecom-imsi', 'telecom-iccid'];
  const packageId = await cloud.operator.putPackage(randomBytes(100));
  const plan = makePlan(packageId, { whitelist, blacklist: ['black'] });
  const { skipped, counts } = await cloud.operator.publish(plan, ['898603', '898611']);
  expect(counts.notUpgraded).toBe(1);
  expect(skipped).toEqual([
    { reason: 'blacklisted', count: 1, devices: ['black'] },
    { reason: 'notWhitelisted', count: 1, devices: ['other'] },
    { reason: 'chinaTelecom', count: 2, devices: ['telecom-iccid', 'telecom-imsi'] },
  ]);
  await cloud.addDevices(makeDevice('late'));
  expect((await cloud.operator.publish(plan, ['898603'])).counts.notUpgraded).toBe(1);
  expect((await cloud.operator.devices(plan.id)).map((device) => device.deviceId)).toEqual([
    'listed',
  ]);
});

test('devices of a batch that no plan waits for are removed; what they did stays on record', async () => {
  const remove = (keep: string[]) =>
    cloud.operator.call<{ removed: number }>('POST', '/devices/remove', {
      productId,
      batch: 'sim',
      keep,
    });
  const device = await cloud.http('old-1', { batch: 'sim' });
  for (const id of ['old-2', 'kept']) await cloud.http(id, { batch: 'sim' });
  await cloud.http('real', { batch: null });
  const first = await cloud.publishFull({ whitelist: ['old-1', 'real'] });
  await device.begin();
  expect(await remove(['kept'])).toEqual({ removed: 1 });
  expect(await remove(['kept'])).toEqual({ removed: 0 });
  await device.runs('1.1.0');
  expect(await remove(['kept'])).toEqual({ removed: 1 });

  expect(await cloud.deviceOf(first, 'old-1')).toMatchObject({ state: 'upgraded', attempts: 1 });
  const second = await cloud.publishFull();
  expect((await cloud.operator.devices(second.id)).map(({ deviceId }) => deviceId)).toEqual([
    'kept',
    'real',
  ]);
  // Put again it is a new device: new secret, and the versions given with it.
  const again = await cloud.http('old-1', { batch: 'sim' });
  expect(await again.poll()).toBeNull();
  const third = await cloud.publishFull({ whitelist: ['old-1'] });
  expect(await cloud.deviceOf(third, 'old-1')).toMatchObject({ state: 'notUpgraded' });
});

test('a device that is removed in the middle of a terminated plan does not come back to it', async () => {
  const device = await cloud.http('old-1', { batch: 'sim' });
  const plan = await cloud.publishFull();
  const { href } = await device.begin();
  await device.feedback(href, 'download');
  await cloud.operator.control(plan.id, 'terminate');
  const removal = { productId, batch: 'sim', keep: [] };
  expect(await cloud.operator.call('POST', '/devices/remove', removal)).toEqual({ removed: 1 });
  expect(await cloud.deviceOf(plan, 'old-1')).toMatchObject({
    state: 'failed',
    error: 'device-removed',
    components: [{ state: 'downloadFailed' }],
  });
  expect(await (await cloud.http('old-1', { batch: 'sim' })).poll()).toBeNull();
});

test('a plan is refused whole: too many devices, none, other content, a missing artifact', async () => {
  const many = Array.from({ length: 10_001 }, (_, index) => makeDevice(`dev-${index}`));
  await cloud.operator.declareDevices(many.slice(0, 10_000));
  await cloud.operator.declareDevices(many.slice(10_000));
  const packageId = await cloud.operator.putPackage(randomBytes(100));
  const plan = makePlan(packageId, { allowNeverReported: true });
  await expect(cloud.operator.publish(plan)).rejects.toMatchObject({ code: 'too-many-devices' });
  await expect(cloud.operator.status(plan.id)).rejects.toMatchObject({ code: 'plan-missing' });
  await expect(cloud.operator.publish({ ...plan, whitelist: ['nobody'] })).rejects.toMatchObject({
    code: 'no-devices',
  });
  const fits = { ...plan, blacklist: ['dev-0'] };
  expect((await cloud.operator.publish(fits)).counts.notUpgraded).toBe(10_000);
  await expect(cloud.operator.publish(plan)).rejects.toMatchObject({ code: 'plan-exists' });
  await expect(cloud.operator.publish(makePlan(randomUUID()))).rejects.toMatchObject({
    code: 'package-missing',
  });
  await expect(
    cloud.operator.publish(makePlan(packageId, { mode: 'manual' })),
  ).rejects.toMatchObject({
    code: 'plan-invalid',
  });
});

test('a module and its MCU are upgraded one after the other', async () => {
  const versions = { [componentId]: '1.0.0', MODEM: '2' };
  const device = await cloud.http('dev-1', { versions });
  const [app] = makePlan(await cloud.operator.putPackage(randomBytes(10))).components;
  const modemPackage = await cloud.operator.putPackage(randomBytes(10), {
    componentId: 'MODEM',
    targetVersion: '3',
  });
  if (!app) throw new Error('no component');
  const modem = { ...app, componentId: 'MODEM', targetVersion: '3', fullPackageId: modemPackage };
  const plan = makePlan(null, { components: [modem, app] });
  await cloud.operator.publish(plan);
  expect(await device.begin()).toMatchObject({ version: '3' });
  await device.runs('3', 'MODEM');
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgrading' });
  expect(await device.begin()).toMatchObject({ version: '1.1.0' });
  await device.runs('1.1.0');
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgraded', attempts: 2 });
});

test('a device cannot fill the database with components', async () => {
  const device = await cloud.http('dev-1');
  for (let round = 0; round < 3; round++) {
    const data = Object.fromEntries(
      Array.from({ length: 90 }, (_, index) => [`version.C${round}-${index}`, '1']),
    );
    await device.ask('PUT', '/configData', { data });
  }
  const { items } = await cloud.operator.call<{ items: Device[] }>(
    'GET',
    '/devices?productId=SENSOR',
  );
  expect(Object.keys(items[0]?.versions ?? {}).length).toBe(90);
});

test('an upload that is refused leaves the connection usable, and nothing behind', async () => {
  await cloud.addDevices(makeDevice('dev-1'));
  const pkg = makePackage();
  const artifact = { name: 'image.bin', sizeBytes: 1000, sha256: '0'.repeat(64) };
  await cloud.operator.call('PUT', `/packages/${pkg.id}`, { package: pkg, artifact });
  for (const [sizeBytes, code] of [
    [4_000_000, 'artifact-size'],
    [999, 'artifact-size'],
    [1000, 'artifact-hash'],
  ] as const) {
    const sent = cloud.operator.call('PUT', `/packages/${pkg.id}/artifact`, randomBytes(sizeBytes));
    await expect(sent).rejects.toMatchObject({ status: 422, code });
  }
  await expect(cloud.operator.publish(makePlan(pkg.id))).rejects.toMatchObject({
    code: 'package-missing',
  });
  expect(await readdir(join(cloud.folder, 'artifacts'))).toEqual([]);
});
