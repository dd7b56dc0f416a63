import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { CloudProcess, Operator, makeDevice, makePlan, until } from '../support/cloud.ts';
import { HttpDevice, MqttDevice, makeGate } from '../support/devices.ts';
import { writeSection } from './report.ts';

const kills = 100;
const deviceCount = 1000;
/** The cloud lives this long at most after it has started: any moment of its work may be its last. */
const longestLifeMs = 700;

it(`upgrades each of ${deviceCount} devices once though the cloud is killed ${kills} times`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-kill-'));
  const devices: (HttpDevice | MqttDevice)[] = [];
  // The last group installs when the killing is over, so that no kill comes after the end.
  const gates = Array.from({ length: kills + 1 }, makeGate);
  let ports = ['0', '0'];
  const start = (): CloudProcess => {
    const [http = '0', mqtt = '0'] = ports;
    return CloudProcess.spawn(['--data', folder, '--http', http, '--mqtt', mqtt]);
  };
  let cloud = start();
  try {
    const { http, mqtt, operator } = await cloud.ready();
    ports = [new URL(http).port, new URL(mqtt).port];
    const asOperator = new Operator(http, operator.token);
    const identities = Array.from({ length: deviceCount }, (_, index) =>
      makeDevice(`dev-${index}`, { transport: index % 10 === 0 ? 'http' : 'mqtt' }),
    );
    const secrets = await asOperator.putDevices(identities);
    const packageId = await asOperator.putPackage(randomBytes(100_000));
    for (const [index, { id, transport }] of identities.entries()) {
      const login = { id, secret: secrets[id] ?? '' };
      const { opened } = gates[index % gates.length] ?? makeGate();
      if (transport === 'http') devices.push(new HttpDevice(http, login, '1.0.0', opened));
      else devices.push(new MqttDevice(mqtt, login, '1.0.0', opened));
    }
    // These devices poll several times a second; a few at a time keep their connections short.
    for (let at = 0; at < devices.length; at += 50)
      await Promise.all(devices.slice(at, at + 50).map((device) => device.start()));
    const plan = makePlan(packageId);
    await asOperator.publish(plan);

    const startedMs = Date.now();
    for (const gate of gates.slice(0, kills)) {
      gate.open();
      await sleep(Math.random() * longestLifeMs);
      await cloud.kill('SIGKILL');
      cloud = start();
      await cloud.ready();
    }
    const killedMs = Date.now() - startedMs;
    const atLast = (await asOperator.status(plan.id)).counts;
    gates[kills]?.open();
    const { counts } = await until(
      () => asOperator.status(plan.id),
      ({ state }) => state === 'ended',
      300_000,
    );
    const twice = devices.filter(({ installed }) => installed.length !== 1).length;
    const again = (await asOperator.devices(plan.id)).filter(
      ({ attempts }) => attempts !== 1,
    ).length;
    writeSection('kill', 'Killing the cloud in a rollout', [
      `${deviceCount} devices, a tenth over HTTP, the others over MQTT, take an image of 100 kB; about ten of`,
      `them install after each start of the cloud; SIGKILL comes at a random moment within ${longestLifeMs} ms of it.`,
      '',
      '| kills | in s | upgraded when the killing ended | upgraded | failed | installed other than once | attempts other than one |',
      '|---|---|---|---|---|---|---|',
      `| ${kills} | ${(killedMs / 1000).toFixed(0)} | ${atLast.upgraded} | ${counts.upgraded} | ${counts.failed} | ${twice} | ${again} |`,
    ]);
    expect({ ...counts, twice, again }).toMatchObject({
      upgraded: deviceCount,
      twice: 0,
      again: 0,
    });
  } finally {
    for (const gate of gates) gate.open();
    await Promise.all(devices.map((device) => device.stop()));
    await cloud.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}, 1_200_000);
