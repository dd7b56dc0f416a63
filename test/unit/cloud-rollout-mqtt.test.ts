import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { componentId, makePlan, until } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(() => cloud.stop());

test('a connected MQTT device hears of a plan at once, and duplicates change nothing', async () => {
  const device = await cloud.mqtt('dev-1');
  await device.get('1.0.0');
  await until(
    () => device.jobs,
    (jobs) => jobs.length === 1,
  );
  expect(device.jobs[0]).toEqual({ job: null });
  const plan = await cloud.publishFull({ retries: 0 });
  await until(
    () => device.jobs,
    (jobs) => jobs.length === 2,
  );
  const job = device.jobs[1];
  expect(job).toEqual({
    job: expect.stringMatching(/^\d+$/),
    component: componentId,
    packageType: 'full',
    sourceVersion: null,
    targetVersion: '1.1.0',
    name: 'image.bin',
    url: `${cloud.running.http}/a/${job?.job}`,
    sizeBytes: 5000,
    sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  await device.get('1.0.0');
  await until(
    () => device.jobs,
    (jobs) => jobs.length === 3,
  );
  expect(device.jobs[2]).toEqual(job);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'notUpgraded', attempts: 0 });
  for (const state of ['DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING', 'DOWNLOADING'])
    await device.status(job?.job, state);
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.components[0]?.state === 'upgrading',
  );
  for (let time = 0; time < 3; time++)
    await device.status(job?.job, 'SUCCEEDED', { version: '1.1.0' });
  await device.status(job?.job, 'FAILED', { code: 'late' });
  await until(
    () => device.jobs,
    (jobs) => jobs.length === 4,
  );
  expect(device.jobs[3]).toEqual({ job: null });
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({
    state: 'upgraded',
    attempts: 1,
    error: null,
  });
});

test('what the embedded broker has acknowledged is stored', async () => {
  const device = await cloud.mqtt('dev-1');
  const plan = await cloud.publishFull();
  const [job] = await until(
    () => device.jobs,
    (jobs) => jobs.length === 1,
  );
  for (const state of ['DOWNLOADING', 'UPDATING']) {
    await device.status(job?.job, state);
    const [component] = (await cloud.deviceOf(plan, 'dev-1'))?.components ?? [];
    expect(component?.state).toBe(state === 'UPDATING' ? 'upgrading' : 'downloading');
  }
});

test('an MQTT success without a version waits for the versions', async () => {
  const device = await cloud.mqtt('dev-1');
  const plan = await cloud.publishFull();
  const [job] = await until(
    () => device.jobs,
    (jobs) => jobs.length === 1,
  );
  await device.status(job?.job, 'SUCCEEDED');
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.components[0]?.progress === 1,
  );
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgrading' });
  await device.get('1.0.0');
  const jobs = await until(
    () => device.jobs,
    (all) => all.some((one) => one.job !== job?.job),
  );
  const retry = jobs.find((one) => one.job !== job?.job);
  await device.status(retry?.job, 'UPDATING');
  await device.get('1.1.0');
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.state === 'upgraded',
  );
});

test('an MQTT device that failed is told to try again at once; malformed messages are ignored', async () => {
  const device = await cloud.mqtt('dev-1');
  const plan = await cloud.publishFull({ retries: 1 });
  const [first] = await until(
    () => device.jobs,
    (jobs) => jobs.length === 1,
  );
  for (const odd of ['', '{', '[]', '{"job":1}', '{"job":"1","state":"GREAT"}'])
    await device.send('status', odd);
  await device.send('get', '{"versions":7}');
  await device.status(first?.job, 'FAILED', { code: 'E1' });
  const [, second] = await until(
    () => device.jobs,
    (jobs) => jobs.length === 2,
  );
  expect(second?.job).not.toBe(first?.job);
  await device.status(second?.job, 'REJECTED');
  await until(
    () => cloud.operator.status(plan.id),
    ({ state }) => state === 'ended',
  );
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({
    state: 'failed',
    attempts: 2,
    error: 'rejected',
  });
});

