import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plan, PlanState } from '../../shared/domain/plan.ts';
import { makeDevice, makePlan, until } from '../support/cloud.ts';
import { TestClock } from '../support/test-clock.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { TestCloud } from '../support/test-cloud.ts';

let clock: TestClock;
let cloud: TestCloud;
beforeEach(async () => {
  clock = new TestClock({ at: '2026-05-01T09:00Z', isWorking: false });
  cloud = await TestCloud.start(0, null, {
    clock,
    lwm2mTimes: { pollMs: 50, stallMs: 20_000, updateMs: 20_000 },
  });
});
afterEach(() => cloud.stop());

const planned: Partial<Plan> = {
  timeZone: 'Europe/Berlin',
  plannedTime: { start: '2026-05-01T12:00', end: '2026-05-02T12:00' },
};
const start = '2026-05-01T10:00Z';
const end = '2026-05-02T10:00Z';

const reaches = (plan: Plan, state: PlanState) =>
  until(
    () => cloud.operator.status(plan.id),
    (status) => status.state === state,
  );
const heldOf = async (plan: Plan, id: string) => (await cloud.deviceOf(plan, id))?.held;
const tells = (device: HandHttpDevice, data: Record<string, string>) =>
  device.ask('PUT', '/configData', { mode: 'merge', data });

test('before its start a plan pushes nothing; an MQTT device hears of it when it starts', async () => {
  const polls = await cloud.http('polls');
  const told = await cloud.mqtt('told');
  const plan = await cloud.publishFull(planned);
  await told.get('1.0.0');
  await until(
    () => told.jobs,
    (jobs) => jobs.length > 0,
  );
  expect(told.jobs).toEqual([{ job: null }]);
  expect(await polls.poll()).toBeNull();
  expect(await heldOf(plan, 'polls')).toEqual({
    reason: 'notStarted',
    detail: 'the plan starts 2026-05-01 12:00 Europe/Berlin',
  });
  expect((await cloud.operator.status(plan.id)).held).toMatchObject([
    { reason: 'notStarted', count: 2 },
  ]);
  clock.set(start);
  await until(
    () => told.jobs.at(-1)?.job,
    (job) => typeof job === 'string',
  );
  expect(await polls.poll()).not.toBeNull();
  expect((await cloud.operator.status(plan.id)).held).toEqual([]);
});

test('at its end a plan ends by itself: who waits is not upgraded, who has begun goes on', async () => {
  const [begun, waits] = [await cloud.http('begun'), await cloud.http('waits')];
  const plan = await cloud.publishFull(planned);
  clock.set(start);
  const { href } = await begun.begin();
  const waiting = (await waits.poll()) ?? '';
  clock.set(end);
  await reaches(plan, 'ended');
  expect(await waits.poll()).toBeNull();
  expect((await waits.ask('GET', waiting)).status).toBe(410);
  expect(await begun.feedback(href, 'closed', 'success')).toBe(200);
  await begun.runs('1.1.0');
  const status = await cloud.operator.status(plan.id);
  expect(status).toMatchObject({
    state: 'ended',
    counts: { upgraded: 1, notUpgraded: 1 },
    successRate: 1,
    held: [{ reason: 'ended', count: 1 }],
  });
  // Later plans are free to take it.
  const next = await cloud.publishFull({ whitelist: ['waits'] });
  await waits.begin();
  expect((await cloud.deviceOf(next, 'waits'))?.state).toBe('upgrading');
});

test('start and end that come while the cloud is down are seen when it is back', async () => {
  await cloud.http('dev-1');
  const plan = await cloud.publishFull(planned);
  await cloud.close();
  clock.set(start);
  await cloud.reopen();
  const again = await cloud.http('dev-1');
  expect(await again.poll()).not.toBeNull();
  await cloud.close();
  clock.set(end);
  await cloud.reopen();
  expect((await cloud.operator.status(plan.id)).state).toBe('ended');
  const later = new HandHttpDevice(cloud.running.http, 'dev-1', cloud.secretOf('dev-1'));
  expect(await later.poll()).toBeNull();
});

test('a clock that is set back and forth does no harm', async () => {
  const [first, second] = [await cloud.http('first'), await cloud.http('second')];
  const plan = await cloud.publishFull(planned);
  clock.set(start);
  const { href } = await first.begin();
  clock.set('2020-01-01T00:00Z');
  expect(await second.poll()).toBeNull();
  expect(await first.feedback(href, 'downloaded')).toBe(200);
  clock.set(start);
  expect(await second.poll()).not.toBeNull();
  clock.set(end);
  await reaches(plan, 'ended');
  clock.set(start);
  expect(await second.poll()).toBeNull();
  expect((await cloud.operator.status(plan.id)).state).toBe('ended');
});

test('the push period opens and closes each day, and who has begun is not stopped by it', async () => {
  const [first, second] = [await cloud.http('first'), await cloud.http('second')];
  const plan = await cloud.publishFull({
    timeZone: 'Asia/Shanghai',
    pushPeriod: { from: '22:00', to: '04:00' },
  });
  expect(await first.poll()).toBeNull();
  expect((await heldOf(plan, 'first'))?.detail).toBe('pushed 22:00 to 04:00 Asia/Shanghai only');
  clock.set('2026-05-01T16:30Z');
  const { href } = await first.begin();
  clock.set('2026-05-01T20:00Z');
  expect(await second.poll()).toBeNull();
  expect(await first.feedback(href, 'closed', 'failure', '7')).toBe(200);
  expect(await first.poll(), 'its retry').not.toBeNull();
  clock.set('2026-05-02T14:00Z');
  expect(await second.poll()).not.toBeNull();
});

