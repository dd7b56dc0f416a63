import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AccessTokens } from '../../electron/cloud/http/cloudota.ts';
import { readStartOptions } from '../../electron/cloud/start-options.ts';
import { makeDevice, makePlan } from '../support/cloud.ts';
import { peer } from '../support/peers.ts';
import { TestCloud } from '../support/test-cloud.ts';

const imei = '867160040494084';
/** The rule of the protocol: MD5 of QUEC, the IMEI and TEL. */
const secretOf = (id: string): string => createHash('md5').update(`QUEC${id}TEL`).digest('hex');

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
  await cloud.addDevices(
    makeDevice(imei, { transport: 'http', versions: { EC600N: 'EC600NA01' } }),
  );
});
afterEach(() => cloud.stop());

async function curl(...args: string[]): Promise<Record<string, unknown>> {
  const found = await peer('curl', ['-sS', ...args]);
  if (found.code !== 0) throw new Error(found.stderr);
  return JSON.parse(found.stdout) as Record<string, unknown>;
}

/** A module as its firmware behaves: a token first, then the token with everything. */
class CloudOtaModule {
  readonly #token: string;
  constructor(token: string) {
    this.#token = token;
  }

  static async enter(id = imei, secret = secretOf(id)): Promise<CloudOtaModule> {
    const url = `${cloud.running.http}/v1/oauth/token?imei=${id}&secret=${secret}`;
    const { data } = (await curl(url)) as { data?: { access_Token: string } };
    return new CloudOtaModule(data?.access_Token ?? '');
  }

  firmware(version: string, id = imei) {
    const query = `version=${version}&imei=${id}&moduleType=EC600&battery=80&rsrp=-90&uid=1&pk=p`;
    return curl('-H', `access_token: ${this.#token}`, `${cloud.running.http}/v1/fota/fw?${query}`);
  }

  post(path: string, body: object) {
    const json = ['-H', 'content-type: application/json', '--data', JSON.stringify(body)];
    return curl(
      '-H',
      `access_token: ${this.#token}`,
      ...json,
      `${cloud.running.http}/v1/fota/${path}`,
    );
  }

  report(version: string, code: number, msg: string) {
    return this.post('status/report', { version, ver: 'v1.0', imei, code, msg });
  }
}

async function publish(bytes: Buffer, retries = 5) {
  const versions = { componentId: 'EC600N', targetVersion: 'EC600NA02' } as const;
  const fullPackageId = await cloud.operator.putPackage(bytes, versions);
  const component = { ...versions, componentType: 'module' as const, fullPackageId, deltas: [] };
  const plan = makePlan(null, { components: [component], retries });
  await cloud.operator.publish(plan);
  return plan;
}

test('a module that speaks CloudOTA is upgraded: token, plan, download, status, new version', async () => {
  const bytes = randomBytes(60_000);
  const module = await CloudOtaModule.enter();
  expect(await module.firmware('EC600NA01')).toEqual({ code: 204, action: 0 });
  const plan = await publish(bytes);

  const offer = await module.firmware('EC600NA01');
  expect(offer).toMatchObject({
    code: 200,
    action: 1,
    targetVersion: 'EC600NA02',
    filesize: bytes.length,
    fileMD5: createHash('md5').update(bytes).digest('hex'),
  });
  expect(String(offer.url).length).toBeLessThanOrEqual(255);
  await module.report('EC600NA01', 3, 'DOWNLOADING_FIRMWARE');
  const out = join(cloud.folder, 'firmware.bin');
  expect((await peer('curl', ['-sSf', '-o', out, String(offer.url)])).code).toBe(0);
  expect((await readFile(out)).equals(bytes)).toBe(true);
  await module.report('EC600NA01', 4, 'DOWNLOADED_NOTIFY_UPDATE');
  await module.report('EC600NA01', 6, 'UPDATE_START');
  expect(await cloud.deviceOf(plan, imei)).toMatchObject({
    state: 'upgrading',
    components: [{ state: 'upgrading' }],
  });

  const rebooted = await CloudOtaModule.enter();
  expect(await rebooted.report('EC600NA02', 7, 'UPGRADE_SUCCESS')).toEqual({ code: 200 });
  expect(await cloud.deviceOf(plan, imei)).toMatchObject({ state: 'upgraded' });
  expect(await rebooted.firmware('EC600NA02')).toEqual({ code: 204, action: 0 });
  expect(await rebooted.post('msg/report', { imei, version: 'EC600NA02', battery: 80 })).toEqual({
    code: 200,
  });
});

