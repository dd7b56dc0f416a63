import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer, type Server } from 'node:http';
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fleet } from '../../electron/boards/fleet/fleet.ts';
import { fleetConfigSchema } from '../../electron/boards/fleet/fleet-config.ts';
import { makeDeltaTask } from '../../electron/worker/tasks/delta.ts';
import { until } from '../support/cloud.ts';

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
// No patch begins with this byte, so that an image is never taken for one.
const source = Buffer.concat([Uint8Array.of(0xff), randomBytes(49_999)]);
const target = Buffer.concat([
  source.subarray(0, 30_000),
  randomBytes(500),
  source.subarray(30_000),
]);

let folder: string;
const closers: (() => void)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-fleet-'));
  await writeFile(join(folder, 'source.bin'), source);
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) close();
  await rm(folder, { recursive: true, force: true });
});

interface Job {
  readonly id: string;
  readonly bytes: Uint8Array;
  readonly packageType: 'full' | 'delta';
  readonly sourceVersion?: string;
  readonly targetVersion?: string;
  readonly targetSha256?: string;
  readonly sha256?: string;
}

const listen = async (server: Server | TcpServer, port = 0): Promise<number> => {
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
};

/** A DDI server that offers one job until it is told otherwise, and loses what it is told to lose. */
async function ddiServer() {
  const log: string[] = [];
  const state = { job: null as Job | null, lose: (_what: string): number | null => null };
  const server = createHttpServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const { job } = state;
    const base = `http://${request.headers.host}/default/controller/v1/D`;
    const what = (request.url ?? '').split('/').at(-1) ?? '';
    const told = what === 'feedback' ? (JSON.parse(body) as { status: Told }).status : null;
    const line = told
      ? `${told.execution} ${told.result.finished} ${told.details.join()}`.trim()
      : `${request.method} ${what} ${what === 'configData' ? body : ''}`.trim();
    log.push(line);
    const lost = state.lose(line);
    if (lost === 0) return response.destroy();
    if (lost !== null) return response.writeHead(lost).end('{}');
    if (what === 'D') {
      const links = job ? { deploymentBase: { href: `${base}/deploymentBase/${job.id}` } } : {};
      return response.end(
        JSON.stringify({ config: { polling: { sleep: '00:00:01' } }, _links: links }),
      );
    }
    if (what === 'artifact') return response.end(job?.bytes);
    if (!job || what !== job.id) return response.end('{}');
    const metadata = [
      { key: 'packageType', value: job.packageType },
      { key: 'sourceVersion', value: job.sourceVersion ?? '1.0.0' },
      ...(job.targetSha256 ? [{ key: 'targetSha256', value: job.targetSha256 }] : []),
    ];
    const artifact = {
      filename: 'artifact',
      size: job.bytes.length,
      hashes: { sha256: job.sha256 ?? hash(job.bytes) },
      _links: { 'download-http': { href: `${base}/artifact` } },
    };
    const version = job.targetVersion ?? '2.0.0';
    const chunks2 = [{ part: 'APP', version, name: 'n', metadata, artifacts: [artifact] }];
    return response.end(JSON.stringify({ id: job.id, deployment: { chunks: chunks2 } }));
  });
  const port = await listen(server);
  closers.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { http: `http://127.0.0.1:${port}`, log, state };
}

interface Told {
  readonly execution: string;
  readonly result: { readonly finished: string };
  readonly details: readonly string[];
}

async function runFleet(
  transport: 'http' | 'mqtt',
  endpoint: { http: string; mqtt: string },
  images: { version: string; path: string }[] = [],
): Promise<{ fleet: Fleet; troubles: string[] }> {
  const troubles: string[] = [];
  const config = fleetConfigSchema.parse({
    endpoint,
    devices: [{ id: 'D', transport, versions: { APP: '1.0.0' }, secret: 's' }],
    images: images.map((image) => ({ componentId: 'APP', ...image })),
    pollMs: 30,
  });
  const fleet = await Fleet.create(config, (_id, message) => troubles.push(message));
  closers.push(() => fleet.stop());
  await fleet.start();
  return { fleet, troubles };
}

const count = (log: readonly string[], wanted: string): number =>
  log.filter((line) => line === wanted).length;
async function makePatch(from: Uint8Array, to: Uint8Array): Promise<Buffer> {
  const [sourcePath, targetPath, outPath] = ['from', 'to', 'patch'].map((name) =>
    join(folder, name),
  ) as [string, string, string];
  await writeFile(sourcePath, from);
  await writeFile(targetPath, to);
  const context = { signal: new AbortController().signal, onProgress: () => undefined };
  await makeDeltaTask(
    {
      sourcePath,
      targetPath,
      outPath,
      choices: [{ format: 'bsdiff', compression: null }],
      limits: {},
    },
    context,
  );
  return readFile(outPath);
}

