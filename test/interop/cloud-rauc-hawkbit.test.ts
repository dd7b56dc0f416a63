import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '../../electron/files/sha256.ts';
import { makeDevice, makePlan, until } from '../support/cloud.ts';
import { pythonPeer } from '../support/peers.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
let client: ChildProcess | null = null;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(async () => {
  client?.kill('SIGKILL');
  client = null;
  await cloud.stop();
});

test('a device on rauc-hawkbit polls as the tenant DEFAULT, installs, and is proven by its attributes', async () => {
  // Says how to install it, when it is missing.
  expect((await pythonPeer('python', ['-c', 'import rauc_hawkbit, aiohttp'])).code).toBe(0);
  await cloud.addDevices(makeDevice('dev-1', { transport: 'http' }));
  const image = randomBytes(300_000);
  const plan = makePlan(await cloud.operator.putPackage(image), { retries: 0 });
  await cloud.operator.publish(plan);
  const { host } = new URL(cloud.running.http);
  const device = [host, 'DEFAULT', 'dev-1', cloud.secretOf('dev-1'), join(cloud.folder, 'bundle')];
  client = spawn('.peers/python/bin/python', ['test/support/ddi_device.py', ...device]);
  let said = '';
  for (const stream of [client.stdout, client.stderr])
    stream?.on('data', (text: Buffer) => (said += text.toString()));
  const found = await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (one) => one?.state === 'upgraded' || one?.state === 'failed',
  );
  expect(found, said).toMatchObject({ state: 'upgraded', attempts: 1, error: null });
  expect(said).toContain(`installing ${sha256(image)}`);
});
