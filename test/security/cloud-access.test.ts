import { type MqttClient, connectAsync } from 'mqtt';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { type Socket, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { EmbeddedBroker } from '../../electron/cloud/mqtt/broker.ts';
import { Complaints } from '../../electron/cloud/complaints.ts';
import { type RunningCloud, createCloud } from '../../electron/cloud/ota-cloud.ts';
import { loadTlsIdentity } from '../../electron/cloud/tls-identity.ts';
import { TestAuthority } from '../support/certificates.ts';
import { loopbackOptions, Operator, makeDevice, makePlan, until } from '../support/cloud.ts';
import { HandHttpDevice, HandMqttDevice } from '../support/hand-devices.ts';

let folder: string;
let cloud: RunningCloud;
let operator: Operator;
let secrets: Record<string, string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-access-'));
  const options = loopbackOptions(folder);
  cloud = await createCloud(options);
  operator = new Operator(cloud.http, cloud.token);
  secrets = await operator.putDevices([makeDevice('dev-1'), makeDevice('dev-2')]);
});
afterEach(async () => {
  await cloud.close();
  await rm(folder, { recursive: true, force: true });
});

test('nothing of the operator API answers without the token', async () => {
  const calls: [string, string][] = [
    ['GET', '/info'],
    ['PUT', '/products/X'],
    ['GET', '/devices?productId=SENSOR'],
    ['PUT', '/devices'],
    ['POST', '/devices/remove'],
    ['PUT', '/packages/p'],
    ['PUT', '/packages/p/artifact'],
    ['PUT', '/plans/p'],
    ['GET', '/plans/p'],
    ['GET', '/plans/p/devices'],
    ['GET', '/plans/p/history'],
    ...(['suspend', 'resume', 'terminate'] as const).map((control): [string, string] => [
      'POST',
      `/plans/p/${control}`,
    ]),
  ];
  for (const token of ['', 'wrong', `${cloud.token}x`, secrets['dev-1'] ?? ''])
    for (const [method, path] of calls)
      await expect(new Operator(cloud.http, token).call(method, path)).rejects.toMatchObject({
        status: 401,
      });
  expect((await stat(join(folder, 'operator-token'))).mode & 0o077).toBe(0);
});

test('ids that mean something else in objects and addresses are no device ids', async () => {
  for (const id of ['__proto__', '.', '..', '', 'a/b', 'x'.repeat(129)])
    await expect(operator.putDevices([makeDevice(id)])).rejects.toMatchObject({ status: 400 });
  const product = operator.call('PUT', '/products/__proto__', { name: 'x' });
  await expect(product).rejects.toMatchObject({ status: 400 });
  const odd = ['toString', 'constructor', '...', '__proto'];
  const given = await operator.putDevices(odd.map((id) => makeDevice(id)));
  expect(Object.keys(given).toSorted()).toEqual(odd.toSorted());
});

test('an address that cannot be read is answered like every other mistake', async () => {
  const answer = await fetch(`${cloud.http}/%ff%zz`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { code: 'invalid-request' } });
});

test('a device answers for itself only, over HTTP', async () => {
  const plan = makePlan(await operator.putPackage(randomBytes(100)));
  await operator.publish(plan);
  const { href, artifact } = await new HandHttpDevice(
    cloud.http,
    'dev-1',
    secrets['dev-1'] ?? '',
  ).begin();
  const short = `${cloud.http}/a/1`;
  for (const [id, secret] of [
    ['dev-1', 'wrong'],
    ['dev-1', secrets['dev-2']],
    ['unknown', secrets['dev-1']],
    ['dev-1', cloud.token],
    ['dev-1', ''],
  ] as const) {
    const other = new HandHttpDevice(cloud.http, id, secret ?? '');
    expect((await other.ask('GET', '')).status).toBe(401);
    expect((await other.ask('GET', href.replace('dev-1', id))).status).toBe(401);
    expect((await other.ask('GET', artifact.replace('dev-1', id))).status).toBe(401);
    if (id === 'dev-1') expect((await other.ask('GET', short)).status).toBe(401);
    expect(await other.feedback(href.replace('dev-1', id), 'closed', 'success')).toBe(401);
    expect(await other.runs('1.1.0')).toBe(401);
  }
  const second = new HandHttpDevice(cloud.http, 'dev-2', secrets['dev-2'] ?? '');
  expect((await second.ask('GET', href.replace('dev-1', 'dev-2'))).status).toBe(404);
  expect((await second.ask('GET', artifact.replace('dev-1', 'dev-2'))).status).toBe(404);
  expect((await second.ask('GET', `${cloud.http}/a/999`)).status).toBe(401);
  expect(await second.feedback(href.replace('dev-1', 'dev-2'), 'closed', 'success')).toBe(404);
});