test('a polling device reports each step in order and proves its version', async () => {
  const { http, log, state } = await ddiServer();
  state.job = { id: '7', bytes: target, packageType: 'full' };
  await runFleet('http', { http, mqtt: '' });
  const proof = 'PUT configData {"mode":"merge","data":{"version.APP":"2.0.0"}}';
  await until(() => log.includes(proof), Boolean);
  expect(log.slice(0, 8)).toEqual([
    'GET D',
    'GET 7',
    'proceeding none',
    'GET artifact',
    'downloaded none',
    'proceeding none',
    'closed success',
    proof,
  ]);
});

test('an action is never installed twice, however often it comes again', async () => {
  const { http, log, state } = await ddiServer();
  let lost = 0;
  state.lose = (line) => (line === 'closed success' && lost++ < 2 ? 0 : null);
  state.job = { id: '7', bytes: target, packageType: 'full' };
  const { fleet } = await runFleet('http', { http, mqtt: '' });
  await until(() => count(log, 'closed success') >= 4, Boolean);
  expect(count(log, 'GET artifact')).toBe(1);
  expect(fleet.status()).toMatchObject({ updated: 1, failed: 0 });
});

test('a job that the cloud has closed meanwhile is dropped', async () => {
  const { http, log, state } = await ddiServer();
  state.lose = (line) => {
    if (line !== 'downloaded none') return null;
    state.job = null;
    return 410;
  };
  state.job = { id: '7', bytes: target, packageType: 'full' };
  const { fleet } = await runFleet('http', { http, mqtt: '' });
  await until(() => log.lastIndexOf('GET D') > log.indexOf('downloaded none') + 1, Boolean);
  expect(log.filter((line) => /closed|configData/.test(line))).toEqual([]);
  expect(fleet.status()).toMatchObject({ updated: 0, failed: 0 });
});

test.each([500, 0])('lost words about progress do not stop an update (%i)', async (status) => {
  const { http, log, state } = await ddiServer();
  state.lose = (line) => (/^(proceeding|downloaded)/.test(line) ? status : null);
  state.job = { id: '7', bytes: target, packageType: 'full' };
  await runFleet('http', { http, mqtt: '' });
  await until(() => log.includes('closed success'), Boolean);
});

test.each<[string, Partial<Job>]>([
  ['hash-mismatch', { sha256: 'f'.repeat(64) }],
  ['source-version', { packageType: 'delta', sourceVersion: '0.9.0' }],
  ['patch-format', { packageType: 'delta' }],
])('%s is reported with its code', async (code, changes) => {
  const { http, log, state } = await ddiServer();
  state.job = { id: '7', bytes: target, packageType: 'full', ...changes };
  const images = [{ version: '1.0.0', path: join(folder, 'source.bin') }];
  const { fleet } = await runFleet('http', { http, mqtt: '' }, images);
  await until(() => log.includes(`closed failure ${code}`), Boolean);
  expect(fleet.status()).toMatchObject({ updated: 0, failed: 1 });
  expect(log.filter((line) => line.includes('configData'))).toEqual([]);
});

test('a delta is really applied, and its result is the source of the next one', async () => {
  const { http, log, state } = await ddiServer();
  const images = [{ version: '1.0.0', path: join(folder, 'source.bin') }];
  const patch = await makePatch(source, target);
  const delta = { bytes: patch, packageType: 'delta', targetSha256: hash(target) } as const;
  state.job = { id: '7', ...delta };
  await runFleet('http', { http, mqtt: '' }, images);
  await until(() => log.includes('closed success'), Boolean);
  const back = await makePatch(target, source);
  const second = { sourceVersion: '2.0.0', targetVersion: '3.0.0', targetSha256: hash(source) };
  state.job = { id: '8', bytes: back, packageType: 'delta', ...second };
  await until(() => log.some((line) => line.includes('"3.0.0"')), Boolean);
  expect(log.filter((line) => line.startsWith('closed failure'))).toEqual([]);
});

test('a delta for another build of the source version is found out', async () => {
  const { http, log, state } = await ddiServer();
  await writeFile(join(folder, 'other.bin'), randomBytes(50_000));
  const bytes = await makePatch(source, target);
  state.job = { id: '7', bytes, packageType: 'delta', targetSha256: hash(target) };
  const images = [{ version: '1.0.0', path: join(folder, 'other.bin') }];
  await runFleet('http', { http, mqtt: '' }, images);
  await until(() => log.includes('closed failure image-mismatch'), Boolean);
});

