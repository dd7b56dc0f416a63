import { afterEach, expect, test } from 'vitest';
import { Fleet } from '../../electron/boards/fleet/fleet.ts';
import { fleetConfigSchema } from '../../electron/boards/fleet/fleet-config.ts';
import { SimulatedSignals } from '../../electron/boards/fleet/simulated-signals.ts';
import { firstSignals } from '../../electron/core/clouds/simulated-identities.ts';
import type { FleetUsers } from '../../shared/contract/cloud-calls.ts';
import type { Plan } from '../../shared/domain/plan.ts';
import { makeDevice, until } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

const manual: Partial<Plan> = { mode: 'manual', upgradeTexts: { zh: '新', en: 'New' } };
const transports = ['http', 'mqtt', 'lwm2m'] as const;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A cloud and one simulated device of each protocol. */
async function withFleet(
  users: FleetUsers,
  signals: { batteryPercent?: number; rsrpDbm?: number } = {},
  beforeItStarts: (cloud: TestCloud) => Promise<unknown> = async () => undefined,
): Promise<TestCloud> {
  const cloud = await TestCloud.start();
  stops.push(() => cloud.stop());
  await cloud.addDevices(...transports.map((transport) => makeDevice(transport, { transport })));
  await beforeItStarts(cloud);
  const { http, mqtt, coap } = cloud.running;
  const config = fleetConfigSchema.parse({
    endpoint: { http, mqtt, coap },
    devices: transports.map((id) => ({
      ...makeDevice(id, { transport: id }),
      secret: cloud.secretOf(id),
      ...signals,
    })),
    users,
    pollMs: 50,
  });
  const fleet = await Fleet.create(config, () => undefined);
  stops.push(() => fleet.stop());
  await fleet.start();
  return cloud;
}

const states = async (cloud: TestCloud, plan: Plan) =>
  Object.fromEntries(
    (await cloud.operator.devices(plan.id)).map(({ deviceId, state }) => [deviceId, state]),
  );

test('users of simulated devices confirm a manual plan, over each protocol that can ask', async () => {
  const cloud = await withFleet('confirm');
  const plan = await cloud.publishFull(manual);
  await until(
    () => states(cloud, plan),
    ({ http, mqtt }) => http === 'upgraded' && mqtt === 'upgraded',
  );
  expect((await states(cloud, plan)).lwm2m).toBe('notUpgraded');
  await cloud.operator.call('POST', `/plans/${plan.id}/devices/lwm2m/confirm`);
  await until(
    () => cloud.operator.status(plan.id),
    ({ state }) => state === 'ended',
  );
});

test('users who deny fail their devices', async () => {
  const cloud = await withFleet('deny');
  const plan = await cloud.publishFull({ ...manual, blacklist: ['lwm2m'] });
  const status = await until(
    () => cloud.operator.status(plan.id),
    ({ state }) => state === 'ended',
  );
  expect(status.failureReasons).toEqual([{ code: 'user-denied', count: 2 }]);
});

test('devices that confirm by themselves are upgraded without a question', async () => {
  const cloud = await withFleet('auto');
  const plan = await cloud.publishFull({ ...manual, blacklist: ['lwm2m'] });
  await until(
    () => cloud.operator.status(plan.id),
    ({ state, counts }) => state === 'ended' && counts.upgraded === 2,
  );
});

test('devices with a low battery charge, say so by each protocol, and are upgraded then', async () => {
  let planId = '';
  const cloud = await withFleet('ignore', { batteryPercent: 28, rsrpDbm: -90 }, async (before) => {
    planId = (await before.publishFull({ minBatteryPercent: 35 })).id;
  });
  const held = new Set<string>();
  await until(
    async () => {
      const status = await cloud.operator.status(planId);
      for (const { deviceId } of status.held?.[0]?.devices ?? []) held.add(deviceId);
      return status.state;
    },
    (state) => state === 'ended',
  );
  expect([...held].toSorted()).toEqual(['http', 'lwm2m', 'mqtt']);
});

test('a battery charges to full and a weak signal gets better', () => {
  const signals = new SimulatedSignals({ batteryPercent: 12, rsrpDbm: -120 });
  expect(signals.now(0)).toEqual({ battery: 12, rsrp: -120 });
  expect(signals.now(9_000)).toEqual({ battery: 30, rsrp: -120 });
  expect(signals.now(20_000)).toEqual({ battery: 52, rsrp: -95 });
  expect(signals.now(3_600_000).battery).toBe(100);
  expect(new SimulatedSignals({}).hasAny).toBe(false);
});

test('of a fleet the first are low on battery, the next weak, the others well', () => {
  const weak = { lowBattery: 1, weakSignal: 1 };
  expect([0, 1, 2].map((index) => firstSignals(index, weak))).toEqual([
    { batteryPercent: 12, rsrpDbm: -90 },
    { batteryPercent: 80, rsrpDbm: -120 },
    { batteryPercent: 80, rsrpDbm: -90 },
  ]);
  expect(firstSignals(0, {})).toEqual({});
});
