import { randomBytes } from 'node:crypto';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256 } from '../../electron/files/sha256.ts';
import { componentId, makeDevice, makePlan, until } from '../support/cloud.ts';
import { peer } from '../support/peers.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
const clients: ChildProcess[] = [];
beforeEach(async () => {
  cloud = await TestCloud.start();
  await cloud.addDevices(makeDevice('dev-1', { transport: 'http' }));
});
afterEach(async () => {
  for (const client of clients.splice(0)) end(client);
  await cloud.stop();
});

/** swupdate works in several processes, which are of one group. */
function end(client: ChildProcess | undefined): void {
  if (client?.pid && client.exitCode === null) process.kill(-client.pid, 'SIGKILL');
}

const path = (name: string): string => join(cloud.folder, name);

/** A certificate that swupdate takes for signers, and its key. */
async function makeSigner(): Promise<void> {
  const words = 'req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=signer';
  const purpose = ['-addext', 'extendedKeyUsage=emailProtection'];
  const files = ['-keyout', path('signer.key'), '-out', path('signer.pem')];
  const made = await peer('openssl', [...words.split(' '), ...purpose, ...files]);
  if (made.code !== 0) throw new Error(made.stderr);
}

/** A signed update that writes the image to `installed`. */
async function makeSwu(image: Buffer, installed: string): Promise<Buffer> {
  await writeFile(path('app.bin'), image);
  await writeFile(
    path('sw-description'),
    `software = {
  version = "1.1.0";
  hardware-compatibility = [ "1.0" ];
  files: ( { filename = "app.bin"; path = "${installed}"; sha256 = "${sha256(image)}"; } );
};
`,
  );
  const signer = ['-signer', path('signer.pem'), '-inkey', path('signer.key')];
  const files = ['-in', path('sw-description'), '-out', path('sw-description.sig')];
  const signing = [
    'cms',
    '-sign',
    '-outform',
    'DER',
    '-nosmimecap',
    '-binary',
    ...signer,
    ...files,
  ];
  const signed = await peer('openssl', signing);
  if (signed.code !== 0) throw new Error(signed.stderr);
  const names = 'sw-description sw-description.sig app.bin';
  const packed = await peer('sh', [
    '-c',
    `cd "$1" && printf '%s\\n' ${names} | cpio --quiet -o -H crc > update.swu`,
    'sh',
    cloud.folder,
  ]);
  if (packed.code !== 0) throw new Error(`cpio is missing: apt-get install cpio\n${packed.stderr}`);
  return readFile(path('update.swu'));
}

/**
 * Runs swupdate as dev-1, which says that it runs `version`. Now and then, on a busy machine, its
 * poller wakes up for ever without asking anything; then it is started again.
 */
async function swupdate(version: string, ...more: string[]): Promise<() => string> {
  for (let start = 0; start < 5; start++) {
    const said = await startSwupdate(version, more);
    const endMs = Date.now() + 6000;
    const hasAsked = (): boolean => said().includes('effective URL');
    while (!hasAsked() && Date.now() < endMs) await new Promise((done) => setTimeout(done, 50));
    if (hasAsked() || clients.at(-1)?.exitCode !== null) return said;
    end(clients.pop());
  }
  throw new Error('swupdate never asked for anything');
}

async function startSwupdate(version: string, more: readonly string[]): Promise<() => string> {
  const config = path(`swupdate-${version}.cfg`);
  await writeFile(
    config,
    `globals : {};\nidentify : ( { name = "version.${componentId}"; value = "${version}"; } );\n`,
  );
  const server = ['-t', 'default', '-u', cloud.running.http, '-i', 'dev-1'];
  const suricatta = [...server, '-k', cloud.secretOf('dev-1'), '-p', '1', ...more].join(' ');
  const args = ['-v', '-f', config, '-H', 'board:1.0', '-k', path('signer.pem'), '-u', suricatta];
  const client = spawn('swupdate', args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: cloud.folder },
  });
  clients.push(client);
  let said = '';
  client.once('error', () => (said = 'swupdate is missing: apt-get install swupdate'));
  for (const stream of [client.stdout, client.stderr])
    stream.on('data', (text: Buffer) => (said += text.toString()));
  return () => said;
}

test('swupdate takes a signed update over DDI, installs it, and is proven by the version that it reports', async () => {
  await makeSigner();
  const image = randomBytes(200_000);
  const installed = path('installed.bin');
  const plan = makePlan(
    await cloud.operator.putPackage(await makeSwu(image, installed), {}, 'update.swu'),
  );
  await cloud.operator.publish(plan);

  const said = await swupdate('1.0.0');
  await until(
    () => (existsSync(installed) ? statSync(installed).size : said()),
    (found) => found === image.length,
    30_000,
  );
  expect((await readFile(installed)).equals(image)).toBe(true);
  // It waits for a reboot now; what starts then says that the update is confirmed, and what it runs.
  await until(said, (text) => text.includes('Please restart SWUpdate'), 30_000);
  end(clients.pop());
  expect((await cloud.deviceOf(plan, 'dev-1'))?.state).toBe('upgrading');
  await swupdate('1.1.0', '-c', '2');
  const device = await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.state === 'upgraded',
    30_000,
  );
  expect(device).toMatchObject({ attempts: 1, error: null });
}, 90_000);

test('an update that was changed after it was signed is refused by swupdate, and the failure is counted', async () => {
  await makeSigner();
  const installed = path('installed.bin');
  const swu = await makeSwu(randomBytes(50_000), installed);
  const at = swu.indexOf('hardware-compatibility');
  swu.write('HARDWARE', at, 'latin1');
  const plan = makePlan(await cloud.operator.putPackage(swu, {}, 'update.swu'), { retries: 0 });
  await cloud.operator.publish(plan);
  await swupdate('1.0.0');
  const device = await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.state === 'failed',
    30_000,
  );
  expect(device?.error).toBeTruthy();
  expect(existsSync(installed)).toBe(false);
}, 60_000);