/** A bare broker, which tells what devices say and says what it is told to. */
async function broker(port = 0) {
  const aedes = await Aedes.createBroker();
  const server = createServer(aedes.handle);
  const heard: { topic: string; message: Record<string, unknown> }[] = [];
  aedes.on('publish', (packet, client) => {
    if (client) heard.push({ topic: packet.topic, message: JSON.parse(packet.payload.toString()) });
  });
  const close = (): void => {
    aedes.close();
    server.close();
  };
  closers.push(close);
  const url = `mqtt://127.0.0.1:${await listen(server, port)}`;
  const say = (message: object): Promise<void> =>
    new Promise((done, fail) =>
      aedes.publish(
        {
          cmd: 'publish',
          topic: 'ota/v1/D/job',
          payload: JSON.stringify(message),
          qos: 1,
          retain: false,
          dup: false,
        },
        (error) => (error ? fail(error) : done()),
      ),
    );
  const states = (): unknown[] =>
    heard.filter(({ topic }) => topic === 'ota/v1/D/status').map(({ message }) => message.state);
  const gets = (): unknown[] =>
    heard.filter(({ topic }) => topic === 'ota/v1/D/get').map(({ message }) => message.versions);
  return { aedes, url, say, states, gets, heard, close };
}

const mqttJob = (http: string, bytes: Uint8Array) => ({
  job: '7',
  component: 'APP',
  packageType: 'full',
  sourceVersion: null,
  targetVersion: '2.0.0',
  name: 'image.bin',
  url: `${http}/artifact`,
  sizeBytes: bytes.length,
  sha256: hash(bytes),
});

test('a device on the broker says what it runs, does its job once and says so each time', async () => {
  const { http, log, state } = await ddiServer();
  state.job = { id: '7', bytes: target, packageType: 'full' };
  const { url, say, states, gets } = await broker();
  await runFleet('mqtt', { http, mqtt: url });
  await until(() => gets().length === 1, Boolean);
  await say({ job: null });
  await Promise.all([say(mqttJob(http, target)), say(mqttJob(http, target))]);
  await until(() => gets().length === 2, Boolean);
  await say(mqttJob(http, target));
  await until(() => gets().length === 3, Boolean);
  expect(states()).toEqual([
    'DOWNLOADING',
    'DOWNLOADED',
    'VERIFIED',
    'UPDATING',
    'SUCCEEDED',
    'SUCCEEDED',
  ]);
  expect(gets()).toEqual([{ APP: '1.0.0' }, { APP: '2.0.0' }, { APP: '2.0.0' }]);
  expect(count(log, 'GET artifact')).toBe(1);
});

test('a device comes back to a broker that was away, and asks again', async () => {
  const { http, state } = await ddiServer();
  state.job = { id: '7', bytes: target, packageType: 'full' };
  const first = await broker();
  await runFleet('mqtt', { http, mqtt: first.url });
  await until(() => first.gets().length === 1, Boolean);
  first.close();
  await new Promise((done) => setTimeout(done, 1200));
  const second = await broker(Number(new URL(first.url).port));
  await until(() => second.gets().length === 1, Boolean);
  await second.say(mqttJob(http, target));
  await until(() => second.gets().length === 2, Boolean);
  expect(second.states().at(-1)).toBe('SUCCEEDED');
});

test('what is no job is passed over', async () => {
  const { http, state } = await ddiServer();
  state.job = { id: '7', bytes: target, packageType: 'full' };
  const { url, say, gets } = await broker();
  const { troubles } = await runFleet('mqtt', { http, mqtt: url });
  await until(() => gets().length === 1, Boolean);
  await say({ job: '6', url: 'file:///etc/passwd' });
  await say(mqttJob(http, target));
  await until(() => gets().length === 2, Boolean);
  expect(troubles).not.toEqual([]);
});

test('a refused login is tried again, not forgotten', async () => {
  const { url, aedes, gets } = await broker();
  let refusals = 0;
  aedes.authenticate = (_client, username, password, done) => {
    expect([username, password?.toString()]).toEqual(['D', 's']);
    if (refusals++ < 2) done(Object.assign(new Error('no'), { returnCode: 4 }), null);
    else done(null, true);
  };
  await runFleet('mqtt', { http: 'http://127.0.0.1:9', mqtt: url });
  expect(refusals).toBe(3);
  await until(() => gets().length === 1, Boolean);
});