const mqttLogin = (id: string, secret: string | undefined, clientId = id) =>
  connectAsync(cloud.mqtt, { clientId, username: id, password: secret ?? '', reconnectPeriod: 0 });

test('the broker refuses wrong secrets and unknown devices', async () => {
  for (const [id, secret] of [
    ['dev-1', 'wrong'],
    ['dev-1', secrets['dev-2']],
    ['dev-1', ''],
    ['unknown', secrets['dev-1']],
    ['', ''],
  ] as const)
    await expect(mqttLogin(id, secret, 'any')).rejects.toMatchObject({ code: 4 });
});

test("a device that publishes to another one's topic is closed, and nothing of it arrives", async () => {
  const plan = makePlan(await operator.putPackage(randomBytes(100)));
  await operator.publish(plan);
  for (const topic of ['ota/v1/dev-2/get', 'ota/v1/dev-2/status', 'ota/v1/dev-2/job', '$SYS/x']) {
    const client = await mqttLogin('dev-1', secrets['dev-1']);
    const closed = closing(client);
    client.publish(topic, '{"versions":{"APP":"1.1.0"}}', { qos: 0 });
    await closed;
  }
  await sleep(100);
  expect((await operator.status(plan.id)).counts).toMatchObject({ notUpgraded: 2 });
});

test("a device cannot listen to others, nor take another one's client id", async () => {
  const device = await HandMqttDevice.connect(cloud.mqtt, 'dev-1', secrets['dev-1'] ?? '');
  for (const filter of ['ota/v1/dev-2/job', 'ota/v1/+/job', '#', '$SYS/#'])
    await expect(device.client.subscribeAsync(filter, { qos: 1 })).rejects.toThrow();
  await expect(mqttLogin('dev-2', secrets['dev-2'], 'dev-1')).rejects.toMatchObject({ code: 2 });
  expect(device.client.connected).toBe(true);
  const again = await mqttLogin('dev-1', secrets['dev-1'], 'dev-1');
  await until(
    () => device.client.connected,
    (connected) => !connected,
  );
  await again.endAsync(true);
  await device.close();
});

test('a new secret, and a removal, end what the device is connected with', async () => {
  const connect = (id: string) => HandMqttDevice.connect(cloud.mqtt, id, secrets[id] ?? '');
  const [first, other] = [await connect('dev-1'), await connect('dev-2')];
  const closed = closing(first.client);
  const devices = [makeDevice('dev-1', { batch: 'b' })];
  const again = await operator.call<{ secrets: Record<string, string> }>('PUT', '/devices', {
    devices,
    rotate: true,
  });
  await closed;
  await expect(connect('dev-1')).rejects.toThrow();
  secrets = { ...secrets, ...again.secrets };
  const second = await connect('dev-1');
  expect(other.client.connected).toBe(true);

  const gone = closing(second.client);
  const removal = { productId: 'SENSOR', batch: 'b', keep: [] };
  expect(await operator.call('POST', '/devices/remove', removal)).toEqual({ removed: 1 });
  await gone;
  await expect(connect('dev-1')).rejects.toThrow();
  const http = new HandHttpDevice(cloud.http, 'dev-1', secrets['dev-1'] ?? '');
  expect((await http.ask('GET', '')).status).toBe(401);
  expect(other.client.connected).toBe(true);
  await other.close();
});

test('sessions and retained messages are not kept', async () => {
  const keep = { clientId: 'dev-1', clean: false, reconnectPeriod: 0 };
  const login = { username: 'dev-1', password: secrets['dev-1'] ?? '' };
  const first = await connectAsync(cloud.mqtt, { ...keep, ...login });
  await first.subscribeAsync('ota/v1/dev-1/#', { qos: 1 });
  await first.publishAsync('ota/v1/dev-1/status', 'kept?', { qos: 1, retain: true });
  await first.endAsync();
  await operator.publish(makePlan(await operator.putPackage(randomBytes(100))));
  const second = await connectAsync(cloud.mqtt, { ...keep, ...login });
  const messages: string[] = [];
  second.on('message', (_topic, payload) => messages.push(payload.toString()));
  await sleep(200);
  expect(messages).toEqual([]);
  await second.subscribeAsync('ota/v1/dev-1/status', { qos: 1 });
  await sleep(100);
  expect(messages).toEqual([]);
  await second.endAsync(true);
});