test('suspend and terminate hold for MQTT devices, and a terminated job is taken back', async () => {
  const [early, late] = [await cloud.mqtt('dev-1'), await cloud.mqtt('dev-2')];
  const plan = await cloud.publishFull();
  const [job] = await until(
    () => early.jobs,
    (jobs) => jobs.length === 1,
  );
  await cloud.operator.control(plan.id, 'suspend');
  await late.close();
  const back = await cloud.mqtt('dev-2');
  await back.get('1.0.0');
  await until(
    () => back.jobs,
    (jobs) => jobs.length === 1,
  );
  expect(back.jobs[0]).toEqual({ job: null });
  await cloud.operator.control(plan.id, 'resume');
  await until(
    () => back.jobs,
    (jobs) => jobs.length === 2,
  );
  await cloud.operator.control(plan.id, 'terminate');
  await early.status(job?.job, 'DOWNLOADING');
  await until(
    () => early.jobs,
    (jobs) => jobs.at(-1)?.job === null,
  );
  const headers = { authorization: `TargetToken ${cloud.secretOf('dev-1')}` };
  expect((await fetch(job?.url ?? '', { headers })).status).toBe(410);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({
    state: 'failed',
    error: 'terminated',
  });
});

test('when a plan gives a device up, the next plan of that device reaches it at once', async () => {
  const device = await cloud.mqtt('dev-1');
  const first = await cloud.publishFull();
  await until(
    () => device.jobs,
    (jobs) => jobs.length === 1,
  );
  const packageId = await cloud.operator.putPackage(randomBytes(10), { targetVersion: '1.2.0' });
  const [component] = makePlan(packageId).components;
  if (!component) throw new Error('no component');
  await cloud.operator.publish(
    makePlan(null, { components: [{ ...component, targetVersion: '1.2.0' }] }),
  );
  await cloud.operator.control(first.id, 'terminate');
  await until(
    () => device.jobs,
    (jobs) => jobs.at(-1)?.targetVersion === '1.2.0',
  );
});

test('a restart loses nothing and repeats nothing; a download alone counts as begun', async () => {
  const device = await cloud.mqtt('dev-1');
  const silent = await cloud.mqtt('dev-2');
  const plan = await cloud.publishFull();
  const [job] = await until(
    () => device.jobs,
    (jobs) => jobs.length === 1,
  );
  const [silentJob] = await until(
    () => silent.jobs,
    (jobs) => jobs.length === 1,
  );
  await device.status(job?.job, 'UPDATING');
  const headers = { authorization: `TargetToken ${cloud.secretOf('dev-2')}` };
  expect((await fetch(silentJob?.url ?? '', { headers })).status).toBe(200);
  await until(
    () => cloud.operator.status(plan.id),
    ({ counts }) => counts.upgrading === 2,
  );
  const history = await cloud.operator.history(plan.id);
  await cloud.close();
  await cloud.reopen();

  expect((await cloud.operator.history(plan.id)).slice(0, history.length)).toEqual(history);
  const again = await cloud.mqtt('dev-1');
  await again.get('1.0.0');
  await until(
    () => again.jobs,
    (jobs) => jobs.length === 1,
  );
  expect(again.jobs[0]).toMatchObject({ job: job?.job });
  await again.get('1.1.0');
  await (await cloud.mqtt('dev-2')).get('1.1.0');
  await until(
    () => cloud.operator.status(plan.id),
    ({ state }) => state === 'ended',
  );
  for (const id of ['dev-1', 'dev-2'])
    expect(await cloud.deviceOf(plan, id)).toMatchObject({ state: 'upgraded', attempts: 1 });
  const last = (await cloud.operator.history(plan.id)).at(-1);
  expect(last).toMatchObject({ upgraded: 2, notUpgraded: 0 });
});
