import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createStudio, type Studio } from '../../electron/core/studio.ts';
import type { PlanCheck } from '../../shared/domain/plan.ts';
import type { Verification } from '../../shared/domain/verification.ts';
import { importReporting } from '../support/imported-devices.ts';
import { makeDevice, until } from '../support/cloud.ts';
import { slipway } from '../support/command.ts';

let folder: string;
let studio: Studio;
let planFile: string;

/** A release with a full package and a delta, and a cloud that runs with three devices. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-preview-'));
  await cp('resources/sample', folder, { recursive: true });
  studio = await createStudio({ workspacePath: folder });
  const versions = [{ STM32: '1.0.0' }, { STM32: '0.9.0' }, {}];
  const devices = versions.map((one, at) =>
    makeDevice(`dev-${at + 1}`, { productId: 'SENSOR-1', versions: one }),
  );
  await importReporting(studio, devices);
  const packageIds: string[] = [];
  for (const version of ['1.0.0', '1.1.0']) {
    const release = await studio.ask('releases.create', { productId: 'SENSOR-1', version });
    const pkg = await studio.ask('bundle.create', {
      releaseId: release.id,
      componentId: 'STM32',
      files: [join(folder, `firmware/sensor-${version}.bin`)],
    });
    packageIds.push(pkg.id);
  }
  const [sourcePackageId = '', targetPackageId = ''] = packageIds;
  await studio.ask('delta.create', { sourcePackageId, targetPackageId });
  planFile = join(folder, 'plan.yaml');
  await writeFile(planFile, 'product: SENSOR-1\nversion: 1.1.0\n');
});
afterAll(async () => {
  await studio.close();
  await rm(folder, { recursive: true, force: true });
});

const plan = (...args: string[]) => slipway(['--workspace', folder, 'plan', ...args]);
const idOf = (stdout: string): string => (JSON.parse(stdout) as { planId: string }).planId;

test('a list with lines that are no device is refused with each of them, or taken without', async () => {
  const list = join(folder, 'white.csv');
  await writeFile(list, 'place;Device Key\nA;dev-1\nB;dev-7\nC;dev-1\nD;490154203237517\n');
  await writeFile(planFile, 'product: SENSOR-1\nversion: 1.1.0\nwhitelistFile: white.csv\n');
  const refused = await plan('create', planFile);
  expect(refused).toMatchObject({ exitCode: 2, stdout: '' });
  expect(refused.stderr).toContain('Line 3: dev-7 is no device of this product.');
  expect(refused.stderr).toContain('Line 5: 490154203237517 is not an IMEI');
  const taken = await plan('create', planFile, '--leave-out');
  expect(taken).toMatchObject({ exitCode: 0 });
  expect(taken.stderr).toContain('column 2 Device Key: 1 devices, 3 lines left out');
  const plans = await studio.ask('plans.list', {});
  expect(plans.find(({ id }) => id === idOf(taken.stdout))?.whitelist).toEqual(['dev-1']);
  await writeFile(planFile, 'product: SENSOR-1\nversion: 1.1.0\n');
  const gone = await plan('create', planFile, '--blacklist-file', join(folder, 'none.txt'));
  expect(gone).toMatchObject({ exitCode: 3, stdout: '' });
});

test('the check tells bytes, time and who is skipped why, in the shape that scripts know', async () => {
  const id = idOf((await plan('create', planFile)).stdout);
  const csv = join(folder, 'scope.csv');
  const checked = await plan('check', id, '--csv', csv);
  const { scope, preview } = JSON.parse(checked.stdout) as PlanCheck;
  expect(scope).toMatchObject({
    full: 1,
    delta: 1,
    skipped: [{ reason: 'neverReported', count: 1, devices: ['dev-3'] }],
  });
  const sizes = preview?.packages.map(({ sizeBytes, devices }) => sizeBytes * devices) ?? [];
  expect(sizes).toHaveLength(2);
  expect(preview?.airBytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
  expect(preview?.duration).toMatchObject({ basis: 'unknown', ms: null });
  expect((await readFile(csv, 'utf8')).split('\r\n').slice(1, 4)).toEqual([
    'dev-1,delta,,STM32 from 1.0.0 to 1.1.0.',
    'dev-2,full,,STM32 from 0.9.0 to 1.1.0.',
    'dev-3,skip,neverReported,It never reported the version of STM32.',
  ]);
});

test('a package is verified on one device, which is recorded and goes into the evidence', async () => {
  const verify = (...args: string[]) =>
    plan('verify', 'SENSOR-1@1.1.0', '--component', 'STM32', '--device', ...args);
  expect((await verify('dev-9')).stderr).toMatch(/device-missing/);
  expect((await verify('dev-3')).stderr).toMatch(/never reported/);
  await studio.ask('fleet.start', {
    productId: 'SENSOR-1',
    componentId: 'STM32',
    fromVersion: '1.0.0',
    http: 0,
    mqtt: 1,
    lwm2m: 0,
  });
  const proven = await verify('SENSOR-1-SIM-MQTT-00001', '--wait');
  expect(proven).toMatchObject({ exitCode: 0 });
  expect(JSON.parse(proven.stdout)).toMatchObject({
    outcome: 'succeeded',
    fromVersion: '1.0.0',
    packageName: 'SENSOR-1 STM32 1.0.0 to 1.1.0',
  });
  const waiting = await verify('dev-2');
  expect(JSON.parse(waiting.stdout)).toMatchObject({ outcome: 'running', finishedAt: null });
  expect(await verify('dev-2')).toMatchObject({
    exitCode: 2,
    stderr: expect.stringMatching(/device-in-plan.*Verification of STM32 1.1.0 on dev-2/),
  });
  const listed = await plan('verify', 'SENSOR-1@1.1.0');
  const all = JSON.parse(listed.stdout) as Verification[];
  expect(all.map(({ deviceId, outcome }) => [deviceId, outcome])).toEqual([
    ['dev-2', 'running'],
    ['SENSOR-1-SIM-MQTT-00001', 'succeeded'],
  ]);
  const release = (await studio.ask('releases.list', {})).find(
    ({ version }) => version === '1.1.0',
  );
  const { path } = await studio.ask('evidence.export', { releaseId: release?.id ?? '' });
  const report = await studio.ask('evidence.verify', { file: path });
  expect(report).toMatchObject({ verdict: 'pass' });
  expect(report.checks.find(({ id }) => id === 'verifications')?.why).toMatch(/^2 verifications/);
  await until(
    () => studio.ask('plans.list', {}),
    (plans) => plans.every(({ kind }) => kind === undefined),
  );
});
