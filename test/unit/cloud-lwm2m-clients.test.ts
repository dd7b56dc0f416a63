import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UdpPort } from '../../electron/coap/udp-port.ts';
import type { Plan } from '../../shared/domain/plan.ts';
import { makePlan, until } from '../support/cloud.ts';
import type { HandLwm2mDevice } from '../support/hand-lwm2m-device.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
let device: HandLwm2mDevice;
beforeEach(async () => {
  // Asked seldom, so that what is not heard is missed.
  cloud = await TestCloud.start(0, null, {
    lwm2mTimes: { pollMs: 60_000, stallMs: 120_000, updateMs: 120_000 },
  });
  device = await cloud.lwm2m('dev-1');
});
afterEach(() => cloud.stop());

const watched = () =>
  until(
    () => device.isWatched,
    (isWatched) => isWatched,
  );
const executed = () =>
  until(
    () => device.commands,
    (commands) => commands.includes('POST 5/0/2'),
  );
const uri = () =>
  until(
    () => device.resources.get('5/0/1') ?? '',
    (found) => found !== '',
  );

/** Downloads, updates and comes back with the new version. */
async function carryOut(plan: Plan): Promise<void> {
  await uri();
  await device.set({ '5/0/3': '1' });
  await device.download();
  await device.set({ '5/0/3': '2' });
  await executed();
  device.resources.set('5/0/3', '0').set('5/0/5', '1').set('3/0/3', '1.1.0');
  expect(await device.register()).toBe('2.01');
  const found = await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (one) => one?.state === 'upgraded' || one?.state === 'failed',
  );
  expect(found).toMatchObject({ state: 'upgraded', attempts: 1, error: null });
}

test('a device that has neither text nor TLV is read, watched and written in what it has', async () => {
  device.isSenml = true;
  device.query = ['lt=60', 'lwm2m=1.1', 'b=U'];
  expect(await device.register()).toBe('2.01');
  await watched();
  await carryOut(await cloud.publishFull());
  expect(device.commands.some((command) => command.startsWith('PUT 5/0/1 coap://'))).toBe(true);
});

test('a device that lists Object 5 without its instance has one', async () => {
  device.links = '</1>,</3>,</5>;ver=1.1';
  expect(await device.register()).toBe('2.01');
  await watched();
  await carryOut(await cloud.publishFull());
});

test('objects that an update of the registration adds are used from then on', async () => {
  device.links = '</1/0>,</3/0>';
  expect(await device.register()).toBe('2.01');
  const plan = await cloud.publishFull({ retries: 0 });
  device.links = '</1/0>,</3/0>,</5/0>';
  // Had it been begun before, it would have failed for want of the object.
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (one) => one?.state === 'failed',
  );
  expect(await device.update(`${device.links},</4/0>`)).toBe('2.04');
  await watched();
  await carryOut(await cloud.publishFull());
});

test('a device whose address changes is watched again where it is', async () => {
  expect(await device.register()).toBe('2.01');
  await watched();
  expect(await device.move()).toBe('2.04');
  await watched();
  await carryOut(await cloud.publishFull());
});

test('a device that got the address of another is served on when that one comes back elsewhere', async () => {
  const free = await UdpPort.open({ host: '127.0.0.1', port: 0 });
  const before = await cloud.lwm2m('dev-0');
  before.port = device.port = free.port;
  await free.close();
  expect(await before.register()).toBe('2.01');
  await before.close();
  expect(await device.register()).toBe('2.01');
  await watched();
  before.port = 0;
  expect(await before.register()).toBe('2.01');
  await carryOut(await cloud.publishFull({ blacklist: ['dev-0'] }));
});

test('a push announces the size of the whole with its first block', async () => {
  device.resources.set('5/0/9', '1');
  await device.register();
  await watched();
  const image = randomBytes(3000);
  await cloud.operator.publish(makePlan(await cloud.operator.putPackage(image)));
  await until(
    () => Buffer.concat(device.pushed),
    (bytes) => bytes.equals(image),
  );
  expect(device.announcedBytes).toEqual([3000]);
});
