import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet } from '../../electron/boards/fleet/fleet.ts';
import { fleetConfigSchema } from '../../electron/boards/fleet/fleet-config.ts';
import { DeviceLog } from '../../electron/cloud/plans/device-log.ts';
import { CloudDatabase } from '../../electron/cloud/store/database.ts';
import { ServedTime } from '../../electron/cloud/store/served-time.ts';
import { simulatedFaults } from '../../electron/core/clouds/simulated-identities.ts';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import type { Plan, PlanStatus, Transport } from '../../shared/domain/plan.ts';
import { stagesSchema, stopRulesSchema } from '../../shared/domain/plan-stages.ts';
import { makeDevice, until } from '../support/cloud.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';
import { TestClock } from '../support/test-clock.ts';
import { TestCloud } from '../support/test-cloud.ts';

const person = { name: 'Ada Byron', reason: 'the failures are of the test rack' };

let clock: TestClock;
let cloud: TestCloud;
const fleets: Fleet[] = [];
beforeEach(async () => {
  clock = new TestClock();
  cloud = await TestCloud.start(0, null, { clock });
});
afterEach(async () => {
  for (const fleet of fleets.splice(0)) fleet.stop();
  await cloud.stop();
});

const local = (): LocalCloud =>
  new LocalCloud({ http: cloud.running.http, token: cloud.running.token });

async function startFleet(
  count: number,
  transport: (at: number) => Transport,
  faults: { failShare: number; silentShare: number },
): Promise<void> {
  const ids = Array.from({ length: count }, (_, at) => `SIM-${at}`);
  await cloud.addDevices(...ids.map((id, at) => makeDevice(id, { transport: transport(at) })));
  const fault = simulatedFaults(count, faults);
  const { http, mqtt, coap } = cloud.running;
  const config = fleetConfigSchema.parse({
    endpoint: { http, mqtt, coap },
    pollMs: 100,
    devices: ids.map((id, at) => ({
      id,
      transport: transport(at),
      versions: { APP: '1.0.0' },
      secret: cloud.secretOf(id),
      fault: fault[at],
    })),
  });
  const fleet = await Fleet.create(config, () => undefined);
  fleets.push(fleet);
  await fleet.start();
}

const follow = (plan: Plan, wanted: (status: PlanStatus) => boolean): Promise<PlanStatus> =>
  until(() => cloud.operator.status(plan.id), wanted);
const states = ({ stages }: PlanStatus): string[] => (stages ?? []).map(({ state }) => state);

test('stages open one after the other: gate, soak, hold, and a person who opens one early', async () => {
  await startFleet(20, () => 'http', { failShare: 0, silentShare: 0 });
  const plan = await cloud.publishFull({
    stages: stagesSchema.parse([
      { upToPercent: 10, soakMinutes: 30 },
      { upToPercent: 30, soakMinutes: 0, hold: true },
      { upToPercent: 60, soakMinutes: 600 },
      {},
    ]),
  });
  const soaking = await follow(plan, (status) => states(status)[0] === 'soaking');
  expect(soaking.stages).toMatchObject([
    { devices: 2, upgraded: 2, soakLeftMs: 30 * 60_000 },
    { state: 'closed', devices: 4, notUpgraded: 4, openedAt: null },
    { devices: 6 },
    { devices: 8 },
  ]);
  // A jump of the machine's clock is no time.
  clock.jump(600);
  clock.turn(29);
  const still = await follow(plan, ({ stages }) => stages?.[0]?.soakLeftMs === 60_000);
  expect(states(still)).toEqual(['soaking', 'closed', 'closed', 'closed']);
  clock.turn(1);
  const held = await follow(plan, (status) => states(status)[1] === 'held');
  expect(held.counts).toMatchObject({ upgraded: 6, notUpgraded: 14 });
  await expect(local().openStage(plan.id, 4, person)).rejects.toMatchObject({
    problem: { code: 'last-stage' },
  });
  await local().openStage(plan.id, 3, person);
  // Sent again because the answer was lost: nothing more is opened.
  expect(states(await local().openStage(plan.id, 3, person)).slice(2)).toContain('closed');
  const early = await follow(plan, (status) => states(status)[2] === 'soaking');
  expect(early.stages?.[2]).toMatchObject({ upgraded: 6, openedBy: person });
  await local().openStage(plan.id, 4, person);
  const end = await follow(plan, ({ state }) => state === 'ended');
  expect(states(end)).toEqual(['passed', 'passed', 'passed', 'passed']);
  expect(end.timeTo95Ms).toBeGreaterThan(0);
});

