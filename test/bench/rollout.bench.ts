import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type ScratchResult, runScratchRollout } from '../../electron/cli/scratch-rollout.ts';
import { LocalCloudProcess } from '../../electron/core/clouds/local-cloud-process.ts';
import { type ArtifactRun, loadArtifacts } from './artifact-load.ts';
import { debianVersion } from './measure.ts';
import { type BrokerRun, loadCloud, loadMosquitto, statusesPerDevice } from './mqtt-load.ts';
import { cpuBetween, met, orDash, seconds, usage } from './process-usage.ts';
import { writeSection } from './report.ts';

const imageBytes = 32 * 1024;
/** The first rollout of a cloud runs code that is not compiled yet, and is not counted. */
const warmUpDevices = 200;
const fleetSizes = [100, 1000, 10_000] as const;
const ddiPollMs = 10_000;
const memoryGoalMb = 400;
const rolloutLimitMs = 200_000;

interface Protocol {
  readonly name: string;
  readonly transport: 'mqtt' | 'http' | 'lwm2m';
  readonly goalMs: number;
}

const protocols: readonly Protocol[] = [
  { name: 'MQTT, image over HTTP', transport: 'mqtt', goalMs: 60_000 },
  { name: 'DDI, a poll each 10 s', transport: 'http', goalMs: 60_000 },
  { name: 'LwM2M, pull over CoAP', transport: 'lwm2m', goalMs: 90_000 },
];

interface Measured {
  readonly protocol: Protocol;
  /** In the order of the fleet sizes. */
  readonly runs: readonly (ScratchResult & { readonly cpuMsPerDevice: number | null })[];
  readonly peakMb: number | null;
}

