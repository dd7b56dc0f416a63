import fc from 'fast-check';
import { setTimeout as sleep } from 'node:timers/promises';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { Announcer } from '../../electron/cloud/mqtt/announcer.ts';
import { Complaints } from '../../electron/cloud/complaints.ts';
import { PacketScanner } from '../../electron/cloud/mqtt/packet-limit.ts';
import { mayPublish, maySubscribe, parseDeviceTopic } from '../../electron/cloud/mqtt/topics.ts';
import { openFilesWarning } from '../../electron/cloud/open-files.ts';
import { readStartOptions } from '../../electron/cloud/start-options.ts';
import type { ProblemError } from '../../shared/domain/problem.ts';

test('a device has its own topics and no others', () => {
  expect(parseDeviceTopic('ota/v1/dev:1.a-b_c/get')).toEqual({
    deviceId: 'dev:1.a-b_c',
    kind: 'get',
  });
  for (const topic of [
    'ota/v1/a b/get',
    'ota/v1//get',
    'ota/v1/a/job',
    'x/ota/v1/a/get',
    'ota/v1/a/get/x',
  ])
    expect(parseDeviceTopic(topic)).toBeNull();
  expect(mayPublish('a', 'ota/v1/a/status')).toBe(true);
  expect(mayPublish('a', 'ota/v1/b/status')).toBe(false);
  expect(mayPublish('a', 'ota/v1/a/job')).toBe(false);
  expect(mayPublish('', 'ota/v1//get')).toBe(false);
  expect(maySubscribe('a', 'ota/v1/a/job')).toBe(true);
  expect(maySubscribe('a', 'ota/v1/a/#')).toBe(true);
  for (const filter of [
    'ota/v1/b/job',
    'ota/v1/+/job',
    'ota/v1/ab/job',
    '#',
    'ota/#',
    '$SYS/#',
    '$share/g/ota/v1/a/job',
  ])
    expect(maySubscribe('a', filter)).toBe(false);
});

/** An MQTT packet with a body of this size: type, length in 7-bit groups, body. */
function packet(sizeBytes: number): number[] {
  const header: number[] = [0x30];
  let left = sizeBytes;
  do {
    header.push((left % 128) | (left >= 128 ? 0x80 : 0));
    left = Math.floor(left / 128);
  } while (left > 0);
  return [...header, ...Array.from({ length: sizeBytes }, (_, index) => (index % 2 ? 0xff : 0x30))];
}

test('packets up to the limit pass however the stream is cut, larger ones never do', () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 300 }), { maxLength: 8 });
  const cuts = fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(sizes, cuts, (bodies, lengths) => {
      const stream = Uint8Array.from(bodies.flatMap(packet));
      const scanner = new PacketScanner(200);
      let accepted = true;
      for (let at = 0, turn = 0; at < stream.length && accepted; turn++) {
        const length = lengths[turn % lengths.length] ?? 1;
        accepted = scanner.accept(stream.subarray(at, at + length));
        at += length;
      }
      expect(accepted).toBe(bodies.every((sizeBytes) => sizeBytes <= 200));
    }),
  );
  expect(new PacketScanner(2 ** 40).accept(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 0x01))).toBe(
    false,
  );
});

test('a broken device is complained about once a minute', () => {
  vi.useFakeTimers();
  try {
    const lines: string[] = [];
    const complaints = new Complaints('mqtt', (line) => lines.push(line));
    for (let second = 0; second < 61; second++) {
      complaints.about('dev-1', 'broken');
      if (second === 0) complaints.about('dev-2', 'broken\n{"error":1}');
      vi.advanceTimersByTime(1000);
    }
    expect(lines).toEqual([
      'mqtt: dev-1: broken\n',
      'mqtt: dev-2: broken {"error":1}\n',
      'mqtt: dev-1: broken\n',
    ]);
  } finally {
    vi.useRealTimers();
  }
});

