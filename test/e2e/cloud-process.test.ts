import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CloudProcess, Operator, makeDevice, until } from '../support/cloud.ts';
import { HandLwm2mDevice } from '../support/hand-lwm2m-device.ts';

let folder: string;
const running: CloudProcess[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-cloud-process-'));
});
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

function cloud(
  args: readonly string[],
  options: { env?: Record<string, string>; program?: string } = {},
) {
  const started = CloudProcess.spawn(args, options.env, options.program);
  running.push(started);
  return started;
}

test('it says once where it serves, and takes that back when it ends', async () => {
  const first = cloud(['--data', folder]);
  const ready = await first.ready();
  expect(Object.keys(ready)).toEqual(['ready', 'http', 'mqtt', 'coap', 'coaps', 'operator']);
  expect(ready).toMatchObject({
    ready: true,
    coap: expect.stringMatching(/^coap:\/\/127\.0\.0\.1:\d+$/),
    coaps: expect.stringMatching(/^coaps:\/\/127\.0\.0\.1:\d+$/),
  });
  expect(ready.http).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(ready.mqtt).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
  const endpoint = join(folder, 'endpoint.json');
  expect(JSON.parse(await readFile(endpoint, 'utf8'))).toEqual({
    http: ready.http,
    mqtt: ready.mqtt,
    coap: ready.coap,
    coaps: ready.coaps,
    pid: first.child.pid,
  });
  expect(await (await fetch(`${ready.http}/health`)).json()).toEqual({ ok: true });
  expect(await first.kill('SIGTERM')).toBe(0);
  expect(first.stdout.join('').trimEnd().split('\n')).toHaveLength(1);
  expect(await readdir(folder)).not.toContain('endpoint.json');

  const second = cloud(['--data', folder, '--http', new URL(ready.http).port]);
  const again = await second.ready();
  expect([again.http, again.operator.token]).toEqual([ready.http, ready.operator.token]);
  expect(await second.kill('SIGINT')).toBe(0);
});

test('told to serve every address, it names one that can be reached', async () => {
  const { http, mqtt } = await cloud(['--data', folder, '--host', '0.0.0.0']).ready();
  for (const url of [http, mqtt]) expect(new URL(url).hostname).not.toBe('0.0.0.0');
  expect((await fetch(`${http}/health`)).status).toBe(200);
});

test('it ends with its parent when asked to, and only then', async () => {
  const bound = cloud(['--data', join(folder, 'bound'), '--with-parent']);
  const free = cloud(['--data', join(folder, 'free')]);
  const { http, operator } = await free.ready();
  await bound.ready();
  bound.child.stdin?.end();
  free.child.stdin?.end();
  expect(await bound.exited).toBe(0);
  expect(await readdir(join(folder, 'bound'))).not.toContain('endpoint.json');
  await new Operator(http, operator.token).call('PUT', '/products/P', { name: 'P' });
});

/** Ends with 3 and one JSON line on stderr; gives its problem. */
async function refusal(started: CloudProcess): Promise<{ code: string; detail: string }> {
  expect(await started.exited).toBe(3);
  const lines = started.stderr.join('').trimEnd().split('\n');
  expect(lines).toHaveLength(1);
  expect(started.stdout.join('')).toBe('');
  return (JSON.parse(lines[0] ?? '') as { error: { code: string; detail: string } }).error;
}

test('a folder is held by one process, also after that process was killed', async () => {
  const first = cloud(['--data', folder]);
  await first.ready();
  expect(await refusal(cloud(['--data', folder]))).toMatchObject({
    code: 'data-in-use',
    detail: `${folder} is held by process ${first.child.pid}.`,
  });
  await first.kill('SIGKILL');
  await cloud(['--data', folder]).ready();
});

test('what keeps it from starting is one line on stderr', async () => {
  expect(await refusal(cloud([]))).toMatchObject({ code: 'usage' });
  const blocker = createServer().listen(0, '127.0.0.1');
  const port = await until(
    () => blocker.address(),
    (address) => address !== null,
  );
  const taken = String((port as { port: number }).port);
  for (const option of ['--http', '--mqtt'])
    expect(await refusal(cloud(['--data', folder, option, taken]))).toMatchObject({
      code: 'port-in-use',
    });
  blocker.close();
  const mqtt = ['--mqtt', 'mqtt://127.0.0.1:1'];
  expect(await refusal(cloud(['--data', folder, ...mqtt]))).toMatchObject({
    code: 'mqtt-unreachable',
  });
  expect(await refusal(cloud(['--data', folder, '--host', '192.0.2.1']))).toMatchObject({
    code: 'address-unusable',
  });
  await writeFile(join(folder, 'file'), '');
  expect(await refusal(cloud(['--data', join(folder, 'file')]))).toMatchObject({
    code: 'data-unusable',
  });
  const broken = join(folder, 'broken');
  await mkdir(broken);
  await writeFile(join(broken, 'cloud.db'), 'this is no database, however long one looks at it');
  expect(await refusal(cloud(['--data', broken]))).toMatchObject({ code: 'database-unusable' });
  expect(await readdir(folder)).not.toContain('endpoint.json');
  await cloud(['--data', folder]).ready();
});

test("it runs under Electron's Node as well", async () => {
  const program = process.env.SLIPWAY_ELECTRON;
  if (!program) throw new Error('Electron is missing: run npm run setup, then npm test');
  const started = cloud(['--data', folder], {
    env: { ELECTRON_RUN_AS_NODE: '1' },
    program,
  });
  const { http, coaps, operator } = await started.ready();
  expect((await fetch(`${http}/health`)).status).toBe(200);
  // Its crypto library is another one than Node's, and has no CCM.
  const device = makeDevice('dev-1', { transport: 'lwm2m' });
  const { 'dev-1': secret = '' } = await new Operator(http, operator.token).putDevices([device]);
  const key = createHash('sha256').update(secret).digest().subarray(0, 16);
  for (const suite of [0x00a8, 0xc0a4, 0xc0a8]) {
    const login = { identity: 'dev-1', key, suites: [suite] };
    const registered = new HandLwm2mDevice(coaps, 'dev-1', login);
    expect(await registered.register()).toBe('2.01');
    await registered.close();
  }
  expect(await started.kill('SIGTERM')).toBe(0);
});
