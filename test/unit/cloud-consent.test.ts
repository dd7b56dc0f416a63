import { afterEach, beforeEach, expect, test } from 'vitest';
import { feedbackUrl } from '../../electron/boards/fleet/ddi-device.ts';
import type { Plan } from '../../shared/domain/plan.ts';
import { makeDevice, until, jobIdOf } from '../support/cloud.ts';
import { TestClock } from '../support/test-clock.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { TestCloud } from '../support/test-cloud.ts';

let clock: TestClock;
let cloud: TestCloud;
beforeEach(async () => {
  clock = new TestClock({ at: '2026-05-01T10:00Z', isWorking: false });
  cloud = await TestCloud.start(0, null, {
    clock,
    lwm2mTimes: { pollMs: 50, stallMs: 20_000, updateMs: 20_000 },
  });
});
afterEach(() => cloud.stop());

const manual: Partial<Plan> = {
  mode: 'manual',
  upgradeTexts: { zh: '新版本', en: 'A new version' },
  timeZone: 'UTC',
  plannedTime: { start: '2026-05-01T10:00', end: '2026-05-02T10:00' },
};

const act = (plan: Plan, id: string, kind: string, body: object = {}) =>
  cloud.operator.call('POST', `/plans/${plan.id}/devices/${id}/${kind}`, body);
const refusal = (code: string) => ({ code });

interface Links {
  readonly _links: Record<string, { readonly href: string } | undefined>;
}
const links = async (device: HandHttpDevice, path = '') =>
  ((await (await device.ask('GET', path)).json()) as Links)._links;
const answer = async (device: HandHttpDevice, href: string, body: object) =>
  (await device.ask('POST', feedbackUrl(href), body)).status;
const componentState = async (plan: Plan, id: string) =>
  (await cloud.deviceOf(plan, id))?.components[0]?.state;

test('a DDI device is asked, confirms, and gets the same job as its deployment', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull(manual);
  expect(await componentState(plan, 'dev-1')).toBe('planNotReceived');
  const { confirmationBase, deploymentBase } = await links(device);
  expect(deploymentBase).toBeUndefined();
  const href = confirmationBase?.href ?? '';
  expect(await (await device.ask('GET', href)).json()).toMatchObject({
    id: /(\d+)\?/.exec(href)?.[1],
    confirmation: { chunks: [{ version: '1.1.0' }] },
    actionHistory: {
      status: 'WAIT_FOR_CONFIRMATION',
      messages: ['en: A new version', 'zh: 新版本'],
    },
  });
  expect(await componentState(plan, 'dev-1')).toBe('planReceived');
  expect((await cloud.deviceOf(plan, 'dev-1'))?.held?.reason).toBe('confirmation');
  // Before that the job is not there, whatever it tries.
  const job = href.replace('confirmationBase', 'deploymentBase');
  expect((await device.ask('GET', job)).status).toBe(404);
  expect(await device.feedback(job, 'closed', 'success')).toBe(404);
  const artifact = `${cloud.running.http}/a/${jobIdOf(href)}`;
  expect((await device.ask('GET', artifact)).status).toBe(410);

  expect(await answer(device, href, { confirmation: 'maybe' })).toBe(400);
  expect(await answer(device, href, { confirmation: 'confirmed', code: 200 })).toBe(200);
  expect(await answer(device, href, { confirmation: 'confirmed' })).toBe(200);
  expect(await componentState(plan, 'dev-1')).toBe('upgradeConfirmed');
  expect((await links(device)).confirmationBase).toBeUndefined();
  const begun = await device.begin();
  expect(begun.href).toBe(job);
  expect(await device.feedback(job, 'closed', 'success')).toBe(200);
  await device.runs('1.1.0');
  expect((await cloud.operator.status(plan.id)).state).toBe('ended');
});

test('a DDI device that denies has failed with its code, and its user may retry', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull(manual);
  const href = (await links(device)).confirmationBase?.href ?? '';
  expect(await answer(device, href, { confirmation: 'denied', code: 17 })).toBe(200);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'failed', error: '17' });
  expect(await componentState(plan, 'dev-1')).toBe('upgradeFailed');
  expect(await links(device)).not.toHaveProperty('confirmationBase');
  await act(plan, 'dev-1', 'retry');
  expect(await componentState(plan, 'dev-1')).toBe('upgradeConfirmed');
  await device.begin();
});

test('a DDI device confirms by itself once it says so', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull(manual);
  const { activateAutoConfirm } = await links(device, '/confirmationBase');
  const body = { initiator: 'owner', remark: 'always' };
  expect((await device.ask('POST', activateAutoConfirm?.href ?? '', body)).status).toBe(200);
  expect(await (await device.ask('GET', '/confirmationBase')).json()).toMatchObject({
    autoConfirm: { active: true },
    _links: { deactivateAutoConfirm: {} },
  });
  await device.begin();
  expect((await cloud.deviceOf(plan, 'dev-1'))?.state).toBe('upgrading');
  const other = await cloud.http('dev-2');
  const next = await cloud.publishFull({ ...manual, whitelist: ['dev-2'] });
  await cloud.operator.call('PUT', '/devices/dev-2/auto-confirm', { active: true });
  await cloud.operator.call('PUT', '/devices/dev-2/auto-confirm', { active: false });
  expect(await other.poll()).toBeNull();
  expect((await cloud.deviceOf(next, 'dev-2'))?.held?.reason).toBe('confirmation');
});

