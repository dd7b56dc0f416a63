import { createHmac } from 'node:crypto';
import { type IncomingMessage, type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makePlan, until } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

interface Received {
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let cloud: TestCloud;
let receiver: Server;
let url: string;
let received: Received[] = [];
let answerWith = 204;

beforeEach(async () => {
  received = [];
  answerWith = 204;
  receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      received.push({ headers: request.headers, body });
      response.writeHead(answerWith).end();
    });
  });
  await new Promise<void>((done) => receiver.listen(0, '127.0.0.1', done));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
  cloud = await TestCloud.start();
});
afterEach(async () => {
  await cloud.stop();
  receiver.closeAllConnections();
  await new Promise((done) => receiver.close(done));
});

const events = (): Record<string, unknown>[] =>
  received.map(({ body }) => JSON.parse(body) as Record<string, unknown>);
const add = (deviceFailures = false): Promise<{ id: string; secret: string }> =>
  cloud.operator.call('POST', '/webhooks', { url, deviceFailures });

test('states of a plan are told in order, signed, with the counts of its devices', async () => {
  const { secret } = await add();
  await cloud.http('dev-1');
  const plan = await cloud.publishFull({ name: 'Spring' });
  await cloud.operator.control(plan.id, 'suspend');
  await cloud.operator.control(plan.id, 'resume');
  await cloud.operator.control(plan.id, 'terminate');
  await until(
    () => received.length,
    (count) => count === 4,
  );
  expect(events().map(({ from, to }) => [from, to])).toEqual([
    [null, 'activated'],
    ['activated', 'suspended'],
    ['suspended', 'activated'],
    ['activated', 'terminated'],
  ]);
  expect(events()[0]).toMatchObject({
    event: 'plan.state',
    planId: plan.id,
    planName: 'Spring',
    productId: 'SENSOR',
  });
  for (const { headers, body } of received) {
    const expected = createHmac('sha256', secret).update(body).digest('hex');
    expect(headers['x-slipway-signature']).toBe(`sha256=${expected}`);
    expect(headers['x-slipway-event']).toBe('plan.state');
  }
  expect(new Set(events().map(({ id }) => id)).size).toBe(4);
});

test('failed devices are told to whom asks for it', async () => {
  await add(true);
  const device = await cloud.http('dev-1');
  const plan = await cloud.publishFull({ retries: 0 });
  const { href } = await device.begin();
  await device.feedback(href, 'closed', 'failure');
  await until(() => events().some(({ event }) => event === 'device.failed'), Boolean);
  expect(events().find(({ event }) => event === 'device.failed')).toMatchObject({
    planId: plan.id,
    deviceId: 'dev-1',
    code: expect.any(String),
  });
});

test('what a receiver does not take waits, also over a restart of the cloud, and keeps its id', async () => {
  answerWith = 500;
  const { id } = await add();
  await cloud.http('dev-1');
  await cloud.publishFull();
  await until(
    () => received.length,
    (count) => count > 0,
  );
  const hooks = await until(
    async () => (await cloud.operator.call<{ items: object[] }>('GET', '/webhooks')).items,
    ([hook]) => hook !== undefined && 'lastError' in hook && hook.lastError !== null,
  );
  expect(hooks).toMatchObject([{ id, waiting: 1, lastError: 'It answered with status 500.' }]);
  await cloud.close();
  answerWith = 204;
  await cloud.reopen();
  await until(
    () => received.length,
    (count) => count > 1,
    15_000,
  );
  expect(events().at(-1)).toEqual(events()[0]);
  await cloud.operator.call('DELETE', `/webhooks/${id}`);
  await cloud.operator.publish(makePlan(await cloud.operator.putPackage(Buffer.from('other'))));
  expect((await cloud.operator.call<{ items: object[] }>('GET', '/webhooks')).items).toEqual([]);
}, 30_000);

test('an address that is none is refused', async () => {
  for (const wrong of ['ftp://example.org/x', 'nothing', ''])
    await expect(cloud.operator.call('POST', '/webhooks', { url: wrong })).rejects.toMatchObject({
      status: 400,
    });
});