test('a claimed success with another version is a failed attempt, and the next version proves it', async () => {
  const plan = await publish(randomBytes(100));
  const module = await CloudOtaModule.enter();
  await module.firmware('EC600NA01');
  await module.report('EC600NA01', 7, 'UPGRADE_SUCCESS');
  expect(await cloud.deviceOf(plan, imei)).toMatchObject({
    state: 'upgrading',
    error: 'version-mismatch',
  });
  await module.firmware('EC600NA01');
  await module.firmware('EC600NA02');
  expect(await cloud.deviceOf(plan, imei)).toMatchObject({ state: 'upgraded', attempts: 2 });
});

test('failures keep their name', async () => {
  const plan = await publish(randomBytes(100), 0);
  const module = await CloudOtaModule.enter();
  await module.firmware('EC600NA01');
  await module.report('EC600NA01', 5, 'DOWNLOAD_FAILED');
  expect(await cloud.deviceOf(plan, imei)).toMatchObject({
    state: 'failed',
    error: 'DOWNLOAD_FAILED',
  });
  expect(await module.report('EC600NA01', 8, 'UPGRADE_FAILED')).toMatchObject({ code: 410 });
});

test('strangers, wrong secrets and tokens of others are refused, and odd codes are named', async () => {
  const other = '867160040494092';
  await cloud.addDevices(makeDevice(other, { transport: 'http' }));
  const refused = { error: { code: 'unauthorized' } };
  const strange = await CloudOtaModule.enter('490154203237518');
  expect(await strange.firmware('1', '490154203237518')).toMatchObject(refused);
  expect(await (await CloudOtaModule.enter(imei, secretOf(other))).firmware('1')).toMatchObject(
    refused,
  );
  expect(await (await CloudOtaModule.enter(other)).firmware('1')).toMatchObject(refused);
  await publish(randomBytes(100));
  const module = await CloudOtaModule.enter();
  expect(await module.report('EC600NA01', 2, 'X')).toMatchObject({
    error: { code: 'invalid-request' },
  });
});

test('an access token is good for an hour', () => {
  let nowMs = 1_700_000_000_000;
  const tokens = new AccessTokens('secret', () => nowMs);
  const token = tokens.issue(imei);
  expect(tokens.fits(imei, token)).toBe(true);
  expect(new AccessTokens('other', () => nowMs).fits(imei, token)).toBe(false);
  expect(tokens.fits(imei, `9${token.slice(1)}`)).toBe(false);
  nowMs += 3_600_001;
  expect(tokens.fits(imei, token)).toBe(false);
});

test('it is served on loopback, and elsewhere only when it is asked for', async () => {
  const chosen = (...args: string[]) => readStartOptions(['--data', 'x', ...args], {}).cloudOta;
  expect(chosen()).toBe(true);
  expect(chosen('--cloudota', 'off')).toBe(false);
  expect(chosen('--host', '0.0.0.0')).toBe(false);
  expect(chosen('--host', '0.0.0.0', '--cloudota', 'on')).toBe(true);
  expect(() => chosen('--cloudota', 'maybe')).toThrow(/neither on nor off/);
  const plain = await TestCloud.start(0, null, { cloudOta: false });
  const answer = await fetch(`${plain.running.http}/v1/oauth/token?imei=${imei}&secret=x`);
  expect(answer.status).toBe(404);
  await plain.stop();
});