test('an MQTT device is asked without an address, and told its job once confirmed', async () => {
  const device = await cloud.mqtt('dev-1');
  const plan = await cloud.publishFull(manual);
  const [asked] = await until(
    () => device.jobs,
    (jobs) => jobs.length > 0,
  );
  expect(asked).toEqual({
    job: expect.any(String),
    confirm: true,
    component: 'APP',
    packageType: 'full',
    sourceVersion: null,
    targetVersion: '1.1.0',
    sizeBytes: 5000,
    texts: manual.upgradeTexts,
  });
  // It may not begin.
  await device.status(asked?.job, 'DOWNLOADING');
  await until(
    () => device.jobs.length,
    (count) => count > 1,
  );
  expect(await componentState(plan, 'dev-1')).toBe('planReceived');
  await device.status(asked?.job, 'CONFIRMED');
  await device.status(asked?.job, 'CONFIRMED');
  const told = await until(
    () => device.jobs.find(({ url }) => url),
    (job) => job !== undefined,
  );
  expect(told?.job).toBe(asked?.job);
  await device.status(told?.job, 'SUCCEEDED', { version: '1.1.0' });
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.state === 'upgraded',
  );
});

test('an MQTT device appoints a window, and is told its job when that opens', async () => {
  const device = await cloud.mqtt('dev-1');
  const plan = await cloud.publishFull(manual);
  const [asked] = await until(
    () => device.jobs,
    (jobs) => jobs.length > 0,
  );
  const defer = (start: string, end: string) =>
    device.status(asked?.job, 'DEFERRED', { start, end });
  // Half an hour is too short: it is asked again.
  await defer('2026-05-01T12:00:00Z', '2026-05-01T12:30:00Z');
  await until(
    () => device.jobs.length,
    (count) => count > 1,
  );
  await defer('2026-05-01T14:00:00+02:00', '2026-05-01T15:00:00+02:00');
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.held?.reason === 'appointment',
  );
  expect((await cloud.operator.status(plan.id)).held).toMatchObject([
    {
      reason: 'appointment',
      count: 1,
      devices: [{ detail: 'appointed for 2026-05-01T12:00:00.000Z' }],
    },
  ]);
  clock.set('2026-05-01T12:00Z');
  await until(
    () => device.jobs.at(-1)?.url,
    (url) => url !== undefined,
  );
});

test('an appointed window that passes unused is asked for again', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull(manual);
  const window = { start: '2026-05-01T12:00:00Z', end: '2026-05-01T13:00:00Z' };
  await act(plan, 'dev-1', 'appoint', window);
  expect(await links(device)).not.toHaveProperty('confirmationBase');
  clock.set('2026-05-01T13:00Z');
  expect(await links(device)).toHaveProperty('confirmationBase');
});

test('an LwM2M device begins when its user has confirmed by the operator API', async () => {
  const device = await cloud.lwm2m('dev-1');
  const plan = await cloud.publishFull(manual);
  expect(await device.register()).toBe('2.01');
  await until(
    () => componentState(plan, 'dev-1'),
    (state) => state === 'planReceived',
  );
  expect(device.commands).toEqual([]);
  await act(plan, 'dev-1', 'confirm');
  await until(
    () => device.resources.get('5/0/1'),
    (uri) => uri !== '',
  );
});

test('neither the end nor a termination stops a device that was confirmed', async () => {
  for (const how of ['end', 'terminate'] as const) {
    const id = (name: string): string => `${how}-${name}`;
    const [sure, unsure, later] = [
      await cloud.http(id('sure')),
      await cloud.http(id('unsure')),
      await cloud.http(id('later')),
    ];
    const plan = await cloud.publishFull({
      ...manual,
      whitelist: [id('sure'), id('unsure'), id('later')],
    });
    await links(unsure);
    await act(plan, id('sure'), 'confirm');
    const window = { start: '2026-05-02T08:00:00Z', end: '2026-05-02T09:00:00Z' };
    await act(plan, id('later'), 'appoint', window);
    if (how === 'terminate') await cloud.operator.control(plan.id, 'terminate');
    else clock.set('2026-05-02T10:00Z');
    await until(
      () => cloud.operator.status(plan.id),
      ({ state }) => state === 'ended' || state === 'terminated',
    );
    expect(await unsure.poll()).toBeNull();
    expect(await later.poll()).toBeNull();
    await expect(act(plan, id('unsure'), 'confirm')).rejects.toMatchObject(refusal('plan-state'));
    await sure.begin();
    await sure.runs('1.1.0');
    expect((await cloud.operator.status(plan.id)).counts).toMatchObject({
      upgraded: 1,
      ...(how === 'end' ? { notUpgraded: 2 } : { failed: 2 }),
    });
    clock.set('2026-05-01T10:00Z');
  }
});

