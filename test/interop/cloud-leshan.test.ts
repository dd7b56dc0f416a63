import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '../../electron/files/sha256.ts';
import { makeDevice, makePlan, until } from '../support/cloud.ts';
import { javaPeer } from '../support/peers.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
let client: ChildProcess | null = null;
let said = '';
beforeEach(async () => {
  cloud = await TestCloud.start();
  await cloud.addDevices(makeDevice('leshan-1', { transport: 'lwm2m' }));
});
afterEach(async () => {
  client?.kill('SIGKILL');
  client = null;
  await cloud.stop();
});

/** Starts the device and waits until it has registered. */
async function start(...options: string[]): Promise<void> {
  said = '';
  const device = [cloud.running.coap ?? '', 'leshan-1', '1.0.0'];
  const child = await javaPeer('leshan', 'LeshanDevice.java', [...device, ...options]);
  client = child;
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (text: Buffer) => (said += text.toString()));
  await until(
    () => said,
    (text) => text.includes('registered /rd/') || child.exitCode !== null,
    60_000,
  );
}

test.each([
  ['pulls over CoAP', ['delivery=0'], 'downloaded'],
  ['of LwM2M 1.0 pulls over HTTP', ['delivery=2', 'object=1.0', 'protocols=0,2'], 'downloaded'],
  ['in queue mode pulls in small blocks', ['delivery=0', 'block=64', 'queue=true'], 'downloaded'],
  ['takes a push in blocks of 16 bytes', ['delivery=1', 'block=16'], 'pushed'],
  ['that speaks nothing but SenML CBOR pulls', ['delivery=0', 'format=112'], 'downloaded'],
  ['that speaks nothing but SenML JSON takes a push', ['delivery=1', 'format=110'], 'pushed'],
])(
  'a Leshan client %s, updates, and is proven by its version',
  async (_what, options, verb) => {
    await start(...options);
    const image = randomBytes(20_001);
    const plan = makePlan(await cloud.operator.putPackage(image), { retries: 0 });
    await cloud.operator.publish(plan);
    const found = await until(
      () => cloud.deviceOf(plan, 'leshan-1'),
      (device) => device?.state === 'upgraded' || device?.state === 'failed',
      60_000,
    );
    expect(found, said).toMatchObject({ state: 'upgraded', attempts: 1, error: null });
    expect(said).toContain(`${verb} ${sha256(image)}`);
    expect(said).toMatch(/registered \/rd\/\w+ 1\.1\.0/);
  },
  150_000,
);
