import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { feedbackUrl } from '../../electron/boards/fleet/ddi-device.ts';
import type { CloudOptions } from '../../electron/cloud/ota-cloud.ts';
import { makeDevice, makePlan, until } from '../support/cloud.ts';
import { TestCloud } from '../support/test-cloud.ts';

const gatewayToken = 'g'.repeat(32);
let cloud: TestCloud;
const start = async (ddi: CloudOptions['ddi'] = { proof: 'version', gatewayToken: null }) => {
  cloud = await TestCloud.start(0, null, { ddi });
  await cloud.addDevices(makeDevice('dev-1', { transport: 'http' }), makeDevice('dev-2'));
};
beforeEach(() => start());
afterEach(() => cloud.stop());

interface Poll {
  readonly _links: Record<string, { readonly href: string } | undefined>;
}

/** Asks as dev-1 unless the headers say otherwise; what comes back as text. */
async function ask(
  path: string,
  init: {
    method?: string;
    headers?: Record<string, string>;
    body?: string | object;
  } = {},
): Promise<{ status: number; type: string; text: string }> {
  const { body } = init;
  const answer = await fetch(path.startsWith('http') ? path : `${cloud.running.http}${path}`, {
    method: init.method ?? 'GET',
    headers: {
      authorization: `TargetToken ${cloud.secretOf('dev-1')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...init.headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const type = answer.headers.get('content-type') ?? '';
  return { status: answer.status, type, text: await answer.text() };
}

const linksOf = async (path: string) => (JSON.parse((await ask(path)).text) as Poll)._links;
const base = '/default/controller/v1/dev-1';
const configData = (body: object, device = base) =>
  ask(`${device}/configData`, { method: 'PUT', body });
const versions = async (id = 'dev-1') => {
  const { items } = await cloud.operator.call<{
    items: { id: string; versions: Record<string, string> }[];
  }>('GET', '/devices?productId=SENSOR&offset=0&limit=10');
  return items.find((device) => device.id === id)?.versions;
};

test('the tenant is written in capitals as well, and every link keeps it as the client wrote it', async () => {
  await cloud.publishFull();
  const { deploymentBase } = await linksOf('/DEFAULT/controller/v1/dev-1');
  expect(deploymentBase?.href).toContain('/DEFAULT/controller/v1/dev-1/deploymentBase/');
  const job = await ask(deploymentBase?.href ?? '');
  expect(job.status).toBe(200);
  const [artifact] = /http[^"]*image\.bin(?=")/.exec(job.text) ?? [];
  expect(artifact).toContain('/DEFAULT/');
  expect((await ask(artifact ?? '')).status).toBe(200);
  expect((await ask('/other/controller/v1/dev-1')).status).toBe(404);
});

test('links to a job carry the content parameter that clients cut them at, and feedback goes below the path', async () => {
  await cloud.publishFull();
  const { deploymentBase } = await linksOf(base);
  const href = deploymentBase?.href ?? '';
  expect(href).toMatch(/\/deploymentBase\/\d+\?c=.+$/);
  const status = { execution: 'proceeding', result: { finished: 'none', progress: {} } };
  const sent = { id: '1', time: '20261123T123218', status: { ...status, details: [] } };
  expect((await ask(feedbackUrl(href), { method: 'POST', body: sent })).status).toBe(200);
});

test.each([
  ['no mode', { data: { 'version.APP': '1.0.9' } }],
  ['a mode of null', { mode: null, data: { 'version.APP': '1.0.9' } }],
  ['numbers, flags and null', { data: { 'version.APP': '1.0.9', battery: 80, a: true, b: null } }],
  [
    'the status of older clients',
    {
      id: '',
      time: '20261123T123218',
      status: { result: { finished: 'success' }, execution: 'closed', details: [] },
      data: { 'version.APP': '1.0.9' },
    },
  ],
])('configData is taken with %s', async (_what, body) => {
  expect(await configData(body)).toMatchObject({ status: 200 });
  expect(await versions()).toEqual({ APP: '1.0.9' });
});

test('configData that removes names what to remove by null, and takes no version for said', async () => {
  expect(await configData({ mode: 'remove', data: { 'version.APP': null } })).toMatchObject({
    status: 200,
  });
  expect(await versions()).toEqual({ APP: '1.0.0' });
  expect((await configData({ mode: 'merge', data: { deep: { er: 1 } } })).status).toBe(400);
});

test('HAL is answered to who asks for HAL, JSON to everyone else', async () => {
  const type = async (accept: string) => (await ask(base, { headers: { accept } })).type;
  expect(await type('application/hal+json')).toBe('application/hal+json');
  expect(await type('application/json')).toContain('application/json');
  expect(await type('*/*')).toContain('application/json');
});

test('a POST that names JSON and sends nothing is one without a body', async () => {
  const path = `${base}/confirmationBase/activateAutoConfirm`;
  expect(await ask(path, { method: 'POST', body: '' })).toMatchObject({ status: 200 });
  expect((await ask(path, { method: 'POST', body: '{' })).status).toBe(400);
  expect((await ask(`${base}/configData`, { method: 'PUT', body: '' })).status).toBe(400);
});

test('the files of a module are listed, each with its MD5 apart', async () => {
  const plan = await cloud.publishFull();
  const [device] = await cloud.operator.devices(plan.id);
  expect(device?.deviceId).toBe('dev-1');
  const { deploymentBase } = await linksOf(base);
  const { deployment } = JSON.parse((await ask(deploymentBase?.href ?? '')).text) as {
    deployment: { chunks: [{ artifacts: [{ hashes: { md5: string }; _links: Poll['_links'] }] }] };
  };
  const [artifact] = deployment.chunks[0].artifacts;
  const { href } = artifact._links.md5sum ?? { href: '' };
  expect(await ask(href)).toMatchObject({ text: `${artifact.hashes.md5}  image.bin\n` });
  const list = href.slice(0, href.lastIndexOf('/'));
  expect(JSON.parse((await ask(list)).text)).toEqual([artifact]);
  // Not for a device that has no job with it.
  await cloud.addDevices(makeDevice('dev-3', { transport: 'http', versions: { APP: '1.1.0' } }));
  const stranger = { authorization: `TargetToken ${cloud.secretOf('dev-3')}` };
  for (const path of [list, href])
    expect((await ask(path.replace('dev-1', 'dev-3'), { headers: stranger })).status).toBe(404);
});

test('a gateway speaks for every device that uses HTTP, and for no other', async () => {
  const headers = { authorization: `GatewayToken ${gatewayToken}` };
  expect((await ask(base, { headers })).status).toBe(401);
  await cloud.stop();
  await start({ proof: 'version', gatewayToken });
  expect((await ask(base, { headers })).status).toBe(200);
  expect((await ask('/default/controller/v1/dev-2', { headers })).status).toBe(401);
  expect((await ask('/default/controller/v1/nobody', { headers })).status).toBe(401);
  for (const wrong of [`GatewayToken ${gatewayToken}x`, `TargetToken ${gatewayToken}`])
    expect((await ask(base, { headers: { authorization: wrong } })).status).toBe(401);
});

test('a device that never says its version has succeeded by its word when the cloud is told to take it', async () => {
  await cloud.stop();
  await start({ proof: 'result', gatewayToken: null });
  const plan = makePlan(await cloud.operator.putPackage(randomBytes(100)), {
    whitelist: ['dev-1'],
  });
  await cloud.operator.publish(plan);
  const { deploymentBase } = await linksOf(base);
  const status = { execution: 'closed', result: { finished: 'success' }, details: [] };
  await ask(feedbackUrl(deploymentBase?.href ?? ''), { method: 'POST', body: { status } });
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (device) => device?.state === 'upgraded',
  );
  expect(await versions()).toEqual({ APP: '1.1.0' });
});
