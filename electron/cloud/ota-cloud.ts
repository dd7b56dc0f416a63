import { mkdir, rm } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import { ProblemError, problem } from '../../shared/domain/problem.ts';
import { sha256 } from '../files/sha256.ts';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { AccessTokens } from './http/cloudota.ts';
import type { DdiPolicy } from './http/ddi.ts';
import { CloudMetrics } from './http/metrics.ts';
import { RepeatedDownloads } from './http/repeated-downloads.ts';
import { createHttpServer } from './http/server.ts';
import { OtaAdapter } from './mqtt/adapter.ts';
import { BrokerClient, type MqttLogin } from './mqtt/broker-client.ts';
import { EmbeddedBroker } from './mqtt/broker.ts';
import { type Clock, systemClock } from './clock.ts';
import { Complaints } from './complaints.ts';
import type { CoapTransport } from '../coap/transport.ts';
import { UdpPort } from '../coap/udp-port.ts';
import { openSecurePort } from './lwm2m/coap-ports.ts';
import type { Lwm2mTimes } from './lwm2m/firmware-driver.ts';
import { Lwm2mServer } from './lwm2m/lwm2m-server.ts';
import { type Closer, openDatabase, openParts } from './open-parts.ts';
import { ArtifactKeys } from './store/artifact-keys.ts';
import { lockDataFolder } from './store/instance-lock.ts';
import { loadOperatorToken } from './store/operator-token.ts';
import {
  type TlsFiles,
  type TlsIdentity,
  certificateWarning,
  loadTlsIdentity,
} from './tls-identity.ts';
import type { CloudAddresses, CloudParts } from './types.ts';

export interface CloudOptions {
  /** Folder for the database, the artifacts and the operator token; one process at a time. */
  readonly dataDir: string;
  /** Address to listen at; loopback unless someone decides otherwise. */
  readonly host: string;
  /** 0 means any free port. */
  readonly httpPort: number;
  /** The port of the embedded broker (0 means any free), or the address of a broker to use instead. */
  readonly mqtt: number | string;
  /** How to log in to an external broker. */
  readonly mqttLogin: MqttLogin | null;
  /** The UDP port for LwM2M in the clear (0 means any free), or null to serve none. */
  readonly coapPort: number | null;
  /** The UDP port for LwM2M under DTLS (0 means any free), or null to serve none. */
  readonly coapsPort: number | null;
  /** What proves the success of an LwM2M device: the version it reports, or its Update Result alone. */
  readonly lwm2mProof: 'version' | 'result';
  readonly lwm2mTimes?: Lwm2mTimes;
  readonly ddi: DdiPolicy;
  /** The time that plans follow; that of this machine unless someone decides otherwise. */
  readonly clock?: Clock;
  /** Whether modules are served that speak Quectel's CloudOTA, which proves nothing about who they are. */
  readonly cloudOta: boolean;
  /** Days for which the details of ended plans, and what only they delivered, are kept. */
  readonly keepDays: number;
  /** Serves HTTPS and MQTTS with these instead of HTTP and MQTT. */
  readonly tls: TlsFiles | null;
}

