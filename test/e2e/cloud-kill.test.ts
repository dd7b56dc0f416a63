import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  CloudProcess,
  Operator,
  Refused,
  makeDevice,
  makePlan,
  productId,
  until,
} from '../support/cloud.ts';
import { type Gate, HttpDevice, MqttDevice, makeGate } from '../support/devices.ts';

let folder: string;
let cloud: CloudProcess | null = null;
/** A quarter of the fleet waits at each. */
let gates: Gate[] = [];
const devices: (HttpDevice | MqttDevice)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cloud-kill-'));
});
afterEach(async () => {
  for (const gate of gates) gate.open();
  await Promise.all(devices.splice(0).map((device) => device.stop()));
  await cloud?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function start(http = '0', mqtt = '0') {
  cloud = CloudProcess.spawn(['--data', folder, '--http', http, '--mqtt', mqtt]);
  const ready = await cloud.ready();
  return { ready, operator: new Operator(ready.http, ready.operator.token) };
}

test('SIGKILL in the middle of a rollout of 200 devices: every device ends upgraded exactly once', async () => {
  const { ready, operator } = await start();
  gates = Array.from({ length: 4 }, makeGate);
  const identities = Array.from({ length: 200 }, (_, index) =>
    makeDevice(`dev-${index}`, { transport: index % 2 === 0 ? 'http' : 'mqtt' }),
  );
  const secrets = await operator.putDevices(identities);
  const packageId = await operator.putPackage(randomBytes(150_000));
  for (const [index, { id, transport }] of identities.entries()) {
    const login = { id, secret: secrets[id] ?? '' };
    const mayInstall = gates[Math.floor(index / 50)]?.opened ?? Promise.resolve();
    if (transport === 'http') devices.push(new HttpDevice(ready.http, login, '1.0.0', mayInstall));
    else devices.push(new MqttDevice(ready.mqtt, login, '1.0.0', mayInstall));
  }
  await Promise.all(devices.map((device) => device.start()));
  const plan = makePlan(packageId);
  await operator.publish(plan);

  let { http, mqtt } = ready;
  for (const [index, upgraded] of [10, 60, 110].entries()) {
    gates[index]?.open();
    const before = await until(
      () => new Operator(http, ready.operator.token).status(plan.id),
      ({ counts }) => counts.upgraded >= upgraded,
      60_000,
    );
    expect(before.state).toBe('upgrading');
    await cloud?.kill('SIGKILL');
    const again = await start(new URL(http).port, new URL(mqtt).port);
    expect(again.ready.operator.token).toBe(ready.operator.token);
    ({ http, mqtt } = again.ready);
  }

  gates[3]?.open();
  const again = new Operator(http, ready.operator.token);
  const status = await until(
    () => again.status(plan.id),
    ({ state }) => state === 'ended',
    60_000,
  );
  expect(status.counts).toEqual({
    notUpgraded: 0,
    upgrading: 0,
    upgraded: 200,
    failed: 0,
    noUpdateRequired: 0,
  });
  for (const device of await again.devices(plan.id))
    expect(device).toMatchObject({ state: 'upgraded', attempts: 1, error: null });
  for (const device of devices)
    expect([device.login.id, device.installed]).toEqual([device.login.id, ['1.1.0']]);
}, 240_000);

test('SIGKILL while a plan is being published: the whole plan is there or none of it', async () => {
  const deviceCount = 2000;
  const first = await start();
  await first.operator.declareDevices(
    Array.from({ length: deviceCount }, (_, index) => makeDevice(`dev-${index}`)),
  );
  const packageId = await first.operator.putPackage(randomBytes(1000));
  let { operator } = first;
  const outcomes = new Set<'whole' | 'none'>();
  for (let delayMs = 0; delayMs < 250 || (outcomes.size < 2 && delayMs < 4000); delayMs += 50) {
    const plan = makePlan(packageId, { allowNeverReported: true });
    const publishing = operator.publish(plan).catch((error: unknown) => error);
    await new Promise((done) => setTimeout(done, delayMs * (1 + Math.random())));
    await cloud?.kill('SIGKILL');
    await publishing;
    ({ operator } = await start());
    const found = await operator.status(plan.id).catch((error: Refused) => error);
    if (found instanceof Refused) {
      expect(found.code).toBe('plan-missing');
      outcomes.add('none');
    } else {
      expect(found.counts.notUpgraded).toBe(deviceCount);
      outcomes.add('whole');
    }
    const { counts } = await operator.publish(plan);
    expect(counts.notUpgraded).toBe(deviceCount);
    expect((await operator.history(plan.id)).length).toBeGreaterThan(0);
  }
  expect([...outcomes].sort()).toEqual(['none', 'whole']);
  expect(
    (await operator.call<{ total: number }>('GET', `/devices?productId=${productId}`)).total,
  ).toBe(deviceCount);
}, 240_000);
