import { type IClientOptions, type MqttClient, connect } from 'mqtt';
import type { z } from 'zod';
import { problem, toProblem } from '../../../shared/domain/problem.ts';
import type { Job } from '../plans/rollout-engine.ts';
import type { ReachableDevice } from '../plans/rollout-store.ts';
import type { CloudParts } from '../types.ts';
import { Announcer } from './announcer.ts';
import type { MqttLogin } from './broker.ts';
import type { Complaints } from '../complaints.ts';
import {
  answerMessageSchema,
  consentAct,
  getMessageSchema,
  invitationMessage,
  jobMessage,
  statusMessageSchema,
  statusReport,
} from './messages.ts';
import { deviceTopicFilters, jobTopic, parseDeviceTopic } from './topics.ts';

const firstConnectTimeoutMs = 10_000;
const reconnectPeriodMs = 500;
const keepAliveSeconds = 30;

export interface AdapterOptions {
  /** `mqtt://host:port` or `mqtts://host:port`, without a login. */
  readonly url: string;
  readonly login: MqttLogin | null;
  /** Whether the broker is in this very process, so that its certificate proves nothing more. */
  readonly isOwnBroker?: boolean;
  readonly clientId: string;
  /** Whether the broker keeps what devices send while the cloud is down. */
  readonly keepSession: boolean;
  readonly parts: CloudParts;
  readonly artifactUrl: (actionId: number) => string;
  /** Whether it is worth telling this device now. */
  readonly isReachable: (device: ReachableDevice) => boolean;
  readonly complaints: Complaints;
}

/**
 * Carries jobs to MQTT devices and their reports back, as a client of any MQTT 3.1.1 broker.
 *
 * The broker acknowledges a device's message (PUBACK) before the rollout has stored it, so a PUBACK
 * promises nothing; the database is the only truth. What a kill of the cloud swallowed comes back
 * because a device sends `get` with its versions after every connect, because every unfinished device
 * is told its job again whenever this client connects, and because the engine takes each report any
 * number of times: a swallowed success is proven by the versions in the next `get`, or by the device
 * that gets the job again and answers that it runs the target version already; a swallowed failure
 * comes up again with the same job. A job's id stays the same until the job is over.
 *
 * The embedded broker lets a device use its own topics only. With an external broker that is the duty
 * of the broker's access list: whoever may publish to `ota/v1/X/status` is believed to be device X.
 */
export class OtaAdapter {
  readonly #options: AdapterOptions;
  readonly #client: MqttClient;
  readonly #announcer: Announcer;
  #state: 'starting' | 'running' | 'closed' = 'starting';

  private constructor(options: AdapterOptions) {
    this.#options = options;
    this.#announcer = new Announcer((deviceId) => this.#announce(deviceId));
    this.#client = connect(options.url, clientOptions(options));
    this.#client.on('message', (topic, payload) => this.#receive(topic, payload));
    this.#client.on('error', this.#complain);
  }

  /** Connects and subscribes. @throws ProblemError `mqtt-unreachable`, `mqtt-refused` */
  static async start(options: AdapterOptions): Promise<OtaAdapter> {
    const adapter = new OtaAdapter(options);
    try {
      await adapter.#firstConnect();
      await adapter.#subscribe();
    } catch (error) {
      await adapter.close();
      throw error;
    }
    adapter.#state = 'running';
    adapter.#client.on('connect', () => void adapter.#subscribe().catch(adapter.#complain));
    return adapter;
  }

  /** Tells reachable devices that may begin because this plan changed. */
  announcePlan(planId: string): void {
    this.#announceTo(this.#options.parts.rollout.waitingDevices(planId));
  }

  /** Tells one device its next job, if it has one and is reachable. */
  announceDevice(deviceId: string): void {
    const transport = this.#options.parts.devices.get(deviceId)?.transport;
    if (transport) this.#announceTo([{ deviceId, transport }]);
  }

  async close(): Promise<void> {
    this.#state = 'closed';
    this.#announcer.clear();
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

  /** Subscribes, then tells every device with an unfinished job, for what was lost while apart. */
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
    const { rollout } = this.#options.parts;
    this.#announceTo([...rollout.waitingDevices(null), ...rollout.upgradingDevices()]);
  }

