import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeTlv, integerTlv } from '../../shared/protocols/lwm2m-tlv.ts';
import { makeDevice, until } from '../support/cloud.ts';
import type { HandLwm2mDevice } from '../support/hand-lwm2m-device.ts';
import { TestCloud } from '../support/test-cloud.ts';

let cloud: TestCloud;
beforeEach(async () => {
  cloud = await TestCloud.start();
});
afterEach(() => cloud.stop());

const uriOf = (device: HandLwm2mDevice) =>
  until(
    () => device.resources.get('5/0/1') ?? '',
    (uri) => uri !== '',
  );

const metric = async (name: string): Promise<number> => {
  const text = await (await fetch(`${cloud.running.http}/metrics`)).text();
  const line = text.split('\n').find((found) => found.startsWith(`${name} `));
  return Number(line?.split(' ')[1] ?? 0);
};

test('the key is told with the secret, for LwM2M only, and follows from it', async () => {
  await cloud.operator.call('PUT', '/products/SENSOR', { name: 'SENSOR' });
  const devices = [
    makeDevice('dev-1', { transport: 'lwm2m' }),
    makeDevice('dev-2', { transport: 'mqtt' }),
  ];
  const { secrets, dtlsKeys } = await cloud.operator.call<{
    secrets: Record<string, string>;
    dtlsKeys: Record<string, string>;
  }>('PUT', '/devices', { devices });
  cloud.secrets.set('dev-1', secrets['dev-1'] ?? '');
  expect(dtlsKeys).toEqual({ 'dev-1': cloud.dtlsKeyOf('dev-1') });
});

test('a device under DTLS is led through its whole update, and pulls under DTLS as well', async () => {
  const device = await cloud.secureLwm2m('dev-1');
  expect(await device.register()).toBe('2.01');
  await until(
    () => device.isWatched,
    (isWatched) => isWatched,
  );
  const plan = await cloud.publishFull();
  const uri = await uriOf(device);
  expect(uri.startsWith(`${cloud.running.coaps}/a/`)).toBe(true);
  expect(await device.download()).toHaveLength(5000);
  await device.set({ '5/0/3': '2' });
  await until(
    () => device.commands,
    (commands) => commands.includes('POST 5/0/2'),
  );
  device.resources.set('5/0/3', '0').set('5/0/5', '1').set('3/0/3', '1.1.0');
  expect(await device.register()).toBe('2.01');
  await until(
    () => cloud.deviceOf(plan, 'dev-1'),
    (found) => found?.state === 'upgraded',
  );
  // Another device, which is who it says, is refused that artifact.
  const other = await cloud.secureLwm2m('dev-2');
  await other.register();
  const next = await cloud.publishFull();
  const ofOther = await uriOf(other);
  device.resources.set('5/0/1', ofOther);
  await expect(device.download()).rejects.toThrow('4.03');
  expect((await cloud.deviceOf(next, 'dev-2'))?.state).not.toBe('failed');
  expect(await metric('slipway_dtls_sessions{state="established"}')).toBe(2);
});

test('what can be pushed under DTLS does not go in the clear', async () => {
  const device = await cloud.secureLwm2m('dev-1');
  // It knows CoAP in the clear only, and takes pushes.
  device.firmwareTlv = encodeTlv([
    { id: 8, value: new Uint8Array(0), entries: [{ id: 0, value: integerTlv(0) }] },
    { id: 9, value: integerTlv(2) },
  ]);
  await device.register();
  await cloud.publishFull();
  await until(
    () => device.pushed.length,
    (count) => count > 0,
  );
  expect(device.resources.get('5/0/1')).toBe('');
});

test('nobody registers, updates or leaves under the name of another device', async () => {
  await cloud.addDevices(makeDevice('dev-2', { transport: 'lwm2m' }));
  const impostor = await cloud.secureLwm2m('dev-1', 'dev-2');
  expect(await impostor.register()).toBe('4.03');
  const device = await cloud.secureLwm2m('dev-1');
  expect(await device.register()).toBe('2.01');
  // While it is registered under DTLS nobody takes its place in the clear.
  const plain = await cloud.lwm2m('dev-1');
  expect(await plain.register()).toBe('4.03');
  expect(await device.update()).toBe('2.04');
  expect(await device.deregister()).toBe('2.02');
  expect(await plain.register()).toBe('2.01');
});

test('a new secret ends the session of the old one', async () => {
  const device = await cloud.secureLwm2m('dev-1');
  await device.register();
  const devices = [makeDevice('dev-1', { transport: 'lwm2m' })];
  const { secrets } = await cloud.operator.call<{ secrets: Record<string, string> }>(
    'PUT',
    '/devices',
    { devices, rotate: true },
  );
  expect(await metric('slipway_dtls_sessions{state="established"}')).toBe(0);
  await until(
    () => device.update().catch((error: Error) => error.message),
    (answer) => answer.includes('refused the handshake: decrypt_error'),
  );
  expect(await metric('slipway_dtls_handshakes_total{result="wrong-key"}')).toBeGreaterThanOrEqual(
    1,
  );
  cloud.secrets.set('dev-1', secrets['dev-1'] ?? '');
  const renewed = await cloud.secureLwm2m('dev-1');
  expect(await renewed.register()).toBe('2.01');
});

test('it is served beside CoAP in the clear, or alone, and says so', async () => {
  expect(cloud.running.coaps).toMatch(/^coaps:\/\/127\.0\.0\.1:\d+$/);
  expect(await cloud.operator.call('GET', '/info')).toMatchObject({
    coap: cloud.running.coap,
    coaps: cloud.running.coaps,
  });
  await cloud.running.close();
  await cloud.reopen({ coapPort: null });
  expect(cloud.running).toMatchObject({ coap: null });
  const device = await cloud.secureLwm2m('dev-1');
  expect(await device.register()).toBe('2.01');
});
