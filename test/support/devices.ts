import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MqttClient, connectAsync } from 'mqtt';
import { feedbackUrl } from '../../electron/boards/fleet/ddi-device.ts';
import { componentId } from './cloud.ts';

/** How a simulated device is reached and who it is. */
export interface DeviceLogin {
  readonly id: string;
  readonly secret: string;
  /** Where the broker is another one than the cloud's, and asks for another password. */
  readonly brokerPassword?: string;
}

/** Devices wait at it until the test opens it. */
export interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

export function makeGate(): Gate {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((done) => {
    open = done;
  });
  return { opened, open: () => open() };
}

interface Artifact {
  readonly job: string;
  readonly targetVersion: string;
  readonly url: string;
  readonly sizeBytes: number;
  readonly sha256: string;
}

/** What both kinds of device do: download with resume, check, "install" by taking the version on. */
abstract class TestDevice {
  readonly login: DeviceLogin;
  version: string;
  /** Versions in the order they were installed. */
  readonly installed: string[] = [];
  protected readonly stopping = new AbortController();

  /** When it may install: the test decides how far a fleet goes. */
  readonly #mayInstall: Promise<void>;

  constructor(login: DeviceLogin, version: string, mayInstall: Promise<void>) {
    this.login = login;
    this.version = version;
    this.#mayInstall = mayInstall;
  }

  protected get headers(): Record<string, string> {
    return { authorization: `TargetToken ${this.login.secret}` };
  }

  protected pause(): Promise<void> {
    return sleep(100 + Math.random() * 200, undefined, { signal: this.stopping.signal });
  }

  /** Downloads in as many pieces as it takes, whatever happens to the cloud meanwhile. */
  protected async download(artifact: Artifact): Promise<void> {
    const pieces: Buffer[] = [];
    for (let got = 0; got < artifact.sizeBytes; ) {
      try {
        const answer = await fetch(artifact.url, {
          headers: { ...this.headers, range: `bytes=${got}-`, 'if-range': `"${artifact.sha256}"` },
          signal: this.stopping.signal,
        });
        if (answer.status !== 206) throw new Error(`download answered ${answer.status}`);
        for await (const piece of answer.body ?? []) {
          pieces.push(Buffer.from(piece));
          got += piece.length;
        }
      } catch (error) {
        if (this.stopping.signal.aborted) throw error;
        await this.pause();
      }
    }
    const sha256 = createHash('sha256').update(Buffer.concat(pieces)).digest('hex');
    if (sha256 !== artifact.sha256) throw new Error(`${this.login.id} got other bytes`);
  }

  protected async install(artifact: Artifact): Promise<void> {
    await this.#mayInstall;
    await this.pause();
    this.installed.push(artifact.targetVersion);
    this.version = artifact.targetVersion;
  }
}

/** A device that speaks DDI v1. */
export class HttpDevice extends TestDevice {
  readonly #root: string;
  #running: Promise<void> = Promise.resolve();

  constructor(http: string, login: DeviceLogin, version: string, mayInstall: Promise<void>) {
    super(login, version, mayInstall);
    this.#root = `${http}/default/controller/v1/${login.id}`;
  }

  start(): void {
    this.#running = this.#serve();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.#running;
  }

  async #serve(): Promise<void> {
    while (!this.stopping.signal.aborted) {
      try {
        await this.#poll();
        await this.pause();
      } catch {
        // The cloud is away, or the device is being stopped: the loop decides.
        await this.pause().catch(() => undefined);
      }
    }
  }

  async #poll(): Promise<void> {
    const base = (await this.#ask('GET', this.#root)) as {
      _links: Record<'deploymentBase' | 'configData', { href: string } | undefined>;
    };
    if (base._links.configData) await this.#sendVersion();
    const { deploymentBase } = base._links;
    if (!deploymentBase) return;
    const { deployment } = (await this.#ask('GET', deploymentBase.href)) as {
      deployment: {
        chunks: {
          version: string;
          artifacts: {
            size: number;
            hashes: { sha256: string };
            _links: { download: { href: string } };
          }[];
        }[];
      };
    };
    const chunk = deployment.chunks[0];
    const file = chunk?.artifacts[0];
    if (!chunk || !file) throw new Error('a deployment without a file');
    const feedback = (execution: string, finished = 'none') =>
      this.#ask('POST', feedbackUrl(deploymentBase.href), {
        status: { execution, result: { finished } },
      });
    if (this.version !== chunk.version) {
      await feedback('download');
      const artifact = {
        job: deploymentBase.href,
        targetVersion: chunk.version,
        url: file._links.download.href,
        sizeBytes: file.size,
        sha256: file.hashes.sha256,
      };
      await this.download(artifact);
      await feedback('downloaded');
      await this.install(artifact);
    }
    await feedback('closed', 'success');
    await this.#sendVersion();
  }

  #sendVersion(): Promise<unknown> {
    return this.#ask('PUT', `${this.#root}/configData`, {
      mode: 'merge',
      data: { [`version.${componentId}`]: this.version },
    });
  }

  async #ask(method: string, url: string, body?: unknown): Promise<unknown> {
    const answer = await fetch(url, {
      method,
      headers: {
        ...this.headers,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: this.stopping.signal,
    });
    if (!answer.ok) throw new Error(`${method} ${url} answered ${answer.status}`);
    return answer.json();
  }
}

/** A device that speaks the MQTT topics. */
export class MqttDevice extends TestDevice {
  readonly #mqtt: string;
  #client: MqttClient | null = null;
  #job = '';
  #working: Promise<void> = Promise.resolve();

  constructor(mqtt: string, login: DeviceLogin, version: string, mayInstall: Promise<void>) {
    super(login, version, mayInstall);
    this.#mqtt = mqtt;
  }

  async start(protocolVersion: 4 | 5 = 4): Promise<void> {
    const { id, secret, brokerPassword = secret } = this.login;
    const client = await connectAsync(this.#mqtt, {
      clientId: id,
      username: id,
      password: brokerPassword,
      protocolVersion,
      reconnectPeriod: 500,
      resubscribe: false,
    });
    this.#client = client;
    client.on('message', (_topic, payload) => this.#receive(payload));
    client.on('error', () => undefined);
    client.on('connect', () => this.#hello());
    this.#hello();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.#client?.endAsync(true);
    await this.#working;
  }

  #hello(): void {
    this.#client?.subscribe(`ota/v1/${this.login.id}/job`, { qos: 1 });
    this.#send('get', { versions: { [componentId]: this.version } });
  }

  #send(kind: 'get' | 'status', body: object): void {
    const payload = JSON.stringify(body);
    this.#client?.publish(`ota/v1/${this.login.id}/${kind}`, payload, { qos: 1 });
  }

  #receive(payload: Buffer): void {
    const message = JSON.parse(payload.toString()) as { job: null } | Artifact;
    if (message.job === null || message.job === this.#job) return;
    if (this.version === message.targetVersion) {
      this.#send('status', { job: message.job, state: 'SUCCEEDED', version: this.version });
      return;
    }
    this.#job = message.job;
    this.#working = this.#work(message).catch((error: unknown) => {
      if (!this.stopping.signal.aborted) throw error;
    });
  }

  async #work(artifact: Artifact): Promise<void> {
    const status = (state: string, more: object = {}): void =>
      this.#send('status', { job: artifact.job, state, ...more });
    status('DOWNLOADING', { progress: 0 });
    await this.download(artifact);
    status('DOWNLOADED');
    status('VERIFIED');
    status('UPDATING', { progress: 0 });
    await this.install(artifact);
    status('SUCCEEDED', { version: this.version });
    this.#job = '';
  }
}