test.each(['http', 'mqtt'] as const)(
  'over %s: failing and silent devices stop the plan, with the evidence; a person accepts and it goes on',
  async (transport) => {
    await startFleet(30, () => transport, { failShare: 0.1, silentShare: 0.2 });
    const plan = await cloud.publishFull({
      retries: 0,
      cohortSeed: 'seed',
      stages: stagesSchema.parse([
        { upToPercent: 50, soakMinutes: 0, successPercent: 100, finishedPercent: 100 },
        {},
      ]),
      stopRules: stopRulesSchema.parse({
        failurePercent: 20,
        minFinished: 15,
        silentAfterMinutes: 45,
      }),
    });
    // All of the stage have finished but the silent ones, which are asked and begun.
    const quiet = await follow(
      plan,
      ({ counts, stages }) =>
        stages?.[0]?.notUpgraded === 0 && counts.upgraded + counts.failed + counts.upgrading === 15,
    );
    await until(
      () => cloud.operator.devices(plan.id),
      (devices) =>
        devices.every(({ state, components }) =>
          state === 'upgrading' ? components[0]?.state === 'downloading' : true,
        ),
    );
    const first = await follow(plan, ({ counts }) => counts.upgraded + counts.failed >= 9);
    expect(first.state).toBe('upgrading');
    expect(first.stops).toEqual([]);
    const silent = quiet.counts.upgrading;
    const begun = await follow(plan, ({ counts }) => counts.upgrading <= silent);
    expect(begun.counts.upgrading).toBeGreaterThan(0);
    clock.turn(46);
    const stopped = await follow(plan, ({ state }) => state === 'suspended');
    const [stop] = stopped.stops ?? [];
    const { failed, upgrading } = stopped.counts;
    expect(stop).toMatchObject({
      rule: 'failurePercent',
      limit: 20,
      stage: null,
      failed,
      silent: upgrading,
      finished: 15,
      resumed: null,
    });
    expect(stop?.devices).toHaveLength(failed + upgrading);
    expect(new Set(stop?.devices.map(({ code }) => code))).toEqual(
      new Set([...(failed > 0 ? ['simulated-fault'] : []), 'silent']),
    );
    expect(stopped.stages?.[1]).toMatchObject({ state: 'closed', notUpgraded: 15 });

    await expect(local().resume(plan.id)).rejects.toMatchObject({
      problem: { code: 'stop-not-accepted' },
    });
    await local().resume(plan.id, person);
    const resumed = await follow(
      plan,
      (status) => states(status)[0] === 'passed' || states(status)[0] === 'open',
    );
    expect(resumed.stops?.[0]?.resumed).toMatchObject({ ...person, accepted: failed + upgrading });
    expect(resumed.stages?.[0]).toMatchObject({
      failed: 0,
      silent: 0,
      accepted: failed + upgrading,
    });
    const log = await local().deviceLog(plan.id, stop?.devices.at(0)?.deviceId ?? '');
    expect(log.map(({ event }) => event)).toEqual(
      expect.arrayContaining(['jobGiven', 'readyToDownload', 'downloading', 'accepted']),
    );
  },
);

