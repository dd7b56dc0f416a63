import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { DryRun } from '../../shared/domain/dry-run.ts';
import type { Device, PlanCheck } from '../../shared/domain/plan.ts';
import { planComponents } from '../../shared/domain/plan-draft.ts';
import { importReporting } from '../support/imported-devices.ts';
import { makeDevice } from '../support/cloud.ts';
import { slipway } from '../support/command.ts';

let folder: string;
let studio: Studio;
let planId: string;
let temporary: string;

/** A plan with a delta, in stages that take hours, for ten devices of three protocols, one of which never reported. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-test-dry-'));
  await cp('resources/sample', folder, { recursive: true });
  // Dry runs of other tests are none of these.
  temporary = join(folder, 'temporary');
  await mkdir(temporary);
  process.env.TMPDIR = temporary;
  studio = await createStudio({ workspacePath: folder });
  const fleet = (count: number, transport: Device['transport'], versions: Device['versions']) =>
    Array.from({ length: count }, (_, at) =>
      makeDevice(`real-${transport}-${at}`, { productId: 'SENSOR-1', transport, versions }),
    );
  const devices = [
    ...fleet(4, 'mqtt', { STM32: '1.0.0' }),
    ...fleet(3, 'http', { STM32: '0.9.0' }),
    ...fleet(2, 'lwm2m', { STM32: '1.0.0' }),
    makeDevice('real-unknown', { productId: 'SENSOR-1', versions: {} }),
  ];
  await importReporting(studio, devices);
  const packageIds: string[] = [];
  let releaseId = '';
  for (const version of ['1.0.0', '1.1.0']) {
    releaseId = (await studio.ask('releases.create', { productId: 'SENSOR-1', version })).id;
    const files = [join(folder, `firmware/sensor-${version}.bin`)];
    packageIds.push(
      (await studio.ask('bundle.create', { releaseId, componentId: 'STM32', files })).id,
    );
  }
  const [sourcePackageId = '', targetPackageId = ''] = packageIds;
  await studio.ask('delta.create', { sourcePackageId, targetPackageId });
  const components = planComponents(releaseId, await studio.ask('packages.list', {}));
  const stages = [{ upToPercent: 30, soakMinutes: 600, hold: true }, {}];
  const draft = { name: 'Spring', productId: 'SENSOR-1', releaseId, components, stages };
  planId = (await studio.ask('plans.create', draft)).id;
});
afterAll(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

const dryRun = async (size: number): Promise<DryRun> => {
  const plan = (await studio.ask('plans.list', {})).find(({ id }) => id === planId);
  if (!plan) throw new Error('no plan');
  return studio.ask('plans.dryRun', { plan, devices: size });
};
const realCloud = async () => ({
  devices: await studio.ask('devices.list', { productId: 'SENSOR-1' }),
  plans: await studio.ask('plans.list', {}),
  status: await studio.ask('plans.status', { planId }),
});
const leftovers = async () =>
  (await readdir(temporary)).filter((name) => name.startsWith('slipway-dry-run-'));

test('the plan runs with its packages on devices like the real ones, and the real cloud is not touched', async () => {
  const before = await realCloud();
  const run = await dryRun(100);
  expect(run).toMatchObject({
    devices: 9,
    scope: 9,
    transports: { http: 3, mqtt: 4, lwm2m: 2 },
    full: 3,
    delta: 6,
    state: 'ended',
    upgraded: 9,
    failed: 0,
    failures: [],
  });
  expect(run.p50Ms).toBeGreaterThan(0);
  expect(run.p99Ms ?? 0).toBeLessThanOrEqual(run.elapsedMs + 1000);
  expect(await realCloud()).toEqual(before);
  expect(await leftovers()).toEqual([]);
});

test('the command tells it beside the gates, and a smaller one keeps the mix', async () => {
  const checked = await slipway(['--workspace', folder, 'plan', 'check', planId, '--dry-run', '3']);
  const { gates, dryRun: run } = JSON.parse(checked.stdout) as PlanCheck & { dryRun: DryRun };
  expect(gates.length).toBeGreaterThan(3);
  expect(run).toMatchObject({ devices: 3, scope: 9, transports: { http: 1, mqtt: 1, lwm2m: 1 } });
  expect(run.upgraded).toBe(3);
});

test('a cancelled one leaves nothing behind', async () => {
  const running = dryRun(9);
  const refused = expect(running).rejects.toThrow();
  for (;;) {
    const job = (await studio.ask('jobs.list', {})).find(
      ({ kind, state }) => kind === 'plans.dryRun' && state === 'running',
    );
    if (job) {
      await studio.ask('jobs.cancel', { jobId: job.id });
      break;
    }
    await new Promise((done) => setTimeout(done, 10));
  }
  await refused;
  expect(await leftovers()).toEqual([]);
});
