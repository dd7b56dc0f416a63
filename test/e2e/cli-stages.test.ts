import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CloudAdministration } from '../../electron/core/clouds/cloud-administration.ts';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { LocalCloudProcess } from '../../electron/core/clouds/local-cloud-process.ts';
import { createStudio } from '../../electron/core/studio.ts';
import type { Evidence } from '../../shared/domain/evidence.ts';
import type { PlanStatus } from '../../shared/domain/plan.ts';
import type { DeviceLogEntry } from '../../shared/domain/plan-stages.ts';
import { slipway } from '../support/command.ts';

const deviceCount = 24;
const reason = 'Known faults of the test rack.';
let folder: string;
let cloud: LocalCloudProcess;
let fleet: ChildProcess;
let planId: string;

/** A workspace with its cloud, simulated devices of which a quarter fail, and a plan in stages. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-stages-'));
  await cp('resources/sample', folder, { recursive: true });
  const config = join(folder, 'slipway.yaml');
  const text = await readFile(config, 'utf8');
  await writeFile(config, text.replace('benchRunsRequired: 1', 'benchRunsRequired: 0'));
  const studio = await createStudio({ workspacePath: folder });
  const release = await studio.ask('releases.create', { productId: 'SENSOR-1', version: '1.1.0' });
  await studio.ask('bundle.create', {
    releaseId: release.id,
    componentId: 'STM32',
    files: [join(folder, 'firmware/sensor-1.1.0.bin')],
  });
  await studio.close();
  cloud = new LocalCloudProcess({ dataDir: join(folder, '.slipway', 'cloud') });
  const { http, token } = await cloud.start();
  const args = ['--cloud', http, '--product', 'SENSOR-1', '--component', 'STM32'];
  args.push('--protocol', 'mqtt', '--devices', String(deviceCount), '--fail-share', '0.25');
  fleet = spawn(process.execPath, ['dist/main/cli.js', 'fleet', 'simulate', ...args], {
    env: { ...process.env, SLIPWAY_TOKEN: token },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(fleet.stdout as NodeJS.ReadableStream, 'data');
}, 60_000);
afterAll(async () => {
  if (fleet?.exitCode === null) {
    fleet.kill('SIGTERM');
    await once(fleet, 'close');
  }
  await cloud?.stop();
  await rm(folder, { recursive: true, force: true });
});

const run = (...args: string[]) => slipway(['--workspace', folder, ...args]);
const plan = (...args: string[]) => run('plan', ...args);
const statusOf = (stdout: string): PlanStatus => JSON.parse(stdout) as PlanStatus;

test('a plan file names stages and stop rules, and what is wrong in it', async () => {
  const file = join(folder, 'plan.yaml');
  const head = 'product: SENSOR-1\nversion: 1.1.0\nretries: 0\n';
  await writeFile(file, `${head}stages:\n  - upToPercent: 50\n`);
  const wrong = await plan('create', file);
  expect(wrong).toMatchObject({ exitCode: 2, problem: { code: 'plan-invalid' } });
  expect(wrong.problem?.detail).toMatch(/the last stage takes the rest[^]*stages\[0\]/);
  await writeFile(
    file,
    `${head}cohortSeed: canaries
stages:
  - { upToPercent: 50, soakMinutes: 0, hold: true }
  - {}
stopRules: { failureCount: 2, silentAfterMinutes: 60 }
`,
  );
  const created = await plan('create', file);
  planId = (JSON.parse(created.stdout) as { planId: string }).planId;
  const check = await plan('check', planId);
  expect(check.exitCode).toBe(0);
});

test('publish --wait ends with the stop; it goes on only with who accepts it', async () => {
  const published = await plan('publish', planId, '--wait');
  expect(published.exitCode).toBe(1);
  const { state, stops, stages } = statusOf(published.stdout);
  expect(state).toBe('suspended');
  expect(stops).toMatchObject([{ rule: 'failureCount', limit: 2, failed: 2, resumed: null }]);
  expect(stages?.[1]).toMatchObject({ state: 'closed', notUpgraded: deviceCount / 2 });

  expect(await plan('resume', planId)).toMatchObject({
    exitCode: 1,
    problem: { code: 'stop-not-accepted' },
  });
  expect(await plan('resume', planId, '--accept', reason)).toMatchObject({
    exitCode: 2,
    problem: { code: 'name-missing' },
  });
  expect(await plan('resume', planId, '--name', 'Ada Byron')).toMatchObject({
    exitCode: 2,
    problem: { code: 'acceptance-incomplete' },
  });
  const resumed = await plan('resume', planId, '--accept', reason, '--name', 'Ada Byron');
  expect(resumed.exitCode).toBe(0);
  expect(statusOf(resumed.stdout).stops?.[0]?.resumed).toMatchObject({ name: 'Ada Byron', reason });
});

test('with accounts the next stage is opened under that of the token, and the log of a device tells its steps', async () => {
  const { http, token } = await cloud.start();
  const administration = new CloudAdministration(new LocalCloud({ http, token }));
  const otto = await administration.addAccount('otto', 'operator');
  const asOtto = (...args: string[]) =>
    slipway(['--workspace', folder, 'plan', ...args], ['env', `SLIPWAY_TOKEN=${otto.token}`]);
  expect(
    await asOtto('next-stage', planId, '--name', 'Ada Byron', '--reason', reason),
  ).toMatchObject({ exitCode: 2, problem: { code: 'other-name' } });
  const opened = await asOtto('next-stage', planId, '--reason', reason);
  expect(opened.exitCode).toBe(0);
  const { stages, stops } = statusOf(opened.stdout);
  expect(stages?.[1]).toMatchObject({ openedBy: { name: 'otto', reason } });
  // Without a token of an account it is the owner of the data folder who asks.
  expect(await plan('next-stage', planId, '--reason', reason)).toMatchObject({
    exitCode: 2,
    problem: { code: 'last-stage' },
  });
  const [culprit] = stops?.[0]?.devices ?? [];
  const log = await plan('log', planId, culprit?.deviceId ?? '');
  const lines = JSON.parse(log.stdout) as DeviceLogEntry[];
  expect(lines.map(({ event }) => event)).toEqual([
    'jobGiven',
    'readyToDownload',
    'downloading',
    'downloadFailed',
    'failed',
    'accepted',
  ]);
});

test('stages, stops and acceptances are part of the evidence, which shows when they were changed', async () => {
  await plan('terminate', planId);
  const file = join(folder, 'evidence.json');
  const releases = await run('release', 'list');
  const [release] = JSON.parse(releases.stdout) as { id: string }[];
  const exported = await run('evidence', 'export', release?.id ?? '', '--out', file);
  expect(exported.exitCode).toBe(0);
  const verified = await run('evidence', 'verify', file);
  expect(verified.exitCode).toBe(0);
  const evidence = JSON.parse(await readFile(file, 'utf8')) as Evidence;
  const [rollout] = evidence.rollouts;
  expect(rollout?.status.stops?.[0]?.resumed).toMatchObject({ name: 'Ada Byron' });
  expect(rollout?.plan.stages).toHaveLength(2);
  const tally = rollout?.status.stages?.[0];
  if (tally) Object.assign(tally, { accepted: tally.accepted - 1, upgraded: tally.upgraded + 1 });
  await writeFile(file, JSON.stringify(evidence));
  const forged = await run('evidence', 'verify', file);
  expect(forged.exitCode).toBe(1);
  const { checks } = JSON.parse(forged.stdout) as { checks: { id: string; passed: boolean }[] };
  expect(checks).toContainEqual(expect.objectContaining({ id: 'rollout-stages', passed: false }));
});
