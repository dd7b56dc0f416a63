import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import Database from 'libsql';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  type CloudAddress,
  LocalCloudProcess,
} from '../../electron/core/clouds/local-cloud-process.ts';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import { until } from '../support/cloud.ts';

let folder: string;
let cloudProcess: LocalCloudProcess;
let cloud: CloudAddress;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cli-fleet-'));
  cloudProcess = new LocalCloudProcess({ dataDir: join(folder, 'cloud') });
  cloud = await cloudProcess.start();
});
afterAll(async () => {
  await cloudProcess.stop();
  await rm(folder, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[], token: string | null = cloud.token): ChildProcess {
  const { SLIPWAY_TOKEN: _unset, ...env } = process.env;
  return spawn(
    process.execPath,
    [join(process.cwd(), 'dist/main/cli.js'), 'fleet', 'simulate', ...args],
    {
      cwd: folder,
      env: { ...env, ...(token === null ? {} : { SLIPWAY_TOKEN: token }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
}

async function finish(child: ChildProcess): Promise<Ended> {
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name]?.on('data', (chunk: Buffer) => {
      text[name] += chunk.toString();
    });
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...text };
}

const simulate = (args: readonly string[], token?: string | null): Promise<Ended> =>
  finish(start(args, token));
/** Where the broker is, the cloud says itself. */
const address = (): string[] => ['--cloud', cloud.http];

test('the shares that fail and fall silent are exact, and the others are upgraded', async () => {
  const faults = ['--fail-share', '0.2', '--silent-share', '0.1'];
  const fleet = ['--protocol', 'mqtt', '--devices', '20', '--rollout', '1K', '--json'];
  const { code, stdout } = await simulate([...address(), ...fleet, ...faults]);
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ devices: 20, succeeded: 14, failed: 4 });
  const wrong = await simulate([...address(), ...fleet, '--fail-share', '2']);
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain('a share from 0 to 1');
});

test.each<[string, number, string]>([
  ['http', 8, ''],
  ['mqtt', 8, ''],
  ['lwm2m', 8, ''],
  ['lwm2m', 8, '--dtls'],
  // Fewer than before: those that are gone must not be waited for.
  ['http', 3, ''],
])('a scratch rollout over %s to %i devices %s', async (protocol, devices, option) => {
  const fleet = ['--protocol', protocol, '--devices', String(devices)];
  const rollout = [...fleet, ...(option === '' ? [] : [option]), '--rollout', '64K'];
  const { code, stdout, stderr } = await simulate([...address(), ...rollout, '--json']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const result = JSON.parse(stdout) as Record<string, number>;
  expect(Object.keys(result)).toEqual([
    'devices',
    'succeeded',
    'failed',
    'elapsedMs',
    'p50Ms',
    'p99Ms',
  ]);
  expect(result).toMatchObject({ devices, succeeded: devices, failed: 0 });
  const { elapsedMs = 0, p50Ms = 0, p99Ms = 0 } = result;
  expect([0, p50Ms, p99Ms, elapsedMs]).toEqual([0, p50Ms, p99Ms, elapsedMs].sort((a, b) => a - b));
  expect(p50Ms).toBeGreaterThan(0);
});

const ten = ['--devices', '10', '--rollout', '64K', '--json'];
test.each<[string, string[], string | null | undefined, number]>([
  ['no-token', ['--cloud', 'http://127.0.0.1:9', ...ten], null, 2],
  ['cloud-unreachable', ['--cloud', 'http://127.0.0.1:9', ...ten], 'token', 3],
  ['cloud-address', ['--cloud', '127.0.0.1:9', ...ten], 'token', 2],
])('%s ends with its exit code', async (code, args, token, exitCode) => {
  const ended = await simulate(args, token);
  expect(ended).toMatchObject({ code: exitCode, stdout: '' });
  expect(JSON.parse(ended.stderr)).toMatchObject({ error: { code } });
});

test.each(['0', '501M', '-1', 'many'])('an image of %s bytes is wrong usage', async (size) => {
  const args = [...address(), '--devices', '1', '--rollout', size];
  expect(await simulate(args)).toMatchObject({ code: 2, stdout: '' });
});

test('a broker that is not there is named', async () => {
  const args = ['--cloud', cloud.http, '--mqtt', 'mqtt://127.0.0.1:9', '--protocol', 'mqtt'];
  const ended = await simulate([...args, ...ten]);
  expect(ended.code).toBe(3);
  const last = ended.stderr.trim().split('\n').at(-1) ?? '';
  expect(JSON.parse(last)).toMatchObject({
    error: { code: 'fleet-unreachable', detail: expect.stringContaining('ECONNREFUSED') },
  });
});

test('devices serve until SIGTERM, and a plan that nobody waits for any longer is terminated', async () => {
  const serving = start([...address(), '--devices', '2', '--product', 'SERVED']);
  await once(serving.stdout as NodeJS.ReadableStream, 'data');
  const operator = new LocalCloud(cloud);
  const query = { productId: 'SERVED', offset: 0, limit: 10 };
  expect((await operator.devices(query)).total).toBe(2);
  serving.kill('SIGTERM');
  expect((await finish(serving)).code).toBe(0);

  const rollout = ['--devices', '50', '--rollout', '64K', '--product', 'STOPPED', '--json'];
  const stopped = start([...address(), ...rollout]);
  const ended = finish(stopped);
  const db = new Database(join(folder, 'cloud/cloud.db'), { readonly: true });
  const plans = db.prepare("SELECT state FROM plans WHERE product_id = 'STOPPED'");
  await until(
    () => plans.all(),
    ({ length }) => length === 1,
  );
  stopped.kill('SIGTERM');
  expect((await ended).code).toBe(3);
  expect(JSON.parse((await ended).stderr)).toMatchObject({ error: { code: 'cancelled' } });
  expect(plans.all()).toEqual([{ state: 'terminated' }]);
  db.close();
});

test.skipIf(process.platform === 'win32')('a fleet that is killed ends its command', async () => {
  const serving = start([...address(), '--devices', '2', '--product', 'KILLED', '--json']);
  await once(serving.stdout as NodeJS.ReadableStream, 'data');
  const { stdout } = await promisify(execFile)('pgrep', ['-P', String(serving.pid)]);
  // Where the system shows it: the devices get their secrets over stdin, and the operator's not at all.
  const environment = await readFile(`/proc/${stdout.trim()}/environ`, 'utf8').catch(() => '');
  expect(environment).not.toContain(cloud.token);
  process.kill(Number(stdout), 'SIGKILL');
  const { code, stderr } = await finish(serving);
  expect(code).toBe(3);
  expect(JSON.parse(stderr)).toMatchObject({ error: { code: 'process-ended' } });
});
