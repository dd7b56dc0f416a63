import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDevice, makePlan, until } from '../support/cloud.ts';
import { TestClock } from '../support/test-clock.ts';
import { TestCloud } from '../support/test-cloud.ts';

const minutesPerDay = 24 * 60;
let cloud: TestCloud;
let clock: TestClock;
beforeEach(async () => {
  clock = new TestClock({ at: new Date().toISOString() });
  cloud = await TestCloud.start(0, null, { clock, keepDays: 30 });
});
afterEach(() => cloud.stop());

const stored = (): Promise<string[]> => readdir(join(cloud.folder, 'artifacts'));
const logOf = async (planId: string): Promise<unknown[]> =>
  (await cloud.operator.call<{ items: unknown[] }>('GET', `/plans/${planId}/devices/dev-1/log`))
    .items;

/** A plan that dev-1 has gone through, from the version that it runs to another. */
async function upgrade(targetVersion: string) {
  const packageId = await cloud.operator.putPackage(randomBytes(1000), { targetVersion });
  const component = {
    componentId: 'APP',
    componentType: 'mcu' as const,
    targetVersion,
    fullPackageId: packageId,
    deltas: [],
  };
  const plan = makePlan(null, { components: [component], whitelist: ['dev-1'] });
  await cloud.operator.publish(plan);
  const device = await cloud.http('dev-1', { versions: {} });
  await device.begin();
  await device.runs(targetVersion);
  return { plan, packageId };
}

test('of plans that ended long ago the outcome stays, the details and what only they delivered go', async () => {
  await cloud.addDevices(
    makeDevice('dev-1', { transport: 'http' }),
    makeDevice('dev-2', { transport: 'http' }),
  );
  const open = makePlan(await cloud.operator.putPackage(randomBytes(500)));
  await cloud.operator.publish(open);
  await (await cloud.http('dev-1')).runs('1.1.0');
  const { plan, packageId } = await upgrade('1.2.0');
  const before = await cloud.operator.status(plan.id);
  expect(await stored()).toHaveLength(2);
  expect(await logOf(plan.id)).not.toEqual([]);
  await until(
    () => cloud.operator.history(plan.id),
    (points) => points.at(-1)?.upgraded === 1,
  );

  clock.turn(31 * minutesPerDay);
  await until(stored, (names) => names.length === 1);
  await until(
    () => logOf(plan.id),
    (lines) => lines.length === 0,
  );
  expect(await cloud.operator.status(plan.id)).toEqual(before);
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgraded', attempts: 1 });
  expect((await cloud.operator.history(plan.id)).length).toBe(1);
  expect(await logOf(open.id)).not.toEqual([]);

  // What a device needs for the plan that is open is there, and a removed artifact can be sent again.
  const second = await cloud.http('dev-2');
  const { artifact } = await second.begin();
  expect((await second.ask('GET', artifact)).status).toBe(200);
  const again = makePlan(null, { components: plan.components });
  await expect(cloud.operator.publish(again)).rejects.toMatchObject({ code: 'package-missing' });
  expect(plan.components[0]?.fullPackageId).toBe(packageId);
});

test('before that nothing goes', async () => {
  await cloud.addDevices(makeDevice('dev-1', { transport: 'http' }));
  const { plan } = await upgrade('1.1.0');
  clock.turn(29 * minutesPerDay);
  await new Promise((done) => setTimeout(done, 200));
  expect(await stored()).toHaveLength(1);
  expect(await logOf(plan.id)).not.toEqual([]);
});

test('a clock that jumps after the start does not remove anything within hours', async () => {
  await cloud.addDevices(makeDevice('dev-1', { transport: 'http' }));
  const { plan } = await upgrade('1.1.0');
  clock.jump(1000 * minutesPerDay);
  await new Promise((done) => setTimeout(done, 200));
  expect(await logOf(plan.id)).not.toEqual([]);
});