/** Resolves when a connection is closed, errors or not. */
const closing = (connection: Socket | MqttClient) =>
  new Promise<void>((done) => void connection.on('error', () => undefined).once('close', done));

test('a packet of more than 64 KiB closes the connection when it is announced, before any login', async () => {
  const { hostname, port } = new URL(cloud.mqtt);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
  await closing(socket);

  const client = await mqttLogin('dev-1', secrets['dev-1']);
  await client.publishAsync('ota/v1/dev-1/get', Buffer.alloc(65_000, ' '), { qos: 1 });
  const closed = closing(client);
  client.publish('ota/v1/dev-1/get', Buffer.alloc(66_000, ' '), { qos: 0 });
  await closed;
});

test.each(['mqtt', 'mqtts'])(
  'over %s, a device that stops reading is closed and does not hold the others up',
  async (scheme) => {
    const authority = await TestAuthority.make(folder);
    const broker = await EmbeddedBroker.start({
      host: '127.0.0.1',
      port: 0,
      authenticate: () => true,
      complaints: new Complaints('mqtt', () => undefined),
      tls: scheme === 'mqtts' ? await loadTlsIdentity(await authority.issue('cloud')) : null,
    });
    broker.open(() => Promise.resolve());
    const url = `${scheme}://127.0.0.1:${broker.port}`;
    const ca = await readFile(authority.caPath);
    const enter = (username: string): Promise<MqttClient> =>
      connectAsync(url, { clientId: username, username, password: 'x', reconnectPeriod: 0, ca });
    const [frozen, healthy] = [await enter('frozen'), await enter('healthy')];
    try {
      let received = 0;
      let longestGapMs = 0;
      let lastMs = Date.now();
      healthy.on('message', () => {
        received++;
        longestGapMs = Math.max(longestGapMs, Date.now() - lastMs);
        lastMs = Date.now();
      });
      for (const client of [frozen, healthy])
        await client.subscribeAsync(`ota/v1/${client.options.clientId}/job`, { qos: 1 });
      (frozen.stream as unknown as Socket).pause();
      lastMs = Date.now();
      const filler = ' '.repeat(60_000);
      for (let count = 0; count < 200; count++) {
        await broker.publish('ota/v1/frozen/job', filler);
        await broker.publish('ota/v1/healthy/job', 'x');
      }
      await until(
        () => received,
        (count) => count === 200,
      );
      expect(longestGapMs).toBeLessThan(1500);
      expect(broker.isReachable('frozen')).toBe(false);
      expect(broker.isReachable('healthy')).toBe(true);
    } finally {
      for (const client of [frozen, healthy]) await client.endAsync(true);
      await broker.close();
    }
  },
);

test('a message that cannot be stored is not acknowledged', async () => {
  const complained: string[] = [];
  const broker = await EmbeddedBroker.start({
    host: '127.0.0.1',
    port: 0,
    authenticate: () => true,
    complaints: new Complaints('mqtt', (line) => complained.push(line)),
    tls: null,
  });
  broker.open(() => Promise.reject(new Error('the disk is full')));
  try {
    const url = `mqtt://127.0.0.1:${broker.port}`;
    const client = await connectAsync(url, { username: 'dev-1', reconnectPeriod: 0 });
    const acknowledged = vi.fn();
    const closed = closing(client);
    client.publish('ota/v1/dev-1/status', '{}', { qos: 1 }, (error) => error ?? acknowledged());
    await closed;
    expect(acknowledged).not.toHaveBeenCalled();
    expect(complained).toEqual(['mqtt: dev-1: the disk is full\n']);
    await client.endAsync(true);
  } finally {
    await broker.close();
  }
});

test('devices are let in only when there is someone to hear them', async () => {
  const broker = await EmbeddedBroker.start({
    host: '127.0.0.1',
    port: 0,
    authenticate: () => true,
    complaints: new Complaints('mqtt', () => undefined),
    tls: null,
  });
  const connecting = connectAsync(`mqtt://127.0.0.1:${broker.port}`, { username: 'dev-1' });
  await sleep(100);
  expect(broker.isReachable('dev-1')).toBe(false);
  broker.open(() => Promise.resolve());
  const client = await connecting;
  expect(broker.isReachable('dev-1')).toBe(true);
  await client.endAsync(true);
  await broker.close();
});
