import { type IClientOptions, type MqttClient, connect } from 'mqtt';
import { problem } from '../../../shared/domain/problem.ts';
import type { Complaints } from '../complaints.ts';
import { deviceTopicFilters } from './topics.ts';

const firstConnectTimeoutMs = 10_000;
const reconnectPeriodMs = 500;
const keepAliveSeconds = 30;

/** A user name and password that open an MQTT connection. */
export interface MqttLogin {
  readonly username: string;
  readonly password: string;
}

export interface BrokerClientOptions {
  /** `mqtt://host:port` or `mqtts://host:port`, without a login. */
  readonly url: string;
  readonly login: MqttLogin | null;
  /** The same after a restart, so that the broker hands over what came meanwhile. */
  readonly clientId: string;
  readonly complaints: Complaints;
  /** Takes a message of a device. */
  readonly receive: (topic: string, payload: Buffer) => Promise<void>;
  /** Called when the broker can be used, at the start and whenever it is back. */
  readonly onConnected: () => void;
  readonly isReachable: (deviceId: string) => boolean;
}

/** The cloud as a client of any MQTT 3.1.1 broker that is reached by its address. */
export class BrokerClient {
  readonly #options: BrokerClientOptions;
  readonly #client: MqttClient;
  #state: 'starting' | 'running' | 'closed' = 'starting';

  constructor(options: BrokerClientOptions) {
    this.#options = options;
    this.#client = connect(options.url, clientOptions(options));
    this.#client.on('message', (topic, payload) => {
      options.receive(topic, payload).catch(this.#complain);
    });
    this.#client.on('error', this.#complain);
  }

  /** Connects and subscribes. @throws ProblemError `mqtt-unreachable`, `mqtt-refused` */
  async start(): Promise<void> {
    await this.#firstConnect();
    await this.#subscribe();
    this.#state = 'running';
    this.#client.on('connect', () => void this.#subscribe().catch(this.#complain));
  }

  async publish(topic: string, payload: string): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1 });
  }

  isReachable(deviceId: string): boolean {
    return this.#options.isReachable(deviceId);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    await this.#client.endAsync(true);
  }

  readonly #complain = (error: Error): void => {
    if (this.#state === 'running') this.#options.complaints.about('adapter', error.message);
  };

  async #firstConnect(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((done, fail) => {
        timer = setTimeout(() => fail(new Error('it does not answer')), firstConnectTimeoutMs);
        this.#client.once('connect', () => done()).once('error', fail);
      });
    } catch (error) {
      throw problem(
        'mqtt-unreachable',
        'The MQTT broker cannot be used',
        `${this.#options.url}: ${(error as Error).message || String(error)}`,
        'Check that the broker runs, its address, and SLIPWAY_MQTT_USERNAME and SLIPWAY_MQTT_PASSWORD.',
      );
    } finally {
      clearTimeout(timer);
    }
  }

  async #subscribe(): Promise<void> {
    try {
      await this.#client.subscribeAsync([...deviceTopicFilters], { qos: 1 });
    } catch (error) {
      throw problem(
        'mqtt-refused',
        'The MQTT broker refused the subscription',
        `${this.#options.url}, ${deviceTopicFilters.join(' and ')}: ${(error as Error).message}`,
        "Let the cloud's user read these topics and write ota/v1/+/job.",
      );
    }
    this.#options.onConnected();
  }
}

function clientOptions({ clientId, login }: BrokerClientOptions): IClientOptions {
  return {
    clientId,
    clean: false,
    ...login,
    protocolVersion: 4,
    reconnectPeriod: reconnectPeriodMs,
    connectTimeout: firstConnectTimeoutMs,
    keepalive: keepAliveSeconds,
    // Done by hand on every connect, before devices are told anything.
    resubscribe: false,
  };
}