test('answers outlive a restart', async () => {
  const devices = ['sure', 'later', 'asked'];
  for (const id of devices) await cloud.http(id);
  const plan = await cloud.publishFull(manual);
  await act(plan, 'sure', 'confirm');
  const window = { start: '2026-05-01T12:00:00Z', end: '2026-05-01T13:00:00Z' };
  await act(plan, 'later', 'appoint', window);
  const again = (id: string) => new HandHttpDevice(cloud.running.http, id, cloud.secretOf(id));
  const path = (href: string | undefined) => new URL(href ?? '').pathname;
  const before = path((await links(again('asked'))).confirmationBase?.href);
  await cloud.close();
  await cloud.reopen();
  expect(path((await links(again('asked'))).confirmationBase?.href)).toBe(before);
  expect(await again('later').poll()).toBeNull();
  await again('sure').begin();
  clock.set('2026-05-01T12:00Z');
  await again('later').begin();
});

test('what cannot be done is refused by name, one device at a time', async () => {
  const device = await cloud.http('dev-1');
  await cloud.addDevices(makeDevice('dev-2', { transport: 'http' }));
  const plan = await cloud.publishFull(manual);
  await expect(act(plan, 'nobody', 'confirm')).rejects.toMatchObject({
    code: 'device-not-in-plan',
    status: 404,
  });
  const window = (start: string, end: string) =>
    act(plan, 'dev-1', 'appoint', { start: `${start}:00Z`, end: `${end}:00Z` });
  for (const [start, end] of [
    ['2026-05-01T12:00', '2026-05-01T12:59'],
    ['2026-05-01T09:30', '2026-05-01T10:30'],
    ['2026-05-02T09:30', '2026-05-02T10:30'],
  ] as const)
    await expect(window(start, end)).rejects.toMatchObject({ code: 'appointment-window' });
  await expect(act(plan, 'dev-1', 'appoint', { start: 'soon' })).rejects.toMatchObject({
    status: 400,
  });
  await expect(act(plan, 'dev-1', 'retry')).rejects.toMatchObject(refusal('device-state'));
  await act(plan, 'dev-1', 'confirm');
  await device.begin();
  await expect(act(plan, 'dev-1', 'cancel')).rejects.toMatchObject(refusal('device-state'));
  expect(
    await cloud.operator.call('POST', `/plans/${plan.id}/devices/confirm`, {
      devices: ['dev-1', 'dev-2', 'dev-2', 'nobody'],
    }),
  ).toMatchObject({
    done: 2,
    failed: [{ deviceId: 'nobody', problem: { code: 'device-not-in-plan' } }],
  });
  const silent = await cloud.publishFull();
  await expect(act(silent, 'dev-2', 'confirm')).rejects.toMatchObject(refusal('plan-silent'));
});

test('a silent plan retries failed devices while it is upgrading, and only those on the source version', async () => {
  const [moved, stays, rest] = [
    await cloud.http('moved'),
    await cloud.http('stays'),
    await cloud.http('rest'),
  ];
  const plan = await cloud.publishFull({ retries: 0 });
  for (const device of [moved, stays])
    await device.feedback((await device.begin()).href, 'closed', 'failure', '7');
  await moved.runs('0.9.0');
  await expect(act(plan, 'moved', 'retry')).rejects.toMatchObject(refusal('source-changed'));
  await expect(act(plan, 'rest', 'retry')).rejects.toMatchObject(refusal('device-state'));
  await cloud.operator.control(plan.id, 'suspend');
  await expect(act(plan, 'stays', 'retry')).rejects.toMatchObject(refusal('plan-state'));
  await cloud.operator.control(plan.id, 'resume');
  await act(plan, 'stays', 'retry');
  expect(await cloud.deviceOf(plan, 'stays')).toMatchObject({ state: 'notUpgraded', error: null });
  const { href } = await stays.begin();
  expect(await stays.feedback(href, 'closed', 'success')).toBe(200);
  await stays.runs('1.1.0');
  expect((await cloud.deviceOf(plan, 'stays'))?.state).toBe('upgraded');
  await rest.begin();
  await rest.runs('1.1.0');
  expect((await cloud.operator.status(plan.id)).state).toBe('ended');
  await expect(act(plan, 'moved', 'retry')).rejects.toMatchObject(refusal('plan-state'));
});

test('a cancelled device of a manual plan waits for nobody', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull(manual);
  await act(plan, 'dev-1', 'cancel');
  await act(plan, 'dev-1', 'cancel');
  expect(await cloud.operator.status(plan.id)).toMatchObject({
    state: 'activated',
    failureReasons: [{ code: 'user-cancelled', count: 1 }],
    held: [],
  });
  expect(await links(device)).not.toHaveProperty('confirmationBase');
});
