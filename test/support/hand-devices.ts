import { type MqttClient, connectAsync } from 'mqtt';
import { feedbackUrl } from '../../electron/boards/fleet/ddi-device.ts';
import { componentId } from './cloud.ts';

/** A DDI device that does exactly what the test tells it. */
export class HandHttpDevice {
  readonly #root: string;
  readonly #secret: string;

  constructor(http: string, id: string, secret: string) {
    this.#root = `${http}/default/controller/v1/${id}`;
    this.#secret = secret;
  }

  ask(method: string, url: string, body?: object): Promise<Response> {
    return fetch(url.startsWith('http') ? url : `${this.#root}${url}`, {
      method,
      headers: {
        authorization: `TargetToken ${this.#secret}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
  }

  /** The address of its job, or null. */
  async poll(): Promise<string | null> {
    const answer = (await (await this.ask('GET', '')).json()) as {
      _links: { deploymentBase?: { href: string } };
    };
    return answer._links.deploymentBase?.href ?? null;
  }

  /** Polls and fetches the job. */
  async begin(): Promise<{
    href: string;
    version: string;
    metadata: Record<string, string>;
    artifact: string;
  }> {
    const href = await this.poll();
    if (href === null) throw new Error('there is no job');
    const { deployment } = (await (await this.ask('GET', href)).json()) as {
      deployment: {
        chunks: [
          {
            version: string;
            metadata: { key: string; value: string }[];
            artifacts: [{ _links: { download: { href: string } } }];
          },
        ];
      };
    };
    const [chunk] = deployment.chunks;
    return {
      href,
      version: chunk.version,
      metadata: Object.fromEntries(chunk.metadata.map(({ key, value }) => [key, value])),
      artifact: chunk.artifacts[0]._links.download.href,
    };
  }

  async feedback(href: string, execution: string, finished = 'none', code?: string) {
    const status = { execution, result: { finished }, ...(code ? { code } : {}) };
    return (await this.ask('POST', feedbackUrl(href), { status })).status;
  }

  async runs(version: string, component = componentId): Promise<number> {
    const data = { [`version.${component}`]: version };
    return (await this.ask('PUT', '/configData', { mode: 'merge', data })).status;
  }
}

export interface JobMessage {
  readonly job: string | null;
  readonly component: string;
  readonly packageType: string;
  readonly sourceVersion: string | null;
  readonly targetVersion: string;
  readonly name: string;
  readonly url: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** An MQTT device that does exactly what the test tells it, and remembers every job message. */
export class HandMqttDevice {
  readonly id: string;
  readonly client: MqttClient;
  readonly jobs: JobMessage[] = [];

  private constructor(id: string, client: MqttClient) {
    this.id = id;
    this.client = client;
    client.on('message', (_topic, payload) =>
      this.jobs.push(JSON.parse(payload.toString()) as JobMessage),
    );
    client.on('error', () => undefined);
  }

  static async connect(mqtt: string, id: string, secret: string): Promise<HandMqttDevice> {
    const client = await connectAsync(mqtt, {
      clientId: id,
      username: id,
      password: secret,
      reconnectPeriod: 0,
    });
    const device = new HandMqttDevice(id, client);
    await client.subscribeAsync(`ota/v1/${id}/job`, { qos: 1 });
    return device;
  }

  async get(version: string): Promise<void> {
    await this.send('get', { versions: { [componentId]: version } });
  }

  async status(job: string | null | undefined, state: string, more: object = {}): Promise<void> {
    await this.send('status', { job, state, ...more });
  }

  async send(kind: 'get' | 'status', body: object | string): Promise<void> {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    await this.client.publishAsync(`ota/v1/${this.id}/${kind}`, payload, { qos: 1 });
  }

  async close(): Promise<void> {
    await this.client.endAsync(true);
  }
}
