import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttp } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalCloud } from '../../electron/core/clouds/local-cloud.ts';
import {
  type CloudAddress,
  LocalCloudProcess,
} from '../../electron/core/clouds/local-cloud-process.ts';
import { until } from '../support/cloud.ts';

let dataDir: string;
const running: LocalCloudProcess[] = [];
const others: Server[] = [];

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'slipway-cloud-process-'));
});
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.stop();
  for (const other of others.splice(0)) other.close();
  await rm(dataDir, { recursive: true, force: true });
});

function cloudProcess(): LocalCloudProcess {
  const cloud = new LocalCloudProcess({ dataDir });
  running.push(cloud);
  return cloud;
}

const endpointPath = () => join(dataDir, 'endpoint.json');
const pidOf = async (): Promise<number> =>
  (JSON.parse(await readFile(endpointPath(), 'utf8')) as { pid: number }).pid;
const answers = (address: CloudAddress): Promise<boolean> =>
  new LocalCloud(address).check().then(
    () => true,
    () => false,
  );

/** Kills the cloud and waits until its owner has noticed. */
async function killCloud(owner: LocalCloudProcess): Promise<void> {
  process.kill(await pidOf(), 'SIGKILL');
  await until(
    () => owner.attach(),
    (address) => address === null,
  );
}

async function occupy(port: number): Promise<void> {
  const other = createServer();
  others.push(other);
  await new Promise<void>((done) => other.listen(port, '127.0.0.1', done));
}

test('starts at the same time share one cloud', async () => {
  const cloud = cloudProcess();
  const [first, second] = await Promise.all([cloud.start(), cloud.start()]);
  expect(second).toEqual(first);
  expect(await cloud.start()).toEqual(first);
  expect(await answers(first)).toBe(true);
  expect(first.mqtt).toMatch(/^mqtt:\/\/127\.0\.0\.1:\d+$/);
});

test('a second program joins the cloud that runs and leaves it running', async () => {
  const owner = cloudProcess();
  const address = await owner.start();
  const guest = cloudProcess();
  expect(await guest.attach()).toEqual(address);
  expect(await guest.start()).toEqual(address);
  await guest.stop();
  expect(await answers(address)).toBe(true);
  await owner.stop();
  expect(await answers(address)).toBe(false);
  expect(await guest.attach()).toBeNull();
});

test('two programs that start at the same time end up with one cloud', async () => {
  const [first, second] = await Promise.all([cloudProcess().start(), cloudProcess().start()]);
  expect(second).toEqual(first);
});

test('a killed cloud comes back where devices look for it', async () => {
  const cloud = cloudProcess();
  const address = await cloud.start();
  await killCloud(cloud);
  expect(await cloud.start()).toEqual(address);
  expect(await answers(address)).toBe(true);
});

test('ports that another program took meanwhile are given up', async () => {
  const cloud = cloudProcess();
  const address = await cloud.start();
  await killCloud(cloud);
  await occupy(Number(new URL(address.mqtt).port));
  const again = await cloud.start();
  expect(again.mqtt).not.toBe(address.mqtt);
  expect(again.token).toBe(address.token);
  expect(await answers(again)).toBe(true);
});

test('the endpoint file of a killed cloud fools nobody, and its ports are used again', async () => {
  const killed = cloudProcess();
  const address = await killed.start();
  await killCloud(killed);
  expect(existsSync(endpointPath())).toBe(true);
  const later = cloudProcess();
  expect(await later.attach()).toBeNull();
  expect(await later.start()).toEqual(address);
});

test('a process that got the number and the port of a killed cloud is not taken for it', async () => {
  const impostor = createHttp((_request, response) => response.end('{"ok":true}'));
  others.push(impostor);
  await new Promise<void>((done) => impostor.listen(0, '127.0.0.1', done));
  const http = `http://127.0.0.1:${(impostor.address() as AddressInfo).port}`;
  const mqtt = 'mqtt://127.0.0.1:1';
  await writeFile(join(dataDir, 'operator-token'), `${'t'.repeat(43)}\n`, { mode: 0o600 });
  await writeFile(endpointPath(), JSON.stringify({ http, mqtt, pid: process.pid }));
  const cloud = cloudProcess();
  expect(await cloud.attach()).toBeNull();
  const address = await cloud.start();
  expect(address.http).not.toBe(http);
  expect(await answers(address)).toBe(true);
});

test.each(['', 'no json', '[]', '{"http":1}'])(
  'an endpoint file with %j is passed over',
  async (text) => {
    await writeFile(endpointPath(), text);
    expect(await answers(await cloudProcess().start())).toBe(true);
  },
);

test('a cloud that cannot start says why', async () => {
  await rm(dataDir, { recursive: true });
  await writeFile(dataDir, 'a file where the folder should be');
  await expect(cloudProcess().start()).rejects.toMatchObject({
    problem: { title: expect.any(String), detail: expect.stringContaining(dataDir) },
  });
});

test('the cloud ends with the program that serves it, even when that one is killed', async () => {
  const args = ['dist/main/cli.js', 'cloud', 'serve', '--data', dataDir];
  const cli = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(cli.stdout, 'data')) as [Buffer];
  const ready = JSON.parse(line.toString()) as CloudAddress & { operator: { token: string } };
  const address = { ...ready, token: ready.operator.token };
  expect(await answers(address)).toBe(true);
  cli.kill('SIGKILL');
  await until(
    () => answers(address),
    (answered) => !answered,
  );
});
