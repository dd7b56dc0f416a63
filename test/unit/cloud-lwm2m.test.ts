import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Plan, RolloutDevice } from '../../shared/domain/plan.ts';
import { coapCode } from '../../shared/protocols/coap-message.ts';
import { until } from '../support/cloud.ts';
import { HandLwm2mDevice } from '../support/hand-lwm2m-device.ts';
import { TestCloud } from '../support/test-cloud.ts';

const quick = { pollMs: 50, stallMs: 400, updateMs: 400 };
let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start(0, null, {
    lwm2mTimes: { ...quick, stallMs: 20_000, updateMs: 20_000 },
  });
});
afterEach(() => cloud.stop());

const uriOf = (device: HandLwm2mDevice) =>
  until(
    () => device.resources.get('5/0/1') ?? '',
    (uri) => uri !== '',
  );
const executed = (device: HandLwm2mDevice) =>
  until(
    () => device.commands,
    (commands) => commands.includes('POST 5/0/2'),
  );
const ended = (plan: Plan, id = 'dev-1') =>
  until(
    () => cloud.deviceOf(plan, id),
    (found) => found?.state === 'upgraded' || found?.state === 'failed',
  );
const componentState = (plan: Plan, wanted: RolloutDevice['components'][number]['state']) =>
  until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.components[0]?.state === wanted,
  );

async function registered(): Promise<HandLwm2mDevice> {
  const device = await cloud.lwm2m('dev-1');
  expect(await device.register()).toBe('2.01');
  await until(
    () => device.isWatched,
    (isWatched) => isWatched,
  );
  return device;
}

/** Restarts into the version it downloaded. */
async function reboot(device: HandLwm2mDevice, version: string, result = '1'): Promise<void> {
  device.resources.set('5/0/3', '0').set('5/0/5', result).set('3/0/3', version);
  expect(await device.register()).toBe('2.01');
}

test('a registered device is led through pull, update, reboot and its version', async () => {
  const device = await registered();
  const plan = await cloud.publishFull();
  const uri = await uriOf(device);
  expect(uri).toMatch(/^coap:\/\/127\.0\.0\.1:\d+\/a\/\d+\/[\w-]{16}\/1\.1\.0$/);
  expect(await componentState(plan, 'downloading')).toMatchObject({
    state: 'upgrading',
    attempts: 1,
  });
  await device.set({ '5/0/3': '1' });
  const image = await device.download();
  const http = await fetch(uri.replace(/^coap:\/\/[^/]+/, cloud.running.http));
  expect(Buffer.from(await http.arrayBuffer())).toEqual(image);
  expect(http.headers.get('etag')).toBe(`"${createHash('sha256').update(image).digest('hex')}"`);
  await device.set({ '5/0/3': '2' });
  await executed(device);
  await componentState(plan, 'upgrading');
  await device.set({ '5/0/3': '3' });
  await reboot(device, '1.1.0');
  expect(await ended(plan)).toMatchObject({ state: 'upgraded', attempts: 1, error: null });
  expect(device.commands).toEqual([`PUT 5/0/1 ${uri}`, 'POST 5/0/2']);
  expect(image).toHaveLength(5000);
});