test('a silent device that is heard again no longer counts; the mark and the limit survive a restart', async () => {
  const device = await cloud.http('dev-1');
  await cloud.http('dev-2');
  const plan = await cloud.publishFull({
    stopRules: stopRulesSchema.parse({ failureCount: 2, silentAfterMinutes: 10 }),
  });
  const { href } = await device.begin();
  const silentOf = async () => (await cloud.deviceOf(plan, 'dev-1'))?.silent ?? false;
  clock.turn(9);
  await cloud.close();
  // Nobody can be heard while the cloud is down.
  clock.turn(500);
  await cloud.reopen();
  expect(await silentOf()).toBe(false);
  clock.turn(1);
  await until(silentOf, (silent) => silent);
  await cloud.close();
  await cloud.reopen();
  expect(await silentOf()).toBe(true);
  const { pathname } = new URL(href);
  const again = new HandHttpDevice(cloud.running.http, 'dev-1', cloud.secretOf('dev-1'));
  expect(await again.feedback(`${cloud.running.http}${pathname}`, 'download')).toBe(200);
  expect(await silentOf()).toBe(false);
  expect((await cloud.operator.status(plan.id)).state).toBe('upgrading');
  const events = (await local().deviceLog(plan.id, 'dev-1')).map(({ event }) => event);
  expect(events.filter((event) => event === 'silent')).toHaveLength(1);
});

test('failures are told by stage, step and code, and the log tells the steps of a device', async () => {
  const [one, two] = [await cloud.http('dev-1'), await cloud.http('dev-2')];
  const plan = await cloud.publishFull({
    retries: 0,
    stages: stagesSchema.parse([
      { upToCount: 1, soakMinutes: 0, successPercent: 0, finishedPercent: 100 },
      {},
    ]),
  });
  const first = (await one.poll()) === null ? two : one;
  const second = first === one ? two : one;
  const job = await first.begin();
  await first.feedback(job.href, 'download');
  await first.feedback(job.href, 'closed', 'failure', 'E7');
  const next = await second.begin();
  await second.feedback(next.href, 'downloaded');
  await second.feedback(next.href, 'closed', 'failure', 'E8');
  const { failures, timeTo95Ms } = await cloud.operator.status(plan.id);
  expect(failures).toEqual([
    { stage: 1, step: 'download', code: 'E7', count: 1 },
    { stage: 2, step: 'upgrade', code: 'E8', count: 1 },
  ]);
  expect(timeTo95Ms).toBeNull();
  const lines = await local().deviceLog(plan.id, first === one ? 'dev-1' : 'dev-2');
  expect(lines.map(({ event, code }) => (code === null ? event : `${event} ${code}`))).toEqual([
    'jobGiven',
    'readyToDownload',
    'downloading',
    'downloadFailed E7',
    'failed E7',
  ]);
  await expect(local().deviceLog('no-plan', 'dev-1')).rejects.toMatchObject({
    problem: { code: 'plan-missing' },
  });
});

test('of a device that never comes to an end the newest 200 lines are kept', async () => {
  const db = new CloudDatabase(':memory:');
  const log = new DeviceLog(db, clock, new ServedTime(db, clock));
  await db.write(() => {
    for (let at = 0; at < 250; at++) log.add('plan', 'dev-1', 'jobGiven', { code: `${at}` });
    log.add('plan', 'dev-2', 'downloading');
  });
  const stored = db.prepare('SELECT count(*) AS lines FROM device_log').get();
  expect(stored).toMatchObject({ lines: 201 });
  const lines = log.lines('plan', 'dev-1');
  expect(lines.map(({ code }) => code)).toEqual(
    Array.from({ length: 200 }, (_, at) => `${at + 50}`),
  );
  expect(log.lines('plan', 'dev-2')).toHaveLength(1);
  db.close();
});

test('a terminated plan tells each device that had not begun', async () => {
  await cloud.http('dev-1');
  const plan = await cloud.publishFull({
    stages: stagesSchema.parse([{ upToPercent: 50 }, {}]),
  });
  await cloud.operator.control(plan.id, 'terminate');
  const { stages } = await cloud.operator.status(plan.id);
  expect(stages?.[0]).toMatchObject({ failed: 1, notUpgraded: 0 });
  expect(await local().deviceLog(plan.id, 'dev-1')).toMatchObject([
    { event: 'failed', code: 'terminated' },
  ]);
});
