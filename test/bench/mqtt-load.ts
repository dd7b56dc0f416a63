import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudProcess, Operator, makeDevice, makePlan, until } from '../support/cloud.ts';
import { MosquittoBroker } from '../support/peers.ts';
import { Collector, MqttClients, type Status } from './mqtt-clients.ts';
import { type Usage, usage } from './process-usage.ts';

/** Statuses of one device on its way through a job. */
export const statusesPerDevice = 5;
const storedTimeoutMs = 120_000;

/** What a broker took for the same work; times in milliseconds. */
export interface BrokerRun {
  readonly connectMs: number;
  readonly commandMs: number;
  readonly statusMs: number;
  readonly usage: Usage;
  /** Devices whose last status arrived. */
  readonly arrived: number;
}

const idsOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `dev-${i}`);

const statusesOf = (job: string): readonly Status[] => [
  { job, state: 'DOWNLOADING', progress: 0.25 },
  { job, state: 'DOWNLOADING', progress: 0.75 },
  { job, state: 'DOWNLOADED' },
  { job, state: 'UPDATING', progress: 0.5 },
  { job, state: 'SUCCEEDED', version: '1.1.0' },
];

/** The cloud: commands are the jobs of a plan, and a status counts when it is stored. */
export async function loadCloud(devices: number): Promise<BrokerRun> {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-mqtt-'));
  const ports = ['--http', '0', '--mqtt', '0', '--coap', 'off'];
  const cloud = CloudProcess.spawn(['--data', folder, ...ports]);
  const clients = new MqttClients();
  try {
    const { http, mqtt, operator } = await cloud.ready();
    const asOperator = new Operator(http, operator.token);
    const secrets = await asOperator.declareDevices(idsOf(devices).map((id) => makeDevice(id)));
    const packageId = await asOperator.putPackage(Buffer.alloc(32 * 1024, 'image '));
    const logins = Object.entries(secrets).map(([id, secret]) => ({ id, secret }));
    const connectMs = await clients.connect(mqtt, logins);

    const publishedMs = performance.now();
    const plan = makePlan(packageId, { allowNeverReported: true });
    await Promise.all([asOperator.publish(plan), clients.allTold()]);
    const toldMs = performance.now();

    const jobOf = (id: string): string =>
      (JSON.parse(clients.jobs.get(id) ?? '{}') as { job: string }).job;
    await clients.report((id) => statusesOf(jobOf(id)));
    const { counts } = await until(
      () => asOperator.status(plan.id),
      ({ state }) => state === 'ended',
      storedTimeoutMs,
    );
    const statusMs = performance.now() - toldMs;
    const commandMs = toldMs - publishedMs;
    const cost = usage(cloud.child.pid ?? 0);
    return { connectMs, commandMs, statusMs, usage: cost, arrived: counts.upgraded };
  } finally {
    clients.close();
    await cloud.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

/** mosquitto under the same clients: one more client tells all and hears all, and nothing is stored. */
export async function loadMosquitto(devices: number): Promise<BrokerRun> {
  const broker = await MosquittoBroker.startOpen();
  const clients = new MqttClients();
  const collector = await Collector.join(broker);
  try {
    const ids = idsOf(devices);
    const logins = ids.map((id) => ({ id, secret: 'any' }));
    const connectMs = await clients.connect(broker.url, logins);

    const publishedMs = performance.now();
    await Promise.all([collector.tell(ids, JSON.stringify({ job: '1' })), clients.allTold()]);
    const toldMs = performance.now();

    const all = devices * statusesPerDevice;
    await Promise.all([clients.report(() => statusesOf('1')), collector.hears(all)]);
    const statusMs = performance.now() - toldMs;
    const commandMs = toldMs - publishedMs;
    return { connectMs, commandMs, statusMs, usage: usage(broker.pid), arrived: devices };
  } finally {
    collector.close();
    clients.close();
    await broker.stop();
  }
}
