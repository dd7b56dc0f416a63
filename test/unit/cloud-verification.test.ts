import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Plan } from '../../shared/domain/plan.ts';
import { verificationTimes } from '../../shared/domain/verification.ts';
import { makeDevice, makePlan, until } from '../support/cloud.ts';
import { TestClock } from '../support/test-clock.ts';
import { TestCloud } from '../support/test-cloud.ts';

const start = '2026-05-01T09:00Z';
let clock: TestClock;
let cloud: TestCloud;
beforeEach(async () => {
  clock = new TestClock({ at: start, isWorking: false });
  cloud = await TestCloud.start(0, null, { clock });
});
afterEach(() => cloud.stop());

async function verification(deviceId: string, fields: Partial<Plan> = {}): Promise<Plan> {
  return makePlan(await cloud.operator.putPackage(randomBytes(5000)), {
    kind: 'verification',
    name: `Verification on ${deviceId}`,
    whitelist: [deviceId],
    retries: 0,
    ...verificationTimes(Date.parse(start)),
    ...fields,
  });
}
const stateOf = async (plan: Plan) => {
  const { state, counts, failureReasons } = await cloud.operator.status(plan.id);
  return { state, counts, failureReasons };
};

test('the package goes to the one device at once, and its new version proves it', async () => {
  const device = await cloud.http('dev-1');
  await cloud.addDevices(makeDevice('dev-2'));
  const plan = await verification('dev-1');
  await cloud.operator.publish(plan);
  const { href } = await device.begin();
  await device.feedback(href, 'closed', 'success');
  await device.runs('1.1.0');
  expect(await stateOf(plan)).toMatchObject({ state: 'ended', counts: { upgraded: 1 } });
});

test.each(['waits', 'is in the middle'])(
  'after 60 minutes a device that %s has failed',
  async (what) => {
    const device = await cloud.http('dev-1');
    const plan = await verification('dev-1');
    await cloud.operator.publish(plan);
    if (what !== 'waits') await device.begin();
    clock.set('2026-05-01T09:59Z');
    expect((await stateOf(plan)).counts.failed).toBe(0);
    clock.set('2026-05-01T10:00Z');
    await until(
      () => stateOf(plan),
      ({ state, counts }) => state === 'ended' && counts.failed === 1,
    );
    expect((await stateOf(plan)).failureReasons).toEqual([
      { code: 'verification-timeout', count: 1 },
    ]);
    expect(await device.poll()).toBeNull();
  },
);

test('one failed try is the answer; nothing is kept open for a retry', async () => {
  const device = await cloud.http('dev-1');
  const plan = await verification('dev-1');
  await cloud.operator.publish(plan);
  const { href } = await device.begin();
  await device.feedback(href, 'closed', 'failure');
  expect(await stateOf(plan)).toMatchObject({ state: 'ended', counts: { failed: 1 } });
});

test('a device in a plan that is under way is refused by the name of that plan', async () => {
  await cloud.addDevices(makeDevice('dev-1'));
  const first = await cloud.publishFull({ name: 'Spring' });
  const plan = await verification('dev-1');
  await expect(cloud.operator.publish(plan)).rejects.toMatchObject({
    code: 'device-in-plan',
    message: expect.stringContaining('“Spring”'),
  });
  await cloud.operator.control(first.id, 'terminate');
  await cloud.operator.publish(plan);
  await expect(cloud.operator.publish(await verification('dev-1'))).rejects.toMatchObject({
    code: 'device-in-plan',
    message: expect.stringContaining('Verification on dev-1'),
  });
});

test('a device that is unknown or does not fit is refused with why', async () => {
  await cloud.addDevices(makeDevice('dev-1', { versions: {} }));
  await expect(cloud.operator.publish(await verification('dev-9'))).rejects.toMatchObject({
    code: 'device-missing',
    status: 404,
  });
  await expect(cloud.operator.publish(await verification('dev-1'))).rejects.toMatchObject({
    code: 'verification-refused',
    status: 409,
    message: expect.stringContaining('never reported'),
  });
});
