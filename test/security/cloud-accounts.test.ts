import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DeviceLogEntry } from '../../shared/domain/plan-stages.ts';
import type { PlanStatus } from '../../shared/domain/plan.ts';
import type { AuditEntry } from '../../shared/domain/operator.ts';
import { Operator, makeDevice } from '../support/cloud.ts';
import { slipway } from '../support/command.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(() => cloud.stop());

async function account(name: string, role: string): Promise<Operator> {
  const { token } = await cloud.operator.call<{ token: string }>('POST', '/accounts', {
    name,
    role,
  });
  return new Operator(cloud.running.http, token);
}

const audit = async (): Promise<AuditEntry[]> =>
  (await cloud.operator.call<{ items: AuditEntry[] }>('GET', '/audit')).items;

test('a viewer reads, an operator carries plans out, an admin does all', async () => {
  await cloud.http('dev-1');
  const plan = await cloud.publishFull();
  const [viewer, operator, admin] = [
    await account('eve', 'viewer'),
    await account('otto', 'operator'),
    await account('ada', 'admin'),
  ];
  const refused = { status: 403, code: 'forbidden' };
  await viewer.status(plan.id);
  await expect(viewer.control(plan.id, 'suspend')).rejects.toMatchObject(refused);
  await expect(viewer.putDevices([makeDevice('dev-2')])).rejects.toMatchObject(refused);
  expect((await operator.control(plan.id, 'suspend')).state).toBe('suspended');
  for (const who of [viewer, operator])
    for (const path of ['/accounts', '/audit', '/webhooks'])
      await expect(who.call('GET', path)).rejects.toMatchObject(refused);
  await expect(
    operator.call('POST', '/accounts', { name: 'mine', role: 'admin' }),
  ).rejects.toMatchObject(refused);
  expect(await admin.call('GET', '/accounts')).toMatchObject({
    items: [
      { name: 'ada', role: 'admin' },
      { name: 'eve', role: 'viewer' },
      { name: 'otto', role: 'operator' },
    ],
  });
  await admin.call('DELETE', '/accounts/otto');
  await expect(operator.status(plan.id)).rejects.toMatchObject({ status: 401 });
  for (const name of ['ada', 'owner'])
    await expect(account(name, 'viewer')).rejects.toMatchObject({ status: 409 });
});

test('everything that an operator asks for is noted, with who and how it ended', async () => {
  const otto = await account('otto', 'operator');
  await expect(otto.control('no-plan', 'terminate')).rejects.toMatchObject({ status: 404 });
  await expect(otto.call('POST', '/accounts', { name: 'x', role: 'admin' })).rejects.toThrow();
  await cloud.operator.putDevices(Array.from({ length: 100 }, (_, at) => makeDevice(`dev-${at}`)));
  const [devices, , refused, missing, made] = await audit();
  expect(devices).toMatchObject({
    account: 'owner',
    method: 'PUT',
    path: '/api/v1/devices',
    status: 200,
  });
  expect(JSON.parse(devices?.body ?? '')).toMatchObject({ sizeBytes: expect.any(Number) });
  expect(refused).toMatchObject({ account: 'otto', status: 403, problem: 'forbidden' });
  expect(missing).toMatchObject({
    account: 'otto',
    path: '/api/v1/plans/no-plan/terminate',
    status: 404,
    problem: 'plan-missing',
    address: '127.0.0.1',
  });
  expect(made).toMatchObject({ account: 'owner', body: '{"name":"otto","role":"operator"}' });
  const text = JSON.stringify(await audit());
  expect(text).not.toContain(cloud.running.token);
});

