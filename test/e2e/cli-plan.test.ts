import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalCloudProcess } from '../../electron/core/clouds/local-cloud-process.ts';
import { entryPath } from '../../electron/worker/run-task.ts';
import { createStudio } from '../../electron/core/studio.ts';
import type { PlanStatus } from '../../shared/domain/plan.ts';
import { importReporting } from '../support/imported-devices.ts';
import { makeDevice } from '../support/cloud.ts';
import { slipway } from '../support/command.ts';
import { peer } from '../support/peers.ts';

let folder: string;
let planId: string;

/** A workspace with a plan that may be published, two devices, and no cloud that runs. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-plan-'));
  await cp('resources/sample', folder, { recursive: true });
  const config = join(folder, 'slipway.yaml');
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('benchRunsRequired: 1', 'benchRunsRequired: 0'));
  const studio = await createStudio({ workspacePath: folder });
  const product = { productId: 'SENSOR-1', versions: { STM32: '1.0.0' } };
  const devices = ['dev-1', 'dev-2'].map((id) => makeDevice(id, product));
  await importReporting(studio, devices);
  const release = await studio.ask('releases.create', {
    productId: 'SENSOR-1',
    version: '1.1.0',
  });
  await studio.ask('bundle.create', {
    releaseId: release.id,
    componentId: 'STM32',
    files: [join(folder, 'firmware/sensor-1.1.0.bin')],
  });
  await studio.close();
  const planFile = join(folder, 'plan.yaml');
  await writeFile(planFile, 'product: SENSOR-1\nversion: 1.1.0\n');
  const created = await plan('create', planFile);
  expect(created).toMatchObject({ exitCode: 0, stderr: '' });
  planId = (JSON.parse(created.stdout) as { planId: string }).planId;
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const plan = (...args: string[]) => slipway(['--workspace', folder, 'plan', ...args]);
const statusOf = (stdout: string): PlanStatus => JSON.parse(stdout) as PlanStatus;
const standstill = /^\{"note":"The cloud ran for this command only[^\n]*cloud serve[^\n]*--wait/m;

test('a plan that stands still because the cloud ends with the command is told to, and only then', async () => {
  const published = await plan('publish', planId);
  expect(published).toMatchObject({ exitCode: 0 });
  expect(statusOf(published.stdout)).toMatchObject({ state: 'activated' });
  expect(published.stderr).toMatch(standstill);
  const suspended = await plan('suspend', planId);
  expect(statusOf(suspended.stdout).state).toBe('suspended');
  expect(suspended.stderr).toBe('');
  expect((await plan('resume', planId)).stderr).toMatch(standstill);

  const cloud = new LocalCloudProcess({ dataDir: join(folder, '.slipway', 'cloud') });
  await cloud.start();
  try {
    const status = await plan('status', planId);
    expect(statusOf(status.stdout)).toMatchObject({
      state: 'activated',
      counts: { notUpgraded: 2 },
    });
    expect(status.stderr).toBe('');
  } finally {
    await cloud.stop();
  }
  const terminated = await plan('terminate', planId);
  expect(statusOf(terminated.stdout)).toMatchObject({ state: 'terminated', counts: { failed: 2 } });
  expect(terminated.stderr).toBe('');
});

test('a manual plan is written down, published, and steered device by device', async () => {
  const year = new Date().getUTCFullYear() + 1;
  const file = join(folder, 'manual.yaml');
  const lines = [
    'product: SENSOR-1',
    'version: 1.1.0',
    'mode: manual',
    'timeZone: Europe/Berlin',
    `plannedTime: { start: "2026-01-01T00:00", end: "${year}-12-31T00:00" }`,
    'minBatteryPercent: 40',
  ];
  await writeFile(file, lines.join('\n'));
  const refused = await plan('create', file);
  expect(refused).toMatchObject({ exitCode: 2 });
  expect(refused.stderr).toMatch(/plan-invalid.*zh and en/);
  await writeFile(file, [...lines, 'upgradeTexts: { zh: 新版本, en: A new version }'].join('\n'));
  const created = await plan('create', file);
  expect(created).toMatchObject({ exitCode: 0 });
  const { planId: id } = JSON.parse(created.stdout) as { planId: string };

  const cloud = new LocalCloudProcess({ dataDir: join(folder, '.slipway', 'cloud') });
  await cloud.start();
  try {
    expect(await plan('publish', id)).toMatchObject({ exitCode: 0 });
    expect((await plan('confirm', id, 'dev-1')).stdout).toBe('{"done":1,"failed":[]}\n');
    const from = `${year}-12-01T22:00`;
    expect(
      await plan('appoint', id, 'dev-2', '--from', from, '--to', `${year}-12-01T22:59`),
    ).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/an hour or more/) });
    expect(
      await plan('appoint', id, 'dev-2', '--from', from, '--to', `${year}-12-01T23:00`),
    ).toMatchObject({ exitCode: 0 });
    expect(statusOf((await plan('status', id)).stdout).held).toEqual([
      {
        reason: 'appointment',
        count: 1,
        devices: [{ deviceId: 'dev-2', detail: `appointed for ${year}-12-01T21:00:00.000Z` }],
      },
    ]);
    const cancelled = await plan('cancel', id, 'dev-2', 'dev-9');
    expect(JSON.parse(cancelled.stdout)).toMatchObject({
      done: 1,
      failed: [{ deviceId: 'dev-9', problem: { code: 'device-not-in-plan' } }],
    });
    expect(cancelled.exitCode).toBe(1);
    expect(statusOf((await plan('status', id)).stdout)).toMatchObject({
      failureReasons: [{ code: 'user-cancelled', count: 1 }],
    });
    expect(await plan('retry', id, 'dev-2')).toMatchObject({ exitCode: 0 });
    expect(await plan('auto-confirm', 'on', 'dev-1', 'dev-2')).toMatchObject({ exitCode: 0 });
    expect(await plan('auto-confirm', 'perhaps', 'dev-1')).toMatchObject({ exitCode: 2 });
  } finally {
    await cloud.stop();
  }
});

test('files that are refused leave no empty release behind', async () => {
  const create = (version: string, component: string, file: string) =>
    slipway(
      [
        '--workspace',
        folder,
        'bundle',
        'create',
        join(folder, file),
        '--product',
        'SENSOR-1',
      ].concat(['--component', component, '--version', version]),
    );
  const image = 'firmware/sensor-1.1.0.bin';
  expect(await create('1.2.0', 'NOPE', image)).toMatchObject({ exitCode: 2, stdout: '' });
  expect(await create('1.2.0', 'STM32', 'missing.bin')).toMatchObject({ exitCode: 3, stdout: '' });
  await writeFile(join(folder, 'empty.bin'), '');
  expect(await create('1.2.0', 'STM32', 'empty.bin')).toMatchObject({ exitCode: 1, stdout: '' });
  expect(await create('one two', 'STM32', image)).toMatchObject({ exitCode: 2, stdout: '' });
  const versions = async (): Promise<string[]> => {
    const { stdout } = await slipway(['--workspace', folder, 'release', 'list']);
    return (JSON.parse(stdout) as { version: string }[]).map(({ version }) => version);
  };
  expect(await versions()).toEqual(['1.1.0']);
  // Two at the same time end up with one release and one package.
  const [first, second] = await Promise.all([
    create('1.0.0', 'STM32', 'firmware/sensor-1.0.0.bin'),
    create('1.0.0', 'STM32', 'firmware/sensor-1.0.0.bin'),
  ]);
  expect([first.exitCode, second.exitCode]).toEqual([0, 0]);
  expect(JSON.parse(first.stdout)).toEqual(JSON.parse(second.stdout));
  expect(await versions()).toEqual(['1.0.0', '1.1.0']);
});

test('two commands at once: the one whose cloud ends does not take the other along', async () => {
  const outcomes = await Promise.all([1, 2, 3].map(() => plan('publish', planId)));
  expect(outcomes.map(({ exitCode, problem }) => [exitCode, problem])).toEqual(
    outcomes.map(() => [0, null]),
  );
  for (const { stdout } of outcomes) expect(statusOf(stdout).counts.notUpgraded).toBe(2);
});

const list = (): string =>
  `"${process.execPath}" "${entryPath('cli')}" release list --workspace "${folder}" --json`;
const shell = (line: string) => peer('bash', ['-c', `set -o pipefail; ${line}`]);

test('a result that nobody reads to its end is no crash', async () => {
  expect(await shell(`${list()} | true`)).toMatchObject({ code: 0, stderr: '' });
});

test.skipIf(process.platform !== 'linux')('a result that has no room is told', async () => {
  const full = await shell(`${list()} > /dev/full`);
  expect(full.code).toBe(3);
  expect(full.stderr).toMatch(/^The result could not be written: ENOSPC[^\n]*\n$/);
});
