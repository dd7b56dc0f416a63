import mqtt from 'mqtt';
import { z } from 'zod';
import type { FleetUsers } from '../../../shared/contract/cloud-calls.ts';
import type { DeviceJob, JobStep, SimulatedDevice } from './simulated-device.ts';
import type { Slots } from '../../../shared/domain/slots.ts';
import { backoffMs, type Timers } from './timers.ts';

const keepAliveSec = 120;
const connectTimeoutMs = 30_000;

/** How often a device that has something to tell about itself does. */
const signalPeriodMs = 2_000;

const jobSchema = z.union([
  z.object({ job: z.null() }),
  z.object({ job: z.string(), confirm: z.literal(true) }),
  z.object({
    job: z.union([z.string(), z.number()]).transform(String),
    component: z.string(),
    packageType: z.enum(['full', 'delta']),
    sourceVersion: z.string().nullish(),
    targetVersion: z.string(),
    targetSha256: z.string().nullish(),
    url: z.url({ protocol: /^https?$/ }),
    sizeBytes: z.number().int().positive(),
    sha256: z.string(),
  }),
]);

type State = JobStep | 'SUCCEEDED' | 'FAILED' | 'CONFIRMED' | 'REJECTED';

/** A device on the broker: MQTT 3.1.1, topics `ota/v1/{device}/get`, `/job` and `/status`, QoS 1. */
export class MqttDevice {
  readonly #device: SimulatedDevice;
  readonly #client: mqtt.MqttClient;
  readonly #timers: Timers;
  readonly #connecting: Slots;
  readonly #onTrouble: (error: unknown) => void;
  readonly #users: FleetUsers;
  readonly #topics: Readonly<Record<'get' | 'job' | 'status', string>>;
  #failures = 0;
  #working = false;
  #closed = false;
  #markOnline: () => void = () => undefined;
  #markGreeted: () => void = () => undefined;
  /** Resolves when it has subscribed for the first time. */
  readonly online: Promise<void>;

  constructor(
    device: SimulatedDevice,
    parts: {
      readonly broker: string;
      readonly timers: Timers;
      /** Bounds how many of the fleet connect at the same time. */
      readonly connecting: Slots;
      readonly users: FleetUsers;
      readonly onTrouble: (error: unknown) => void;
    },
  ) {
    this.#device = device;
    this.#timers = parts.timers;
    this.#connecting = parts.connecting;
    this.#onTrouble = parts.onTrouble;
    this.#users = parts.users;
    const base = `ota/v1/${device.id}`;
    this.#topics = { get: `${base}/get`, job: `${base}/job`, status: `${base}/status` };
    this.online = new Promise((done) => {
      this.#markOnline = done;
    });
    this.#client = mqtt.connect(parts.broker, {
      manualConnect: true,
      protocolVersion: 4,
      clientId: device.id,
      username: device.id,
      password: device.secret,
      clean: true,
      keepalive: keepAliveSec,
      connectTimeout: connectTimeoutMs,
      // The fleet reconnects itself: with backoff, spread, and not all at once.
      reconnectPeriod: 0,
      resubscribe: false,
    });
    this.#client.on('error', this.#onTrouble);
    this.#client.on('connect', () => void this.#greet());
    this.#client.on('message', (_topic, payload) => this.#onMessage(payload));
  }

  /** Stays connected for ever. */
  async run(): Promise<void> {
    if (this.#device.signals.hasAny) void this.#tellSignals();
    for (let first = true; !this.#closed; first = false) {
      const ended = new Promise<void>((done) => this.#client.once('close', done));
      await this.#connecting.hold(1, () => {
        const greeted = new Promise<void>((done) => {
          this.#markGreeted = done;
        });
        if (first) this.#client.connect();
        else this.#client.reconnect();
        return Promise.race([greeted, ended]);
      });
      await ended;
      await this.#timers.sleep(backoffMs(++this.#failures));
    }
  }

  close(): void {
    this.#closed = true;
    this.#client.end(true);
  }

  /** Listens for jobs, then asks for one by saying what it runs. */
  async #greet(): Promise<void> {
    try {
      await this.#client.subscribeAsync(this.#topics.job, { qos: 1 });
    } catch (error) {
      if (this.#closed) return;
      this.#onTrouble(error);
      this.#client.stream.destroy();
      return;
    }
    this.#failures = 0;
    this.#ask();
    this.#markGreeted();
    this.#markOnline();
  }

  #onMessage(payload: Buffer): void {
    try {
      const offer = jobSchema.parse(JSON.parse(payload.toString()));
      // A job that comes while one is done is asked for again afterwards.
      if (offer.job === null || this.#working) return;
      if ('confirm' in offer) {
        this.#askUser(offer.job);
        return;
      }
      const { job, component, ...rest } = offer;
      this.#working = true;
      this.#carryOut({
        ...rest,
        actionId: job,
        componentId: component,
        sourceVersion: offer.sourceVersion ?? null,
        targetSha256: offer.targetSha256 ?? null,
      }).catch(this.#onTrouble);
    } catch (error) {
      this.#onTrouble(error);
    }
  }

  async #carryOut(job: DeviceJob): Promise<void> {
    try {
      const tell = async (state: JobStep, progress: number): Promise<void> =>
        this.#tell(job.actionId, state, { progress });
      const outcome = await this.#device.carryOut(job, tell);
      if (outcome.ok) this.#tell(job.actionId, 'SUCCEEDED', { version: outcome.version });
      else this.#tell(job.actionId, 'FAILED', { code: outcome.code });
    } finally {
      this.#working = false;
    }
    this.#ask();
  }

  #tell(job: string, state: State, detail: object): void {
    this.#publish(this.#topics.status, { job, state, ...detail });
  }

  #askUser(job: string): void {
    if (this.#users === 'confirm') this.#tell(job, 'CONFIRMED', {});
    else if (this.#users === 'deny') this.#tell(job, 'REJECTED', {});
  }

  #ask(): void {
    this.#publish(this.#topics.get, {
      versions: this.#device.versions,
      ...this.#device.signals.now(),
      ...(this.#users === 'auto' ? { autoConfirm: true } : {}),
    });
  }

  async #tellSignals(): Promise<void> {
    for (let told = ''; !this.#closed; await this.#timers.sleep(signalPeriodMs)) {
      const now = JSON.stringify(this.#device.signals.now());
      if (now !== told && this.#client.connected && !this.#working) this.#ask();
      told = now;
    }
  }

  /** What is published while offline is lost: on its return the device says what it runs and is asked again. */
  #publish(topic: string, message: object): void {
    if (!this.#client.connected) return;
    this.#client.publish(topic, JSON.stringify(message), { qos: 1 }, (error) => {
      if (error && !this.#closed) this.#onTrouble(error);
    });
  }
}
