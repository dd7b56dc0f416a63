import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { componentId, makeDevice, makePlan, until } from '../support/cloud.ts';
import { MqttDevice, makeGate } from '../support/devices.ts';
import type { JobMessage } from '../support/hand-devices.ts';
import { MosquittoBroker, MosquittoSub, peer } from '../support/peers.ts';
import { TestCloud } from '../support/test-cloud.ts';

const image = Buffer.alloc(50_000, 'image');
const cloudLogin = { username: 'slipway', password: 'of the cloud' };
let cloud: TestCloud;
let broker: MosquittoBroker | null = null;
const ears: MosquittoSub[] = [];

beforeEach(async () => {
  broker = null;
});
afterEach(async () => {
  for (const ear of ears.splice(0)) await ear.stop();
  await cloud.stop();
  await broker?.stop();
});

/** A device made of mosquitto's clients and curl. */
class MosquittoDevice {
  readonly ear: MosquittoSub;
  readonly #id: string;
  readonly #args: readonly string[];

  constructor(id: string, password: string, version: string) {
    const { hostname, port } = new URL(cloud.running.mqtt);
    this.#id = id;
    this.#args = ['-V', version, '-h', hostname, '-p', port, '-u', id, '-P', password, '-q', '1'];
    this.ear = new MosquittoSub([...this.#args, '-t', `ota/v1/${id}/job`]);
    ears.push(this.ear);
  }

  get jobs(): JobMessage[] {
    return this.ear.lines.map((line) => JSON.parse(line) as JobMessage);
  }

  say(kind: 'get' | 'status', body: object, id = this.#id) {
    const message = ['-t', `ota/v1/${id}/${kind}`, '-m', JSON.stringify(body)];
    return peer('mosquitto_pub', [...this.#args, ...message], 'mosquitto-clients');
  }

  /** Asks until it is answered: mosquitto_sub does not say when it has subscribed. */
  async hello(version: string): Promise<JobMessage> {
    const before = this.jobs.length;
    await until(
      async () => {
        await this.say('get', { versions: { [componentId]: version } });
        return this.jobs.length;
      },
      (count) => count > before,
    );
    const last = this.jobs.at(-1);
    if (!last) throw new Error('no answer');
    return last;
  }

  async upgrade(job: JobMessage, secret: string): Promise<void> {
    await this.say('status', { job: job.job, state: 'DOWNLOADING', progress: 0 });
    const out = join(cloud.folder, `${this.#id}.bin`);
    const token = `Authorization: TargetToken ${secret}`;
    expect((await peer('curl', ['-sSf', '-H', token, '-o', out, job.url])).code).toBe(0);
    const sha256 = createHash('sha256')
      .update(await readFile(out))
      .digest('hex');
    expect(sha256).toBe(job.sha256);
    for (const state of ['DOWNLOADED', 'VERIFIED', 'UPDATING'])
      expect((await this.say('status', { job: job.job, state })).code).toBe(0);
    await this.say('status', { job: job.job, state: 'SUCCEEDED', version: job.targetVersion });
  }
}

async function publish(): Promise<string> {
  const plan = makePlan(await cloud.operator.putPackage(image));
  await cloud.operator.publish(plan);
  return plan.id;
}

const ended = (planId: string) =>
  until(
    () => cloud.operator.status(planId),
    ({ state }) => state === 'ended',
  );

test('mosquitto_pub and mosquitto_sub go through a whole upgrade on the embedded broker', async () => {
  cloud = await TestCloud.start();
  await cloud.addDevices(makeDevice('dev-1'), makeDevice('dev-2'));
  const secret = cloud.secretOf('dev-1');
  const device = new MosquittoDevice('dev-1', secret, '311');
  expect(await device.hello('1.0.0')).toEqual({ job: null });
  const planId = await publish();
  const job = await until(
    () => device.jobs.at(-1),
    (last) => last !== undefined && last.job !== null,
  );
  if (!job) throw new Error('no job');
  await device.upgrade(job, secret);
  const found = await until(
    () => cloud.operator.status(planId),
    ({ counts }) => counts.upgraded === 1,
  );
  expect(found.counts.notUpgraded).toBe(1);
  expect(await device.hello('1.1.0')).toEqual({ job: null });
});

test('the embedded broker refuses a wrong password, other topics and MQTT 5', async () => {
  cloud = await TestCloud.start();
  await cloud.addDevices(makeDevice('dev-1'), makeDevice('dev-2'));
  const wrong = new MosquittoDevice('dev-1', 'wrong', '311');
  const refused = await wrong.say('get', { versions: {} });
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/bad user name or password/i);
  const planId = await publish();
  const device = new MosquittoDevice('dev-1', cloud.secretOf('dev-1'), '311');
  const stolen = await device.say('get', { versions: { [componentId]: '1.1.0' } }, 'dev-2');
  expect(stolen.code).not.toBe(0);
  expect((await cloud.operator.status(planId)).counts.notUpgraded).toBe(2);
  const { hostname, port } = new URL(cloud.running.mqtt);
  const login = ['-h', hostname, '-p', port, '-u', 'dev-1', '-P', cloud.secretOf('dev-1')];
  const spy = new MosquittoSub(['-V', '311', ...login, '-t', 'ota/v1/dev-2/job']);
  ears.push(spy);
  await until(
    () => spy.stderr,
    (text) => /denied/i.test(text),
  );
  const five = await peer('mosquitto_pub', ['-V', 'mqttv5', ...login, '-t', 'x', '-m', 'x']);
  expect(five.stderr).toMatch(/protocol version/i);
});

test.each(['311', 'mqttv5'])(
  'the same upgrade over a mosquitto broker, MQTT %s',
  async (version) => {
    broker = await MosquittoBroker.start({
      [cloudLogin.username]: cloudLogin.password,
      'dev-1': 'of device 1',
    });
    cloud = await TestCloud.start(broker.url, cloudLogin);
    expect(cloud.running.mqtt).toBe(broker.url);
    await cloud.addDevices(makeDevice('dev-1'));
    const device = new MosquittoDevice('dev-1', 'of device 1', version);
    expect(await device.hello('1.0.0')).toEqual({ job: null });
    const planId = await publish();
    const job = await until(
      () => device.jobs.at(-1),
      (last) => last !== undefined && last.job !== null,
    );
    if (!job) throw new Error('no job');
    await device.upgrade(job, cloud.secretOf('dev-1'));
    expect((await ended(planId)).counts.upgraded).toBe(1);
  },
);

test('with a mosquitto broker, what devices say while the cloud is down arrives afterwards, and those that stayed are told again', async () => {
  broker = await MosquittoBroker.start({
    [cloudLogin.username]: cloudLogin.password,
    'dev-1': 'of device 1',
    'dev-2': 'of device 2',
  });
  cloud = await TestCloud.start(broker.url, cloudLogin);
  await cloud.addDevices(makeDevice('dev-1'), makeDevice('dev-2'));
  const [first, second] = [
    new MosquittoDevice('dev-1', 'of device 1', '311'),
    new MosquittoDevice('dev-2', 'of device 2', 'mqttv5'),
  ];
  await first.hello('1.0.0');
  await second.hello('1.0.0');
  const planId = await publish();
  const job = await until(
    () => first.jobs.at(-1),
    (last) => last !== undefined && last.job !== null,
  );
  await until(
    () => second.jobs.at(-1),
    (last) => last !== undefined && last.job !== null,
  );
  await cloud.close();
  await first.say('status', { job: job?.job, state: 'SUCCEEDED', version: '1.1.0' });
  const before = second.jobs.length;
  await cloud.reopen();
  await until(
    () => cloud.operator.status(planId),
    ({ counts }) => counts.upgraded === 1 && counts.notUpgraded === 1,
  );
  await until(
    () => second.jobs.length,
    (count) => count > before,
  );
  expect(second.jobs.at(-1)).toMatchObject({ job: second.jobs[before - 1]?.job });
});

test('a mosquitto broker that crashes in the middle of a rollout and comes back forgets nothing that counts', async () => {
  const ids = Array.from({ length: 12 }, (_, index) => `dev-${index}`);
  const logins = Object.fromEntries(ids.map((id) => [id, `of ${id}`]));
  broker = await MosquittoBroker.start({ [cloudLogin.username]: cloudLogin.password, ...logins });
  cloud = await TestCloud.start(broker.url, cloudLogin);
  await cloud.addDevices(...ids.map((id) => makeDevice(id)));
  const gates = Array.from({ length: 3 }, makeGate);
  const devices = ids.map((id, index) => {
    const login = { id, secret: cloud.secretOf(id), brokerPassword: `of ${id}` };
    const { opened } = gates[index % 3] ?? makeGate();
    return new MqttDevice(broker?.url ?? '', login, '1.0.0', opened);
  });
  try {
    await Promise.all(devices.map((device) => device.start()));
    const planId = await publish();
    for (const [index, gate] of gates.entries()) {
      gate.open();
      await broker.crash();
      await until(
        () => cloud.operator.status(planId),
        ({ counts }) => counts.upgraded >= 4 * (index + 1),
        30_000,
      );
    }
    expect((await ended(planId)).counts).toMatchObject({ upgraded: 12, failed: 0 });
    for (const device of devices) expect(device.installed).toEqual(['1.1.0']);
  } finally {
    await Promise.all(devices.map((device) => device.stop()));
  }
}, 90_000);

test('a broker that is away, or refuses the login, is a clear error', async () => {
  broker = await MosquittoBroker.start({ [cloudLogin.username]: cloudLogin.password });
  const login = { ...cloudLogin, password: 'wrong' };
  await expect(TestCloud.start(broker.url, login)).rejects.toMatchObject({
    problem: { code: 'mqtt-unreachable', detail: expect.stringMatching(/not authorized/i) },
  });
  await expect(TestCloud.start('mqtt://127.0.0.1:1')).rejects.toMatchObject({
    problem: { code: 'mqtt-unreachable' },
  });
  cloud = await TestCloud.start();
});
