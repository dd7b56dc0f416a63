import type { z } from 'zod';
import { toProblem } from '../../../shared/domain/problem.ts';
import type { Complaints } from '../complaints.ts';
import type { Job } from '../plans/rollout-engine.ts';
import type { CloudParts } from '../types.ts';
import { Announcer } from './announcer.ts';
import {
  answerMessageSchema,
  consentAct,
  getMessageSchema,
  invitationMessage,
  jobMessage,
  statusMessageSchema,
  statusReport,
} from './messages.ts';
import { jobTopic, parseDeviceTopic } from './topics.ts';

/** The broker as the adapter sees it. */
export interface DeviceLink {
  /** Publishes to whoever listens, QoS 1. */
  publish(topic: string, payload: string): Promise<void>;
  /** Whether it is worth telling this device now. */
  isReachable(deviceId: string): boolean;
}

export interface AdapterOptions {
  readonly parts: CloudParts;
  readonly link: DeviceLink;
  readonly artifactUrl: (actionId: number) => string;
  readonly complaints: Complaints;
}

/**
 * Carries jobs to MQTT devices and their reports back, through the broker in this process or any other.
 *
 * The database is the only truth: the embedded broker acknowledges a message (PUBACK) when the rollout
 * has stored it, another broker before, so that its PUBACK promises nothing. What a kill of the cloud
 * swallowed comes back because a device sends `get` with its versions after every connect, because
 * every unfinished device is told its job again whenever the cloud connects, and because the engine
 * takes each report any number of times: a swallowed success is proven by the versions in the next
 * `get`, or by the device that gets the job again and answers that it runs the target version already;
 * a swallowed failure comes up again with the same job. A job's id stays the same until the job is over.
 *
 * The embedded broker lets a device use its own topics only. With an external broker that is the duty
 * of the broker's access list: whoever may publish to `ota/v1/X/status` is believed to be device X.
 */
export class OtaAdapter {
  readonly #options: AdapterOptions;
  readonly #announcer: Announcer;
  #closed = false;

  constructor(options: AdapterOptions) {
    this.#options = options;
    this.#announcer = new Announcer((deviceId) => this.#announce(deviceId));
  }

  /** Tells reachable devices that may begin because this plan changed. */
  announcePlan(planId: string): void {
    this.#announceTo(this.#waiting(planId));
  }

  /** Tells one device its next job, if it has one and is reachable. */
  announceDevice(deviceId: string): void {
    this.#announceTo([deviceId]);
  }

  /** Tells every reachable device with an unfinished job, for what was lost while the broker was away. */
  announceUnfinished(): void {
    this.#announceTo([...this.#waiting(null), ...this.#options.parts.rollout.upgradingDevices()]);
  }

  /**
   * Takes a message of a device; resolves when what it says is stored.
   * @throws the error of the database
   */
  async receive(topic: string, payload: Buffer): Promise<void> {
    const from = parseDeviceTopic(topic);
    if (!from || !this.#options.parts.devices.seen(from.deviceId)) {
      this.#options.complaints.about('unknown device', JSON.stringify(topic));
      return;
    }
    await this.#handle(from.deviceId, from.kind, payload);
  }

  /** Tells nobody anything more. */
  close(): void {
    this.#closed = true;
    this.#announcer.clear();
  }

  #waiting(planId: string | null): string[] {
    const devices = this.#options.parts.rollout.waitingDevices(planId);
    return devices.map(({ deviceId }) => deviceId);
  }

  #announceTo(deviceIds: readonly string[]): void {
    const { link } = this.#options;
    this.#announcer.add(deviceIds.filter((deviceId) => link.isReachable(deviceId)));
  }

  async #announce(deviceId: string): Promise<void> {
    const { engine } = this.#options.parts;
    try {
      const job = (await engine.offer(deviceId)) ?? engine.unprovenJob(deviceId);
      if (job) await this.#sendJob(deviceId, job);
      else await this.#invite(deviceId);
    } catch (error) {
      if (!this.#closed) this.#options.complaints.about('adapter', toProblem(error).detail);
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
    await this.#options.link.publish(jobTopic(deviceId), payload);
  }

  async #handle(deviceId: string, kind: 'get' | 'status', payload: Buffer): Promise<void> {
    try {
      await this.#options.parts.limits.ofDevice(deviceId);
    } catch (error) {
      this.#options.complaints.about(deviceId, toProblem(error).detail);
      return;
    }
    const said = parseJson(payload);
    if (kind === 'get') await this.#handleGet(deviceId, said);
    else await this.#handleStatus(deviceId, said);
  }

  async #handleGet(deviceId: string, said: unknown): Promise<void> {
    const message = this.#read(getMessageSchema, deviceId, said);
    if (!message) return;
    const { engine, consents } = this.#options.parts;
    const { versions, battery, rsrp, autoConfirm } = message;
    await engine.reportVersions(deviceId, versions, 'mqtt');
    const signals = { batteryPercent: battery, rsrpDbm: rsrp, autoConfirm };
    await consents.reportSignals(deviceId, signals, { isAsking: true });
    await this.#answer(deviceId);
  }

  async #handleStatus(deviceId: string, said: unknown): Promise<void> {
    const { engine, consents } = this.#options.parts;
    const answer = answerMessageSchema.safeParse(said).data;
    // A job that was begun can be rejected too, which is a failure then.
    if (answer && (answer.state !== 'REJECTED' || engine.awaitsConsent(Number(answer.job)))) {
      const taken = await consents.answerJob(deviceId, Number(answer.job), consentAct(answer));
      if (taken === 'refused') this.#options.complaints.about(deviceId, 'its window was refused');
      if (taken !== 'accepted') await this.#answer(deviceId);
      return;
    }
    const message = this.#read(statusMessageSchema, deviceId, said);
    if (!message) return;
    const outcome = await engine.report(deviceId, Number(message.job), statusReport(message));
    // It works on something that is over: it learns what it has to do now.
    if (outcome !== 'accepted') await this.#answer(deviceId);
  }

  /** The message, or null after a complaint when it is none. */
  #read<S extends z.ZodType>(schema: S, deviceId: string, said: unknown): z.output<S> | null {
    const result = schema.safeParse(said);
    if (result.success) return result.data;
    const [issue] = result.error.issues;
    const where = issue?.path.map(String).join('.') || 'JSON';
    this.#options.complaints.about(deviceId, `message ignored: ${where}: ${issue?.message}`);
    return null;
  }
}

function parseJson(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
}