test('a low battery and a weak signal hold a device until it reports better values', async () => {
  const device = await cloud.http('dev-1');
  await tells(device, { battery: '12', rsrp: '-120' });
  const plan = await cloud.publishFull();
  expect(await device.poll()).toBeNull();
  expect(await heldOf(plan, 'dev-1')).toEqual({
    reason: 'lowBattery',
    detail: 'battery 12 % < 30 %',
  });
  const base = (await (await device.ask('GET', '')).json()) as { _links: object };
  expect(base._links, 'it is asked how it is').toHaveProperty('configData');
  await tells(device, { battery: '30' });
  expect(await heldOf(plan, 'dev-1')).toMatchObject({ detail: 'RSRP -120 dBm < -113 dBm' });
  expect((await cloud.operator.status(plan.id)).held).toEqual([
    {
      reason: 'weakSignal',
      count: 1,
      devices: [{ deviceId: 'dev-1', detail: 'RSRP -120 dBm < -113 dBm' }],
    },
  ]);
  await tells(device, { rsrp: 'strong' });
  expect(await device.poll()).toBeNull();
  await tells(device, { rsrp: '-113' });
  await device.begin();
  await tells(device, { battery: '1' });
  expect((await cloud.deviceOf(plan, 'dev-1'))?.held, 'it has begun').toBeUndefined();
});

test('an MQTT device that was held gets its job as soon as it says better', async () => {
  const device = await cloud.mqtt('dev-1');
  const plan = await cloud.publishFull({ minBatteryPercent: 80 });
  await until(
    () => device.jobs.length,
    (count) => count > 0,
  );
  const versions = { APP: '1.0.0' };
  await device.send('get', { versions, battery: 79, rsrp: -90 });
  await until(
    () => device.jobs.at(-1)?.job,
    (job) => job === null,
  );
  expect((await heldOf(plan, 'dev-1'))?.detail).toBe('battery 79 % < 80 %');
  await device.send('get', { battery: 80 });
  await until(
    () => device.jobs.at(-1)?.job,
    (job) => typeof job === 'string',
  );
});

test('an LwM2M device is held by its own resources, and goes on when they change', async () => {
  const device = await cloud.lwm2m('dev-1');
  device.links = '</1/0>,</3/0>,</4/0>,</5/0>';
  device.resources.set('3/0/9', '12').set('4/0/2', '-90');
  const plan = await cloud.publishFull();
  expect(await device.register()).toBe('2.01');
  await until(
    () => heldOf(plan, 'dev-1'),
    (held) => held?.detail === 'battery 12 % < 30 %',
  );
  await device.set({ '4/0/2': '-130' });
  await device.set({ '3/0/9': '55' });
  await until(
    () => heldOf(plan, 'dev-1'),
    (held) => held?.detail === 'RSRP -130 dBm < -113 dBm',
  );
  expect(device.commands).toEqual([]);
  await device.set({ '4/0/2': '-100' });
  await until(
    () => device.resources.get('5/0/1'),
    (uri) => uri !== '',
  );
});

test('an LwM2M job that lasts longer than 48 hours is over', async () => {
  const device = await cloud.lwm2m('dev-1');
  const polls = await cloud.http('dev-2');
  const plan = await cloud.publishFull();
  expect(await device.register()).toBe('2.01');
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.state === 'upgrading',
  );
  await polls.begin();
  clock.set('2026-05-03T09:00Z');
  expect((await cloud.deviceOf(plan, 'dev-1'))?.state).toBe('upgrading');
  clock.set('2026-05-03T09:01Z');
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.state === 'failed',
  );
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ error: 'job-over-48-hours' });
  expect((await cloud.deviceOf(plan, 'dev-2'))?.state).toBe('upgrading');
});

test('a plan that cannot be carried out is refused, and so is one whose end has passed', async () => {
  await cloud.addDevices(makeDevice('dev-1'));
  const packageId = await cloud.operator.putPackage(randomBytes(10));
  const refused = (fields: Partial<Plan>) => cloud.operator.publish(makePlan(packageId, fields));
  await expect(refused({ ...planned, timeZone: 'Mars/Base' })).rejects.toMatchObject({
    code: 'plan-invalid',
  });
  clock.set(end);
  await expect(refused(planned)).rejects.toMatchObject({ code: 'plan-over', status: 422 });
});

test('with a planned end, failed devices can be retried until then; without failures the plan is over', async () => {
  const [good, bad] = [await cloud.http('good'), await cloud.http('bad')];
  clock.set(start);
  const plan = await cloud.publishFull({ ...planned, retries: 0 });
  await good.begin();
  await good.runs('1.1.0');
  await bad.feedback((await bad.begin()).href, 'closed', 'failure', '7');
  expect(await cloud.operator.status(plan.id)).toMatchObject({
    state: 'upgrading',
    counts: { upgraded: 1, failed: 1 },
  });
  await cloud.operator.call('POST', `/plans/${plan.id}/devices/bad/retry`);
  await bad.begin();
  await bad.runs('1.1.0');
  expect((await cloud.operator.status(plan.id)).state).toBe('ended');
});
