import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { componentId } from '../support/cloud.ts';
import { backToFirstVersion } from '../support/first-version.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(() => cloud.stop());

const again = (id: string): HandHttpDevice =>
  new HandHttpDevice(cloud.running.http, id, cloud.secretOf(id));
const path = (href: string | null): string => (href === null ? '' : new URL(href).pathname);

/** How far a DDI device is brought before the restart; the path of its job, or '' without one. */
const ways: Record<string, (device: HandHttpDevice) => Promise<string>> = {
  waiting: async () => '',
  polled: async (device) => path(await device.poll()),
  fetched: async (device) => path((await device.begin()).href),
  downloading: async (device) => {
    const { href } = await device.begin();
    await device.feedback(href, 'download');
    return path(href);
  },
  downloaded: async (device) => {
    const { href } = await device.begin();
    await device.feedback(href, 'downloaded');
    return path(href);
  },
  installing: async (device) => {
    const { href } = await device.begin();
    await device.feedback(href, 'downloaded');
    await device.feedback(href, 'proceeding');
    return path(href);
  },
};

test.each(Object.keys(ways))(
  'a DDI device that was %s goes on after a restart with the same job',
  async (way) => {
    const device = await cloud.http('dev-1');
    const plan = await cloud.publishFull();
    const job = (await ways[way]?.(device)) ?? '';
    const before = await cloud.deviceOf(plan, 'dev-1');
    await cloud.close();
    await cloud.reopen();

    expect(await cloud.deviceOf(plan, 'dev-1')).toEqual(before);
    const href = await again('dev-1').poll();
    if (job !== '') expect(path(href)).toBe(job);
    await again('dev-1').begin();
    expect(await again('dev-1').feedback(href ?? '', 'closed', 'success')).toBe(200);
    expect(await again('dev-1').feedback(href ?? '', 'closed', 'success')).toBe(200);
    await again('dev-1').runs('1.1.0');
    expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgraded', attempts: 1 });
    expect(await again('dev-1').poll()).toBeNull();
    expect((await cloud.operator.status(plan.id)).state).toBe('ended');
  },
);

test('a success without its version, a failure and an end are remembered over a restart', async () => {
  const [claimed, failed, done] = [
    await cloud.http('claimed'),
    await cloud.http('failed'),
    await cloud.http('done'),
  ];
  const plan = await cloud.publishFull();
  const jobs = [await claimed.begin(), await failed.begin()];
  await claimed.feedback(jobs[0]?.href ?? '', 'closed', 'success');
  await failed.feedback(jobs[1]?.href ?? '', 'closed', 'failure', '7');
  await done.begin();
  await done.runs('1.1.0');
  const before = await cloud.operator.devices(plan.id);
  const history = await cloud.operator.history(plan.id);
  await cloud.close();
  await cloud.reopen();

  expect(await cloud.operator.devices(plan.id)).toEqual(before);
  expect((await cloud.operator.history(plan.id)).slice(0, history.length)).toEqual(history);
  expect(await again('claimed').poll()).toBeNull();
  expect(await again('done').poll()).toBeNull();
  // The failed attempt is over; the next one is a job of its own.
  const { pathname } = new URL(jobs[1]?.href ?? '');
  const closed = `${cloud.running.http}${pathname}`;
  expect(await again('failed').feedback(closed, 'closed', 'success')).toBe(410);
  const retry = await again('failed').begin();
  expect(path(retry.href)).not.toBe(pathname);
  await again('failed').runs('1.1.0');
  await again('claimed').runs('1.1.0');
  const after = await cloud.operator.devices(plan.id);
  expect(after.map(({ deviceId, state, attempts }) => [deviceId, state, attempts])).toEqual([
    ['claimed', 'upgraded', 1],
    ['done', 'upgraded', 1],
    ['failed', 'upgraded', 2],
  ]);
});

test('a plan that was suspended before a restart stays so, and who had begun goes on', async () => {
  const begun = await cloud.http('begun');
  await cloud.http('waiting');
  const told = await cloud.http('told');
  const plan = await cloud.publishFull();
  await begun.begin();
  const href = await told.poll();
  await cloud.operator.control(plan.id, 'suspend');
  await cloud.close();
  await cloud.reopen();

  expect((await cloud.operator.status(plan.id)).state).toBe('suspended');
  expect(await again('waiting').poll()).toBeNull();
  expect((await again('told').ask('GET', `${cloud.running.http}${path(href)}`)).status).toBe(404);
  await again('begun').runs('1.1.0');
  expect(await cloud.deviceOf(plan, 'begun')).toMatchObject({ state: 'upgraded' });
  // A second plan does not wait for the suspended one.
  const packageId = await cloud.operator.putPackage(randomBytes(10), { targetVersion: '1.2.0' });
  const other = await cloud.publishFull({
    whitelist: ['waiting'],
    components: [
      {
        componentId,
        componentType: 'mcu',
        targetVersion: '1.2.0',
        fullPackageId: packageId,
        deltas: [],
      },
    ],
  });
  expect((await again('waiting').begin()).version).toBe('1.2.0');
  await again('waiting').runs('1.2.0');
  expect((await cloud.operator.status(other.id)).state).toBe('ended');

  expect((await cloud.operator.control(plan.id, 'resume')).state).toBe('upgrading');
  expect(path(await again('told').poll())).toBe(path(href));
});

test('a folder of the first version is taken over, devices and rollouts included', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull();
  const { href } = await device.begin();
  await cloud.close();
  backToFirstVersion(join(cloud.folder, 'cloud.db'));
  await cloud.reopen();
  expect(path(await again('dev-1').poll())).toBe(path(href));
  expect(await cloud.deviceOf(plan, 'dev-1')).toMatchObject({ state: 'upgrading', attempts: 1 });
});