test('decisions go on record under the account that takes them, whatever name is sent along', async () => {
  await cloud.addDevices(makeDevice('dev-1'), makeDevice('dev-2'));
  const stage = { soakMinutes: 0, hold: true, successPercent: 0, finishedPercent: 1 };
  const publish = () =>
    cloud.publishFull({
      stages: [
        { ...stage, upToCount: 1 },
        { ...stage, soakMinutes: 600 },
      ],
    });
  const openNext = (who: Operator, planId: string, name?: string) =>
    who.call<PlanStatus>('POST', `/plans/${planId}/next-stage`, {
      stage: 2,
      reason: 'the pilot went well',
      ...(name === undefined ? {} : { name }),
    });
  const typed = await publish();
  expect(await cloud.operator.call('GET', '/operator')).toEqual({
    name: 'owner',
    role: 'admin',
    typesName: true,
  });
  // Without accounts nobody else knows who decides.
  await expect(openNext(cloud.operator, typed.id)).rejects.toMatchObject({ status: 400 });
  const signed = await openNext(cloud.operator, typed.id, 'Ada Byron');
  expect(signed.stages?.[1]).toMatchObject({ openedBy: { name: 'Ada Byron' } });

  const otto = await account('otto', 'operator');
  expect(await otto.call('GET', '/operator')).toMatchObject({ name: 'otto', typesName: false });
  expect(await cloud.operator.call('GET', '/operator')).toMatchObject({ typesName: false });
  const [first, second, third] = [await publish(), await publish(), await publish()];
  for (const [plan, who, name] of [
    [first, otto, 'otto'],
    [second, cloud.operator, 'owner'],
  ] as const)
    expect((await openNext(who, plan.id, 'Ada Byron')).stages?.[1]).toMatchObject({
      openedBy: { name },
    });
  expect((await openNext(otto, third.id)).stages?.[1]).toMatchObject({
    openedBy: { name: 'otto', reason: 'the pilot went well' },
  });
});

test('what an operator does for the user of a device is in its log with the account', async () => {
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull({ mode: 'manual', upgradeTexts: { en: 'New', zh: '新' } });
  const otto = await account('otto', 'operator');
  const act = (kind: string) => otto.call('POST', `/plans/${plan.id}/devices/dev-1/${kind}`);
  await act('confirm');
  await act('confirm');
  await device.begin();
  const path = `/plans/${plan.id}/devices/dev-1/log`;
  const { items } = await otto.call<{ items: DeviceLogEntry[] }>('GET', path);
  expect(items.filter(({ event }) => event === 'confirmedBy')).toMatchObject([{ detail: 'otto' }]);
});

test('a device that floods the cloud is told to wait, and the others are not', async () => {
  const [noisy, quiet] = [await cloud.http('noisy'), await cloud.http('quiet')];
  const statuses = new Set<number>();
  for (let round = 0; round < 61; round++)
    for (const answer of await Promise.all(Array.from({ length: 10 }, () => noisy.ask('GET', ''))))
      statuses.add(answer.status);
  expect([...statuses]).toEqual([200, 429]);
  expect((await quiet.ask('GET', '')).status).toBe(200);
});

test('who guesses secrets is slowed down; who has one is served all the same', async () => {
  const device = await cloud.http('dev-1');
  const guesser = new HandHttpDevice(cloud.running.http, 'dev-1', 'a guess');
  const statuses: number[] = [];
  for (let guess = 0; guess < 125; guess++) statuses.push((await guesser.ask('GET', '')).status);
  expect(statuses.slice(0, 120).every((status) => status === 401)).toBe(true);
  expect(statuses.at(-1)).toBe(429);
  expect((await device.ask('GET', '')).status).toBe(200);
  await cloud.operator.call('GET', '/accounts');
});

test('the command line makes accounts and webhooks and reads the audit log', async () => {
  const at = ['--cloud', cloud.running.http, '--token', cloud.running.token];
  const made = await slipway(['cloud', 'accounts', 'add', 'eve', '--role', 'viewer', ...at]);
  const { token } = JSON.parse(made.stdout) as { token: string };
  await new Operator(cloud.running.http, token).call('GET', '/info');
  const hook = await slipway(['cloud', 'webhooks', 'add', 'http://127.0.0.1:9/x', ...at]);
  expect(JSON.parse(hook.stdout)).toMatchObject({ secret: expect.any(String) });
  const log = await slipway(['cloud', 'audit', '--limit', '1', ...at]);
  expect(JSON.parse(log.stdout)).toMatchObject({ total: 2, items: [{ path: '/api/v1/webhooks' }] });
  const viewer = ['--cloud', cloud.running.http, '--token', token];
  const denied = await slipway(['cloud', 'accounts', 'remove', 'eve', ...viewer]);
  expect(denied).toMatchObject({ exitCode: 1, problem: { code: 'forbidden' } });
  const gone = await slipway(['cloud', 'accounts', 'remove', 'eve', ...at]);
  expect(gone.exitCode).toBe(0);
}, 60_000);
