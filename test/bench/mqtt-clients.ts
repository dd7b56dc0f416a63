import mqtt from 'mqtt';
import { Slots } from '../../shared/domain/slots.ts';
import type { MosquittoBroker } from '../support/peers.ts';

const connectsAtOnce = 100;
const quiet = { reconnectPeriod: 0, keepalive: 600, connectTimeout: 60_000 };

/** Who a client is. */
export interface Login {
  readonly id: string;
  readonly secret: string;
}

/** One status of a device, as the topics of the cloud have it. */
export type Status = Readonly<Record<string, unknown>>;

/** Clients in the place of devices: each listens to its own job topic and publishes to its own status topic. */
export class MqttClients {
  readonly #clients = new Map<string, mqtt.MqttClient>();
  readonly #jobs = new Map<string, string>();
  #onJob: () => void = () => undefined;

  /** Connects and subscribes all, so many at once as the simulated fleet does; gives the time in milliseconds. */
  async connect(url: string, logins: readonly Login[]): Promise<number> {
    const startedMs = performance.now();
    const slots = new Slots(connectsAtOnce);
    await Promise.all(logins.map((login) => slots.hold(1, () => this.#connectOne(url, login))));
    return performance.now() - startedMs;
  }

  async #connectOne(url: string, { id, secret }: Login): Promise<void> {
    const login = { clientId: id, username: id, password: secret };
    const client = await mqtt.connectAsync(url, { ...quiet, ...login, protocolVersion: 4 });
    client.on('message', (_topic, payload) => {
      this.#jobs.set(id, payload.toString());
      this.#onJob();
    });
    this.#clients.set(id, client);
    await client.subscribeAsync(`ota/v1/${id}/job`, { qos: 1 });
  }

  /** Client id to the message it got last. */
  get jobs(): ReadonlyMap<string, string> {
    return this.#jobs;
  }

  /** Resolves when every client has got a message. */
  async allTold(): Promise<void> {
    await new Promise<void>((done) => {
      this.#onJob = () => {
        if (this.#jobs.size === this.#clients.size) done();
      };
      this.#onJob();
    });
  }

  /** Each client publishes its statuses, QoS 1, the next when the one before is acknowledged. */
  async report(statusesOf: (id: string) => readonly Status[]): Promise<void> {
    const reports = [...this.#clients].map(async ([id, client]) => {
      for (const status of statusesOf(id))
        await client.publishAsync(`ota/v1/${id}/status`, JSON.stringify(status), { qos: 1 });
    });
    await Promise.all(reports);
  }

  close(): void {
    for (const client of this.#clients.values()) client.end(true);
  }
}

/** What stands in for the cloud at another broker: one client that tells all and hears all. */
export class Collector {
  readonly #client: mqtt.MqttClient;
  #heard = 0;
  #onHeard: () => void = () => undefined;

  private constructor(client: mqtt.MqttClient) {
    this.#client = client;
    client.on('message', () => {
      this.#heard++;
      this.#onHeard();
    });
  }

  static async join(broker: MosquittoBroker): Promise<Collector> {
    const client = await mqtt.connectAsync(broker.url, { ...quiet, protocolVersion: 4 });
    await client.subscribeAsync('ota/v1/+/status', { qos: 1 });
    return new Collector(client);
  }

  async tell(ids: readonly string[], payload: string): Promise<void> {
    await Promise.all(
      ids.map((id) => this.#client.publishAsync(`ota/v1/${id}/job`, payload, { qos: 1 })),
    );
  }

  /** Resolves when so many statuses have arrived. */
  async hears(count: number): Promise<void> {
    await new Promise<void>((done) => {
      this.#onHeard = () => {
        if (this.#heard >= count) done();
      };
      this.#onHeard();
    });
  }

  close(): void {
    this.#client.end(true);
  }
}