test('an artifact address works for its job only, with its key, and until the job is over', async () => {
  const device = await registered();
  const plan = await cloud.publishFull({ retries: 0 });
  const uri = await uriOf(device);
  const address = uri.replace(/^coap:\/\/[^/]+/, cloud.running.http);
  expect((await fetch(address.replace(/\/a\/\d+\//, '/a/999/'))).status).toBe(404);
  expect((await fetch(address.replace(/[\w-]{16}(?=\/1)/, 'A'.repeat(16)))).status).toBe(404);
  device.resources.set('5/0/1', uri.replace(/[\w-]{16}(?=\/1)/, 'A'.repeat(16)));
  await expect(device.download()).rejects.toThrow('4.04');
  await device.set({ '5/0/3': '0', '5/0/5': '7' });
  expect(await ended(plan)).toMatchObject({ error: 'invalid-uri' });
  expect((await fetch(address)).status).toBe(410);
});

test('success is proven by the version that the device reports, not by its result', async () => {
  const device = await registered();
  const plan = await cloud.publishFull({ retries: 0 });
  await uriOf(device);
  await device.set({ '5/0/3': '2' });
  await executed(device);
  await reboot(device, '1.0.0');
  expect(await ended(plan)).toMatchObject({ state: 'failed', error: 'version-mismatch' });
});

test('where the operator says so, the result alone is proof enough', async () => {
  await cloud.stop();
  cloud = await TestCloud.start(0, null, { lwm2mProof: 'result' });
  const device = await registered();
  const plan = await cloud.publishFull({ retries: 0 });
  await uriOf(device);
  await device.set({ '5/0/3': '2' });
  await executed(device);
  await device.set({ '5/0/3': '0', '5/0/5': '1' });
  expect(await ended(plan)).toMatchObject({ state: 'upgraded' });
});

describe('failures are named', () => {
  test.each([
    ['2', 'not-enough-flash'],
    ['4', 'connection-lost'],
    ['5', 'integrity-check'],
    ['6', 'unsupported-package'],
    ['9', 'unsupported-protocol'],
    ['77', 'update-result-77'],
  ])('update result %s while downloading', async (result, code) => {
    const device = await registered();
    const plan = await cloud.publishFull({ retries: 0 });
    await uriOf(device);
    await device.set({ '5/0/3': '1' });
    await device.set({ '5/0/5': result, '5/0/3': '0' });
    expect(await ended(plan)).toMatchObject({ state: 'failed', error: code });
  });

  test('a failed update, told after the reboot, is tried again up to the retries', async () => {
    const device = await registered();
    const plan = await cloud.publishFull({ retries: 1 });
    for (let attempt = 0; attempt < 2; attempt++) {
      await until(
        () => device.commands.filter((command) => command.startsWith('PUT 5/0/1 coap')).length,
        (count) => count === attempt + 1,
      );
      await device.set({ '5/0/3': '2' });
      await until(
        () => device.commands.filter((command) => command === 'POST 5/0/2').length,
        (count) => count === attempt + 1,
      );
      await reboot(device, '1.0.0', '8');
    }
    expect(await ended(plan)).toMatchObject({
      state: 'failed',
      error: 'update-failed',
      attempts: 2,
    });
  });

  test('a Package URI or an Update that is refused', async () => {
    const device = await registered();
    device.answers.set('PUT 5/0/1', coapCode.badRequest);
    const plan = await cloud.publishFull({ retries: 0 });
    expect(await ended(plan)).toMatchObject({ state: 'failed', error: 'uri-refused-4.00' });
    device.answers.clear();
    device.answers.set('POST 5/0/2', coapCode.methodNotAllowed);
    device.resources.set('5/0/1', '');
    const next = await cloud.publishFull({ retries: 0 });
    await uriOf(device);
    await device.set({ '5/0/3': '2' });
    expect(await ended(next)).toMatchObject({ state: 'failed', error: 'update-refused-4.05' });
  });

  test('a device without a firmware update object', async () => {
    const device = await cloud.lwm2m('dev-1');
    device.links = '</1/0>,</3/0>';
    expect(await device.register()).toBe('2.01');
    const plan = await cloud.publishFull({ retries: 0 });
    expect(await ended(plan)).toMatchObject({ state: 'failed', error: 'no-firmware-object' });
  });

  test('a device that takes the package and never says Downloaded', async () => {
    await cloud.stop();
    cloud = await TestCloud.start(0, null, { lwm2mTimes: quick });
    const device = await cloud.lwm2m('dev-1');
    device.resources.set('5/0/9', '1').set('5/0/3', '0');
    await device.register();
    const plan = await cloud.publishFull({ retries: 0 });
    expect(await ended(plan)).toMatchObject({ state: 'failed', error: 'download-stalled' });
    expect(Buffer.concat(device.pushed)).toHaveLength(5000);
  });
});

test('a device that takes pushes only gets the package block by block', async () => {
  const device = await cloud.lwm2m('dev-1');
  device.resources.set('5/0/9', '1');
  await device.register();
  const plan = await cloud.publishFull();
  await until(
    () => device.pushed.length,
    (count) => count === 5,
  );
  expect(device.pushed.map((block) => block.length)).toEqual([1024, 1024, 1024, 1024, 904]);
  await device.set({ '5/0/3': '2' });
  await executed(device);
  await reboot(device, '1.1.0');
  expect(await ended(plan)).toMatchObject({ state: 'upgraded' });
});

test('what an earlier campaign left is reset before a new one begins', async () => {
  const device = await cloud.lwm2m('dev-1');
  device.resources.set('5/0/3', '2').set('5/0/5', '1').set('5/0/1', 'coap://old/package');
  await device.register();
  const plan = await cloud.publishFull();
  const uri = await until(
    () => device.resources.get('5/0/1') ?? '',
    (found) => found.includes('/a/'),
  );
  expect(device.commands).toEqual(['PUT 5/0/1', `PUT 5/0/1 ${uri}`]);
  await device.set({ '5/0/3': '2' });
  await executed(device);
  await reboot(device, '1.1.0');
  expect(await ended(plan)).toMatchObject({ state: 'upgraded', attempts: 1 });
});

test('a restart of the cloud takes a download up where the device is, and repeats no update', async () => {
  const device = await registered();
  const plan = await cloud.publishFull();
  const uri = await uriOf(device);
  await device.set({ '5/0/3': '1' });
  const port = Number(new URL(cloud.running.coap ?? '').port);
  await cloud.running.close();
  await cloud.reopen({ coapPort: port });
  // The registration is gone with the cloud: the device is told so and registers again.
  expect(await device.update()).toBe('4.04');
  await device.register();
  await until(
    () => device.isWatched,
    (isWatched) => isWatched,
  );
  await device.set({ '5/0/3': '2' });
  await executed(device);
  await componentState(plan, 'upgrading');
  await cloud.running.close();
  await cloud.reopen({ coapPort: port });
  await reboot(device, '1.1.0');
  expect(await ended(plan)).toMatchObject({ state: 'upgraded', attempts: 1 });
  expect(device.commands).toEqual([`PUT 5/0/1 ${uri}`, 'POST 5/0/2']);
});

test('who is not a device of this cloud that uses LwM2M is not registered', async () => {
  await cloud.http('http-1');
  const device = await cloud.lwm2m('dev-1');
  for (const id of ['stranger', 'http-1']) {
    const other = new HandLwm2mDevice(cloud.running.coap ?? '', id);
    expect(await other.register()).toBe('4.03');
    await other.close();
  }
  expect(await device.register()).toBe('2.01');
  expect(await device.update()).toBe('2.04');
  expect(await device.deregister()).toBe('2.02');
  expect(await device.update()).toBe('4.04');
});

test('a suspended plan is not begun, and a device in queue mode is reached when it is heard', async () => {
  const device = await cloud.lwm2m('dev-1');
  const plan = await cloud.publishFull();
  await cloud.operator.control(plan.id, 'suspend');
  await device.register();
  await until(
    () => device.isWatched,
    (isWatched) => isWatched,
  );
  expect(device.commands).toEqual([]);
  await cloud.operator.control(plan.id, 'resume');
  await uriOf(device);
});

test('Object 33629 names its components and their versions', async () => {
  const device = await cloud.lwm2m('dev-1');
  device.links = '</3/0>,</33629/0>,</33629/1>';
  for (const [path, value] of device.resources)
    if (path.startsWith('5/0/')) {
      device.resources.set(path.replace('5/0', '33629/1'), value);
      device.resources.set(path.replace('5/0', '33629/0'), value);
    }
  device.resources
    .set('33629/0/14', 'BOOT')
    .set('33629/0/15', '0.9')
    .set('33629/1/14', 'APP')
    .set('33629/1/15', '1.0.0');
  await device.register();
  const plan = await cloud.publishFull();
  await until(
    () => device.resources.get('33629/1/1') ?? '',
    (uri) => uri.includes('/a/'),
  );
  expect(device.resources.get('33629/0/1')).toBe('');
  expect((await cloud.deviceOf(plan, 'dev-1'))?.components[0]?.fromVersion).toBe('1.0.0');
});