/** A running cloud. */
export interface RunningCloud extends CloudAddresses {
  /** The operator token of the data folder. */
  readonly token: string;
  /** Reads the certificate and the key again, and shows them to new connections. @throws ProblemError `tls-unusable` */
  renewTls(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Starts the embedded OTA cloud on a data folder: HTTP for operators and devices, MQTT and LwM2M for devices.
 * While it runs, `endpoint.json` in the folder says where.
 * @throws ProblemError `data-in-use`, `data-unusable`, `database-unusable`, `port-in-use`, `address-unusable`,
 *   `mqtt-unreachable`, `mqtt-refused`, `operator-token-damaged`
 */
export async function createCloud(options: CloudOptions): Promise<RunningCloud> {
  const closers: Closer[] = [];
  const close = async (): Promise<void> => {
    const errors: unknown[] = [];
    for (const closer of closers.splice(0).reverse()) {
      try {
        await closer();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  };
  try {
    return { ...(await startCloud(options, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function startCloud(
  options: CloudOptions,
  closers: Closer[],
): Promise<Omit<RunningCloud, 'close'>> {
  const { dataDir, host } = options;
  const lock = await holdFolder(dataDir);
  closers.push(() => lock.release());
  const token = await loadOperatorToken(dataDir);
  const tls = options.tls && (await loadTlsIdentity(options.tls));
  warnOfDates(tls);
  const db = openDatabase(join(dataDir, 'cloud.db'));
  closers.push(() => db.close());
  const clock = options.clock ?? systemClock();
  const parts = await openParts({ db, dataDir, token, clock, keepDays: options.keepDays }, closers);

  let tellAddresses: (addresses: CloudAddresses) => void = () => undefined;
  const addresses = new Promise<CloudAddresses>((tell) => {
    tellAddresses = tell;
  });
  const keys = new ArtifactKeys(token);
  const metrics = new CloudMetrics(db);
  const server = createHttpServer(parts, {
    keys,
    addresses,
    metrics,
    ddi: options.ddi,
    complaints: new Complaints('http'),
    downloads: new RepeatedDownloads({ ...parts, db, metrics }),
    cloudOta: options.cloudOta ? new AccessTokens(token) : null,
    tls,
  });
  closers.push(() => server.close());
  await server
    .listen({ host, port: options.httpPort, backlog: 4096 })
    .catch((error: unknown) => cannotListen('HTTP', options.httpPort, error));
  const { port } = server.server.address() as AddressInfo;
  const http = `${tls ? 'https' : 'http'}://${urlHost(host)}:${port}`;

  const {
    url: mqtt,
    adapter,
    broker,
  } = await startMqtt(options, { parts, http, token, tls }, closers);
  const lwm2m = await startLwm2m(options, parts, keys, http, closers);
  const announcePlan = (planId: string): void => {
    parts.changes.changed(planId);
    adapter.announcePlan(planId);
    lwm2m?.announcePlan(planId);
  };
  parts.plans.onChanged = announcePlan;
  parts.guard.onChanged = announcePlan;
  parts.engine.onJobReady = (deviceId) => {
    adapter.announceDevice(deviceId);
    lwm2m?.announceDevice(deviceId);
  };

  metrics.connections = {
    mqtt: () => broker?.connectedDevices ?? null,
    lwm2m: () => lwm2m?.registeredDevices ?? null,
  };
  metrics.dtls = lwm2m?.secure ?? null;
  const served = { http, mqtt, coap: lwm2m?.url ?? null, coaps: lwm2m?.secureUrl ?? null };
  tellAddresses(served);

  const endpointPath = join(dataDir, 'endpoint.json');
  const endpoint = { ...served, pid: process.pid };
  await writeFileAtomic(endpointPath, `${JSON.stringify(endpoint)}\n`, 0o600);
  closers.push(() => rm(endpointPath, { force: true }));
  const renewTls = async (): Promise<void> => {
    if (!options.tls) return;
    const renewed = await loadTlsIdentity(options.tls);
    warnOfDates(renewed);
    (server.server as unknown as TlsServer).setSecureContext(renewed);
    broker?.renewTls(renewed);
  };
  return { ...served, token, renewTls };
}

function warnOfDates(tls: TlsIdentity | null): void {
  const warning = tls && certificateWarning(tls, Date.now());
  if (warning) process.stderr.write(`${warning}\n`);
}

const lwm2mTimes: Lwm2mTimes = { pollMs: 10_000, stallMs: 120_000, updateMs: 30 * 60_000 };

async function startLwm2m(
  options: CloudOptions,
  parts: CloudParts,
  keys: ArtifactKeys,
  http: string,
  closers: Closer[],
): Promise<Lwm2mServer | null> {
  const { host, coapPort, coapsPort } = options;
  const complaints = new Complaints('lwm2m');
  const listen = async <T extends CoapTransport>(
    port: number | null,
    open: (at: { host: string; port: number }) => Promise<T>,
  ): Promise<T | null> => {
    if (port === null) return null;
    const opened = await open({ host, port }).catch((error: unknown) =>
      cannotListen('CoAP', port, error),
    );
    closers.push(() => opened.close());
    return opened;
  };
  const plain = await listen(coapPort, (at) => UdpPort.open(at));
  const secure = await listen(coapsPort, (at) => openSecurePort(at, parts.devices, complaints));
  if (!plain && !secure) return null;
  const server = new Lwm2mServer({
    ports: { plain, secure },
    parts,
    keys,
    http,
    urlHost: urlHost(host),
    complaints,
    settings: { ...(options.lwm2mTimes ?? lwm2mTimes), proof: options.lwm2mProof },
  });
  closers.push(() => server.close());
  parts.devices.whenSecretEnds((deviceId) => server.secretEnded(deviceId));
  return server;
}

async function holdFolder(dataDir: string): Promise<{ release(): void }> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return lockDataFolder(dataDir);
  } catch (error) {
    if (error instanceof ProblemError) throw error;
    throw problem(
      'data-unusable',
      'The data folder cannot be used',
      `${dataDir}: ${(error as Error).message}`,
      'Check its permissions, or choose another folder with --data.',
    );
  }
}

async function startMqtt(
  options: CloudOptions,
  cloud: {
    readonly parts: CloudParts;
    readonly http: string;
    readonly token: string;
    readonly tls: TlsIdentity | null;
  },
  closers: Closer[],
): Promise<{ url: string; adapter: OtaAdapter; broker: EmbeddedBroker | null }> {
  const { host, mqtt } = options;
  const { parts, http, token, tls } = cloud;
  const complaints = new Complaints('mqtt');
  const artifactUrl = (actionId: number): string => `${http}/a/${actionId}`;
  if (typeof mqtt === 'string') {
    const client = new BrokerClient({
      url: mqtt,
      login: options.mqttLogin,
      clientId: `slipway-${sha256(token).slice(0, 15)}`,
      complaints,
      receive: (topic, payload) => adapter.receive(topic, payload),
      onConnected: () => adapter.announceUnfinished(),
      isReachable: (deviceId) => parts.devices.get(deviceId)?.transport === 'mqtt',
    });
    const adapter = new OtaAdapter({ parts, link: client, artifactUrl, complaints });
    closers.push(() => client.close());
    closers.push(() => adapter.close());
    await client.start();
    return { url: mqtt, adapter, broker: null };
  }
  const broker = await EmbeddedBroker.start({
    host,
    port: mqtt,
    authenticate: (deviceId, secret) => parts.devices.authenticate(deviceId, secret),
    complaints,
    tls,
  }).catch((error: unknown) => cannotListen('MQTT', mqtt, error));
  closers.push(() => broker.close());
  parts.devices.whenSecretEnds((deviceId) => broker.disconnect(deviceId));
  const adapter = new OtaAdapter({ parts, link: broker, artifactUrl, complaints });
  closers.push(() => adapter.close());
  broker.open((topic, payload) => adapter.receive(topic, payload));
  const scheme = tls ? 'mqtts' : 'mqtt';
  return { url: `${scheme}://${urlHost(host)}:${broker.port}`, adapter, broker };
}

function cannotListen(what: string, port: number, error: unknown): never {
  if (error instanceof ProblemError) throw error;
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') {
    throw problem(
      'port-in-use',
      `The ${what} port is in use`,
      `Port ${port}: ${message}`,
      'Choose another port, or 0 for any free one.',
    );
  }
  throw problem(
    'address-unusable',
    `${what} cannot be served at this address`,
    message,
    'Check --host and the port.',
  );
}

const everyAddress: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** How devices write the address: for "every address" the first one that others can reach. */
function urlHost(host: string): string {
  const family = host === '::' ? 'IPv6' : 'IPv4';
  const outward = Object.values(networkInterfaces())
    .flat()
    .find((entry) => entry && !entry.internal && entry.family === family && !entry.scopeid);
  const address = Object.hasOwn(everyAddress, host)
    ? (outward?.address ?? everyAddress[host] ?? host)
    : host;
  return address.includes(':') ? `[${address}]` : address;
}