test('ten thousand devices are told a few at a time, each once', async () => {
  const told = new Map<string, number>();
  let running = 0;
  let most = 0;
  const announcer = new Announcer(async (deviceId) => {
    most = Math.max(most, ++running);
    await sleep(0);
    told.set(deviceId, (told.get(deviceId) ?? 0) + 1);
    running--;
  });
  const ids = Array.from({ length: 10_000 }, (_, index) => `dev-${index}`);
  announcer.add(ids);
  announcer.add(ids.slice(5000));
  while (told.size < ids.length || running > 0) await sleep(5);
  expect([...told.values()].every((count) => count === 1)).toBe(true);
  expect(most).toBe(256);
  announcer.add(['dev-1']);
  await sleep(20);
  expect(told.get('dev-1')).toBe(2);
});

test('start options are read, and wrong ones are named', () => {
  const read = (...args: string[]) => readStartOptions(args, {});
  expect(read('--data', 'x')).toEqual({
    dataDir: 'x',
    host: '127.0.0.1',
    httpPort: 0,
    mqtt: 0,
    mqttLogin: null,
    coapPort: 0,
    coapsPort: 0,
    lwm2mProof: 'version',
    ddi: { proof: 'version', gatewayToken: null },
    cloudOta: true,
    keepDays: 400,
    tls: null,
    withParent: false,
  });
  // LwM2M without DTLS: beyond this computer it is served only when asked for.
  expect(read('--data', 'x', '--host', '0.0.0.0')).toMatchObject({ coapPort: null, coapsPort: 0 });
  expect(read('--data', 'x', '--coaps', '5684').coapsPort).toBe(5684);
  expect(read('--data', 'x', '--coaps', 'off').coapsPort).toBeNull();
  expect(read('--data', 'x', '--host', '0.0.0.0', '--coap', '5683').coapPort).toBe(5683);
  expect(read('--data', 'x', '--coap', 'off').coapPort).toBeNull();
  expect(
    read('--data', 'x', '--mqtt', 'mqtts://broker.example:8883', '--with-parent'),
  ).toMatchObject({ mqtt: 'mqtts://broker.example:8883', withParent: true });
  const env = { SLIPWAY_MQTT_USERNAME: 'u', SLIPWAY_MQTT_PASSWORD: 'p' };
  expect(readStartOptions(['--data', 'x'], env).mqttLogin).toEqual({
    username: 'u',
    password: 'p',
  });
  for (const args of [
    [],
    ['--data', 'x', '--http', '65536'],
    ['--data', 'x', '--http', '-1'],
    ['--data', 'x', '--mqtt', 'http://broker'],
    ['--data', 'x', '--mqtt', 'mqtt://u:p@broker'],
    ['--data', 'x', '--coap', 'on'],
    ['--data', 'x', '--coaps', '65536'],
    ['--data', 'x', '--lwm2m-proof', 'trust'],
    ['--data', 'x', '--ddi-proof', 'trust'],
    ['--data', 'x', 'more'],
    ['--data', 'x', '--unknown'],
  ]) {
    const failure = (() => {
      try {
        return read(...args);
      } catch (error) {
        return error;
      }
    })();
    expect((failure as ProblemError).problem).toMatchObject({ code: 'usage', kind: 'usage' });
  }
});

test('a low limit of open files is warned about', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'slipway-limits-'));
  const limits = join(folder, 'limits');
  const write = (soft: string) =>
    writeFile(
      limits,
      `Limit  Soft Limit  Hard Limit  Units\nMax open files   ${soft}   20000   files\n`,
    );
  await write('1024');
  expect(await openFilesWarning(limits)).toMatch(/At most 1024 files/);
  await write('20000');
  expect(await openFilesWarning(limits)).toBeNull();
  expect(await openFilesWarning(join(folder, 'missing'))).toBeNull();
  await rm(folder, { recursive: true });
});