/** Rollouts of growing size on one cloud; its CPU time counts from registering the devices to the end of the plan. */
async function measure(protocol: Protocol): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-rollout-'));
  const dataDir = join(folder, 'cloud');
  const cloudProcess = new LocalCloudProcess({ dataDir });
  try {
    const image = join(folder, 'image.bin');
    writeFileSync(image, Buffer.alloc(imageBytes, 'slipway scratch image '));
    const cloud = await cloudProcess.start();
    const { pid } = JSON.parse(readFileSync(join(dataDir, 'endpoint.json'), 'utf8')) as {
      pid: number;
    };
    const roll = async (count: number) => {
      const devices = { http: 0, mqtt: 0, lwm2m: 0, [protocol.transport]: count };
      const product = { productId: 'B', componentId: 'APP', fromVersion: '1.0.0' };
      const target = { cloud, devices, ...product, pollMs: ddiPollMs };
      const before = usage(pid);
      const limit = AbortSignal.timeout(rolloutLimitMs);
      const result = await runScratchRollout(target, image, limit);
      const cpuMs = cpuBetween(before, usage(pid));
      return { ...result, cpuMsPerDevice: cpuMs === null ? null : cpuMs / count };
    };
    await roll(warmUpDevices);
    const runs = [];
    for (const count of fleetSizes) runs.push(await roll(count));
    return { protocol, runs, peakMb: usage(pid).peakMb };
  } finally {
    await cloudProcess.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function rolloutRow({ protocol: { name, goalMs }, runs, peakMb }: Measured): string {
  const whole = runs.at(-1);
  if (!whole) throw new Error('nothing was measured');
  const times = [whole.elapsedMs, whole.p50Ms, whole.p99Ms].map(seconds).join(' | ');
  const costs = runs.map(({ cpuMsPerDevice }) => orDash(cpuMsPerDevice, 1)).join(' | ');
  const goal = `${goalMs / 1000} s ${met(whole.elapsedMs, goalMs)}`;
  const memory = `${orDash(peakMb, 0)} (${met(peakMb, memoryGoalMb)})`;
  return `| ${name} | ${whole.succeeded} of ${whole.devices} | ${times} | ${goal} | ${memory} | ${costs} |`;
}

it('rolls a 32 KiB image out to 10,000 devices of each protocol', async () => {
  const measured: Measured[] = [];
  for (const protocol of protocols) measured.push(await measure(protocol));
  writeSection('rollout', 'Rolling out 32 KiB to 10,000 devices', [
    'Cloud and simulated devices, a process each, share the machine. Each device downloads the whole',
    'image, checks size and SHA-256, reports every step and proves the new version; the cloud commits',
    'every report to disk. Times are from publishing to the success of the last, the median and the',
    '99th percentile device. CPU time is that of the cloud, from registering the devices to the end of',
    `the plan, for fleets of growing size on one cloud, after ${warmUpDevices} devices that do not count.`,
    '',
    `| devices | upgraded | last s | p50 s | p99 s | goal | cloud peak MB (${memoryGoalMb}) | CPU ms each of 100 | of 1,000 | of 10,000 |`,
    '|---|---|---|---|---|---|---|---|---|---|',
    ...measured.map(rolloutRow),
  ]);
  for (const { runs } of measured)
    for (const run of runs) expect(run).toMatchObject({ succeeded: run.devices, failed: 0 });
}, 1_200_000);

it('connects, tells and hears 10,000 MQTT devices beside mosquitto', async () => {
  const devices = 10_000;
  const statuses = devices * statusesPerDevice;
  const cloud = await loadCloud(devices);
  const mosquitto = await loadMosquitto(devices);
  const row = (what: string, goalMs: number, of: (run: BrokerRun) => number): string =>
    `| ${what} | ${seconds(of(cloud))} | ${seconds(of(mosquitto))} | ${goalMs / 1000} s ${met(of(cloud), goalMs)} |`;
  const used = (run: BrokerRun): string =>
    run.usage.cpuMs === null ? '-' : seconds(run.usage.cpuMs);
  const cloudMb = cloud.usage.peakMb;
  writeSection('rollout-mqtt', 'Ten thousand MQTT connections', [
    `The same clients in one process, QoS 1, against the cloud and mosquitto ${debianVersion('mosquitto')}. For the cloud`,
    'a command is the job of a plan, from publishing it to the last device that has it, and a status',
    'counts when it is committed to disk; mosquitto passes both on between clients and stores nothing,',
    'and checks no login.',
    '',
    '| | cloud | mosquitto | goal |',
    '|---|---|---|---|',
    row(
      `${devices.toLocaleString('en')} connected and subscribed, s`,
      30_000,
      (run) => run.connectMs,
    ),
    row('command to the last device, s', 5_000, (run) => run.commandMs),
    row(`${statuses.toLocaleString('en')} statuses, s`, 30_000, (run) => run.statusMs),
    `| CPU in all, s | ${used(cloud)} | ${used(mosquitto)} | |`,
    `| peak MB | ${orDash(cloudMb, 0)} | ${orDash(mosquitto.usage.peakMb, 0)} | ${memoryGoalMb} MB ${met(cloudMb, memoryGoalMb)} |`,
  ]);
  expect({ cloud: cloud.arrived, mosquitto: mosquitto.arrived }).toEqual({
    cloud: devices,
    mosquitto: devices,
  });
}, 600_000);

it('serves artifacts beside nginx', async () => {
  const connections = 64;
  const runs: ArtifactRun[] = [];
  for (const kib of [32, 256, 10_240]) runs.push(await loadArtifacts(kib * 1024, connections));
  const leastShare = 0.8;
  const rate = (bytesPerSec: number | null): string =>
    bytesPerSec === null ? '-' : (bytesPerSec / 1_000_000).toFixed(0);
  writeSection('rollout-artifacts', 'Serving artifacts', [
    `wrk ${debianVersion('wrk')} with one thread and ${connections} kept connections for 3 s, median of 3 runs in turns.`,
    'The cloud answers for who asks: what its database allowed counts until the next commit. nginx in one',
    'process sends a file, from the page cache to the socket without copying it (sendfile).',
    '',
    `| KiB | cloud MB/s | nginx MB/s | ratio | goal ${leastShare} | cloud MB per CPU second | nginx MB per CPU second |`,
    '|---|---|---|---|---|---|---|',
    ...runs.map(({ sizeBytes, cloud, nginx }) => {
      const share = cloud.bytesPerSec / nginx.bytesPerSec;
      const goal = share >= leastShare ? 'met' : 'missed';
      const rates = [cloud.bytesPerSec, nginx.bytesPerSec].map(rate).join(' | ');
      const perCpu = [cloud.bytesPerCpuSec, nginx.bytesPerCpuSec].map(rate).join(' | ');
      return `| ${sizeBytes / 1024} | ${rates} | ${share.toFixed(2)} | ${goal} | ${perCpu} |`;
    }),
  ]);
}, 600_000);
