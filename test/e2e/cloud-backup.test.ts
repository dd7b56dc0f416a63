import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  CloudProcess,
  Operator,
  componentId,
  makeDevice,
  makePlan,
  until,
  jobIdOf,
} from '../support/cloud.ts';
import { slipway } from '../support/command.ts';
import { HandHttpDevice } from '../support/hand-devices.ts';

let folder: string;
const running: CloudProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-backup-'));
});
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function serve(dataDir: string): Promise<{ http: string; operator: Operator }> {
  const cloud = CloudProcess.spawn(['--data', dataDir]);
  running.push(cloud);
  const { http, operator } = await cloud.ready();
  return { http, operator: new Operator(http, operator.token) };
}

/** A cloud with a plan for three devices, of which the first has its job. */
async function halfway() {
  const data = join(folder, 'data');
  const { http, operator } = await serve(data);
  const ids = ['dev-1', 'dev-2', 'dev-3'];
  const secrets = await operator.putDevices(ids.map((id) => makeDevice(id, { transport: 'http' })));
  const image = randomBytes(40_000);
  const plan = makePlan(await operator.putPackage(image));
  await operator.publish(plan);
  const device = (id: string, at = http): HandHttpDevice =>
    new HandHttpDevice(at, id, secrets[id] ?? '');
  const first = await device('dev-1').begin();
  return { data, operator, plan, image, device, jobOfFirst: jobIdOf(first.href) };
}

test('a backup of a serving cloud is restored elsewhere and the rollout goes on', async () => {
  const { data, operator, plan, image, device, jobOfFirst } = await halfway();
  const [backup, restored] = [join(folder, 'backup'), join(folder, 'restored')];
  const made = await slipway(['cloud', 'backup', '--data', data, '-o', backup]);
  expect(made).toMatchObject({ exitCode: 0, problem: null });
  expect(JSON.parse(made.stdout)).toMatchObject({ folder: backup, files: 3 });

  // After the backup another device gets a job whose id the restored cloud must not give out again.
  const late = jobIdOf((await device('dev-2').begin()).href);
  expect((await operator.status(plan.id)).counts.upgrading).toBe(2);
  await running[0]?.kill('SIGKILL');

  const back = await slipway(['cloud', 'restore', backup, '--data', restored]);
  expect(back).toMatchObject({ exitCode: 0, problem: null });
  const again = await serve(restored);
  expect((await again.operator.status(plan.id)).counts).toMatchObject({
    upgrading: 1,
    notUpgraded: 2,
  });

  const [first, second] = [device('dev-1', again.http), device('dev-2', again.http)];
  const job = await first.begin();
  expect(jobIdOf(job.href)).toBe(jobOfFirst);
  const bytes = await (await first.ask('GET', job.artifact)).arrayBuffer();
  expect(Buffer.from(bytes).equals(image)).toBe(true);
  const lateJob = `/deploymentBase/${late}`;
  expect((await second.ask('GET', lateJob)).status).toBe(404);
  expect(Number(jobIdOf((await second.begin()).href))).toBeGreaterThan(1_000_000);

  for (const id of ['dev-1', 'dev-2', 'dev-3']) {
    const ready = device(id, again.http);
    await ready.begin();
    const report = { data: { [`version.${componentId}`]: '1.1.0' } };
    expect((await ready.ask('PUT', '/configData', report)).status).toBe(200);
  }
  await until(
    () => again.operator.status(plan.id),
    ({ counts }) => counts.upgraded === 3,
  );
}, 60_000);

test('a damaged backup is refused by name, and nothing is put in place', async () => {
  const { data } = await halfway();
  const [backup, restored] = [join(folder, 'backup'), join(folder, 'restored')];
  await slipway(['cloud', 'backup', '--data', data, '-o', backup]);
  const [artifact = ''] = await readdir(join(backup, 'artifacts'));
  const path = join(backup, 'artifacts', artifact);
  const bytes = await readFile(path);
  bytes[17] = (bytes[17] ?? 0) ^ 1;
  await writeFile(path, bytes);
  const refused = await slipway(['cloud', 'restore', backup, '--data', restored]);
  expect(refused.problem).toMatchObject({ code: 'backup-damaged' });
  expect(refused.problem?.detail).toContain(artifact);
  await rm(join(backup, 'backup.json'));
  const none = await slipway(['cloud', 'restore', backup, '--data', restored]);
  expect(none).toMatchObject({ exitCode: 2, problem: { code: 'no-backup' } });
  expect((await readdir(folder)).sort()).toEqual(['backup', 'data']);
});

test('neither a backup nor a restored cloud is written over what is there', async () => {
  const { data } = await halfway();
  const over = await slipway(['cloud', 'backup', '--data', data, '-o', data]);
  expect(over).toMatchObject({ exitCode: 2, problem: { code: 'folder-exists' } });
  const nothing = await slipway(['cloud', 'backup', '--data', folder, '-o', join(folder, 'b')]);
  expect(nothing).toMatchObject({ exitCode: 2, problem: { code: 'no-cloud-data' } });
  await slipway(['cloud', 'backup', '--data', data, '-o', join(folder, 'backup')]);
  const onto = await slipway(['cloud', 'restore', join(folder, 'backup'), '--data', data]);
  expect(onto).toMatchObject({ exitCode: 2, problem: { code: 'folder-exists' } });
});
