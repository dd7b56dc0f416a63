import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { makeDevice, makePlan, until } from '../support/cloud.ts';
import { peer, pythonPeer } from '../support/peers.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
let folder: string;
let child: ChildProcess | null = null;
beforeEach(async () => {
  cloud = await TestCloud.start();
  folder = await mkdtemp(join(tmpdir(), 'slipway-coap-'));
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = null;
  await cloud.stop();
  await rm(folder, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test.each([
  [1024, 100_000],
  [64, 5000],
  [256, 256],
])('libcoap downloads an artifact in blocks of %i bytes', async (blockBytes, sizeBytes) => {
  const device = await cloud.lwm2m('dev-1');
  await device.register();
  const image = randomBytes(sizeBytes);
  const plan = makePlan(await cloud.operator.putPackage(image));
  await cloud.operator.publish(plan);
  const uri = await until(
    () => device.resources.get('5/0/1') ?? '',
    (found) => found !== '',
  );
  const out = join(folder, 'image.bin');
  const args = ['-m', 'get', '-b', String(blockBytes), '-o', out, uri];
  const { stderr } = await peer('coap-client-notls', args, 'libcoap3-bin');
  expect(stderr).toBe('');
  expect(sha256(await readFile(out))).toBe(sha256(image));
});

test('a device on aiocoap registers, pulls, updates and proves its new version', async () => {
  // Says how to install it, when it is missing.
  expect((await pythonPeer('python', ['-c', 'import aiocoap'])).code).toBe(0);
  await cloud.addDevices(makeDevice('aiocoap-1', { transport: 'lwm2m' }));
  const script = ['test/support/lwm2m_device.py', cloud.running.coap ?? '', 'aiocoap-1', '1.0.0'];
  let said = '';
  child = spawn('.peers/python/bin/python', script, { stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => {
      said += text.toString();
    });
  await until(
    () => said,
    (text) => text.includes('registered 2.01 rd/'),
  );
  const image = randomBytes(70_000);
  const plan = makePlan(await cloud.operator.putPackage(image));
  await cloud.operator.publish(plan);
  const done = await until(
    () => cloud.deviceOf(plan, 'aiocoap-1'),
    (found) => found?.state === 'upgraded' || found?.state === 'failed',
  );
  expect(done, said).toMatchObject({ state: 'upgraded', attempts: 1, error: null });
  expect(said).toContain(`downloaded 2.05 ${sha256(image)}`);
});
