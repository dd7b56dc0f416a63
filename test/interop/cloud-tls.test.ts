import { randomBytes } from 'node:crypto';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  CloudProcess,
  componentId,
  makeDevice,
  makePackage,
  makePlan,
  until,
} from '../support/cloud.ts';
import { TestAuthority } from '../support/certificates.ts';
import { MosquittoSub, peer } from '../support/peers.ts';
import { sha256 } from '../../electron/files/sha256.ts';

let folder: string;
let authority: TestAuthority;
let cloud: CloudProcess | null = null;
const ears: MosquittoSub[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'slipway-tls-'));
  authority = await TestAuthority.make(folder);
});
afterEach(async () => {
  for (const ear of ears.splice(0)) await ear.stop();
  await cloud?.kill('SIGKILL');
  cloud = null;
  await rm(folder, { recursive: true, force: true });
});

function serve(files: { certificatePath: string; keyPath: string }): CloudProcess {
  const tls = ['--tls-cert', files.certificatePath, '--tls-key', files.keyPath];
  cloud = CloudProcess.spawn(['--data', join(folder, 'data'), '--coap', 'off', ...tls]);
  return cloud;
}

/** curl that trusts the authority of the test alone. */
async function curl(authorization: string, ...args: string[]): Promise<string> {
  const header = `Authorization: ${authorization}`;
  const found = await peer('curl', ['-sSf', '--cacert', authority.caPath, '-H', header, ...args]);
  if (found.code !== 0) throw new Error(found.stderr);
  return found.stdout;
}

/** The name on the certificate that a server shows. */
function shownBy(url: string): Promise<string> {
  return new Promise((done, fail) => {
    const { hostname: host, port } = new URL(url);
    const socket = connect({ host, port: Number(port), rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject;
      socket.destroy();
      done(String(CN));
    }).once('error', fail);
  });
}

test('operators and devices are served over TLS: curl and mosquitto take a job and its artifact', async () => {
  const { http, mqtt, operator } = await serve(await authority.issue('first')).ready();
  expect([new URL(http).protocol, new URL(mqtt).protocol]).toEqual(['https:', 'mqtts:']);
  const api = `${http}/api/v1`;
  const bearer = `Bearer ${operator.token}`;
  const asJson = ['-X', 'PUT', '-H', 'content-type: application/json', '--data'];
  const put = (path: string, body: unknown): Promise<string> =>
    curl(bearer, ...asJson, JSON.stringify(body), api + path);
  const devices = [makeDevice('dev-1')];
  await put('/products/SENSOR', { name: 'Sensor' });
  const { secrets } = JSON.parse(await put('/devices', { devices })) as {
    secrets: Record<string, string>;
  };
  const secret = secrets['dev-1'] ?? '';

  const login = ['-h', '127.0.0.1', '-p', new URL(mqtt).port, '-u', 'dev-1', '-P', secret];
  const secured = [...login, '--cafile', authority.caPath, '-q', '1'];
  const ear = new MosquittoSub([...secured, '-t', 'ota/v1/dev-1/job']);
  ears.push(ear);
  const hello = JSON.stringify({ versions: { [componentId]: '1.0.0' } });
  await until(
    async () => {
      const topic = ['-t', 'ota/v1/dev-1/get', '-m', hello];
      expect((await peer('mosquitto_pub', [...secured, ...topic], 'mosquitto-clients')).code).toBe(
        0,
      );
      return ear.lines.length;
    },
    (lines) => lines > 0,
  );

  const bytes = randomBytes(50_000);
  const pkg = makePackage();
  const artifact = { name: 'app.bin', sizeBytes: bytes.length, sha256: sha256(bytes) };
  await put(`/packages/${pkg.id}`, { package: pkg, artifact });
  const image = join(folder, 'app.bin');
  await writeFile(image, bytes);
  const asBytes = ['-X', 'PUT', '-H', 'content-type: application/octet-stream'];
  await curl(
    bearer,
    ...asBytes,
    '--data-binary',
    `@${image}`,
    `${api}/packages/${pkg.id}/artifact`,
  );
  const plan = makePlan(pkg.id);
  await put(`/plans/${plan.id}`, { plan, policy: { chinaTelecomIccidPrefixes: [] } });
  const jobs = (): { url?: string }[] =>
    ear.lines.map((line) => JSON.parse(line) as { url?: string });
  const job = await until(() => jobs().find(({ url }) => url), Boolean);
  expect(new URL(job?.url ?? '').protocol).toBe('https:');
  const download = join(folder, 'download.bin');
  await curl(`TargetToken ${secret}`, '-o', download, job?.url ?? '');
  expect((await readFile(download)).equals(bytes)).toBe(true);
}, 60_000);

test('who does not trust the certificate is not served, and TLS 1.1 is not spoken', async () => {
  const { http, mqtt } = await serve(await authority.issue('first')).ready();
  expect((await peer('curl', ['-sS', `${http}/health`])).stderr).toMatch(/certificate/i);
  expect((await peer('curl', ['-sSk', '--tls-max', '1.1', `${http}/health`])).code).not.toBe(0);
  const plain = ['-sS', `http://127.0.0.1:${new URL(http).port}/health`];
  expect((await peer('curl', plain)).code).not.toBe(0);
  const untrusted = ['-h', '127.0.0.1', '-p', new URL(mqtt).port, '-t', 'x', '-m', 'x'];
  expect((await peer('mosquitto_pub', untrusted, 'mosquitto-clients')).code).not.toBe(0);
});

test('a renewed certificate is shown after SIGHUP; one that cannot be read leaves the old one', async () => {
  const files = await authority.issue('first');
  const running = serve(files);
  const { http, mqtt } = await running.ready();
  expect([await shownBy(http), await shownBy(mqtt)]).toEqual(['first', 'first']);

  const second = await authority.issue('second');
  await copyFile(second.certificatePath, files.certificatePath);
  await copyFile(second.keyPath, files.keyPath);
  running.child.kill('SIGHUP');
  await until(
    async () => (await shownBy(http)) + (await shownBy(mqtt)),
    (names) => names === 'secondsecond',
  );

  await writeFile(files.keyPath, 'no key');
  running.child.kill('SIGHUP');
  await until(
    () => running.stderr.join(''),
    (text) => text.includes('TLS cannot be served'),
  );
  expect([await shownBy(http), await shownBy(mqtt)]).toEqual(['second', 'second']);
});

test('files that do not fit are refused by name, an expired certificate is warned of', async () => {
  const [first, second] = [await authority.issue('first'), await authority.issue('second')];
  const wrong = serve({ ...first, keyPath: second.keyPath });
  expect(await wrong.exited).toBe(3);
  expect(wrong.stderr.join('')).toContain('second.key is not the key of the certificate in');

  const expired = serve(await authority.issue('old', 0));
  await expired.ready();
  expect(expired.stderr.join('')).toContain('The certificate has expired');
});