  #announceTo(devices: readonly ReachableDevice[]): void {
    this.#announcer.add(devices.filter(this.#options.isReachable).map(({ deviceId }) => deviceId));
  }

  async #announce(deviceId: string): Promise<void> {
    const { engine } = this.#options.parts;
    try {
      const job = (await engine.offer(deviceId)) ?? engine.unprovenJob(deviceId);
      if (job) await this.#sendJob(deviceId, job);
      else await this.#invite(deviceId);
    } catch (error) {
      this.#complain(error as Error);
    }
  }

  /** The device learns what it has to do now, or what its user is asked, or that there is nothing. */
  async #answer(deviceId: string): Promise<void> {
    const job = await this.#options.parts.engine.offer(deviceId);
    if (job || !(await this.#invite(deviceId))) await this.#sendJob(deviceId, job);
  }

  async #sendJob(deviceId: string, job: Job | null): Promise<void> {
    await this.#publish(deviceId, jobMessage(job, this.#options.artifactUrl));
  }

  /** False when there is nothing to ask. */
  async #invite(deviceId: string): Promise<boolean> {
    const invitation = await this.#options.parts.consents.invitation(deviceId);
    if (invitation === null) return false;
    await this.#publish(deviceId, invitationMessage(invitation));
    return true;
  }

  async #publish(deviceId: string, payload: string): Promise<void> {
    await this.#client.publishAsync(jobTopic(deviceId), payload, { qos: 1 });
  }

  #receive(topic: string, payload: Buffer): void {
    const from = parseDeviceTopic(topic);
    if (!from || !this.#options.parts.devices.seen(from.deviceId)) {
      this.#options.complaints.about('unknown device', JSON.stringify(topic));
      return;
    }
    this.#handle(from.deviceId, from.kind, payload).catch(this.#complain);
  }

  async #handle(deviceId: string, kind: 'get' | 'status', payload: Buffer): Promise<void> {
    try {
      await this.#options.parts.limits.ofDevice(deviceId);
    } catch (error) {
      this.#options.complaints.about(deviceId, toProblem(error).detail);
      return;
    }
    if (kind === 'get') await this.#handleGet(deviceId, payload);
    else await this.#handleStatus(deviceId, payload);
  }

  async #handleGet(deviceId: string, payload: Buffer): Promise<void> {
    const message = this.#read(getMessageSchema, deviceId, payload);
    if (!message) return;
    const { engine, consents } = this.#options.parts;
    const { versions, battery, rsrp, autoConfirm } = message;
    await engine.reportVersions(deviceId, versions, 'mqtt');
    const signals = { batteryPercent: battery, rsrpDbm: rsrp, autoConfirm };
    await consents.reportSignals(deviceId, signals, { isAsking: true });
    await this.#answer(deviceId);
  }

  async #handleStatus(deviceId: string, payload: Buffer): Promise<void> {
    const { engine, consents } = this.#options.parts;
    const said = answerMessageSchema.safeParse(parseJson(payload)).data;
    // A job that was begun can be rejected too, which is a failure then.
    if (said && (said.state !== 'REJECTED' || engine.awaitsConsent(Number(said.job)))) {
      const taken = await consents.answerJob(deviceId, Number(said.job), consentAct(said));
      if (taken === 'refused') this.#options.complaints.about(deviceId, 'its window was refused');
      if (taken !== 'accepted') await this.#answer(deviceId);
      return;
    }
    const message = this.#read(statusMessageSchema, deviceId, payload);
    if (!message) return;
    const outcome = await engine.report(deviceId, Number(message.job), statusReport(message));
    // It works on something that is over: it learns what it has to do now.
    if (outcome !== 'accepted') await this.#answer(deviceId);
  }

  /** The message, or null after a complaint when it is none. */
  #read<S extends z.ZodType>(schema: S, deviceId: string, payload: Buffer): z.output<S> | null {
    const result = schema.safeParse(parseJson(payload));
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const where = issue?.path.map(String).join('.') || 'JSON';
    this.#options.complaints.about(deviceId, `message ignored: ${where}: ${issue?.message}`);
    return null;
  }
}

function clientOptions(options: AdapterOptions): IClientOptions {
  return {
    clientId: options.clientId,
    clean: !options.keepSession,
    ...options.login,
    rejectUnauthorized: !options.isOwnBroker,
    protocolVersion: 4,
    reconnectPeriod: reconnectPeriodMs,
    connectTimeout: firstConnectTimeoutMs,
    keepalive: keepAliveSeconds,
    // Done by hand on every connect, before devices are told anything.
    resubscribe: false,
  };
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
