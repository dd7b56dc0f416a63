import { z } from 'zod';
import type { FleetUsers } from '../../../shared/contract/cloud-calls.ts';
import { type DeviceHttp, HttpRefusal } from './device-http.ts';
import type { DeviceJob, JobStep, Outcome, SimulatedDevice } from './simulated-device.ts';
import { backoffMs, type Timers } from './timers.ts';

const linkSchema = z.object({ href: z.url({ protocol: /^https?$/ }) });
const baseSchema = z.object({
  config: z.object({ polling: z.object({ sleep: z.string().regex(/^\d\d:\d\d:\d\d$/) }) }),
  _links: z
    .object({
      deploymentBase: linkSchema.optional(),
      confirmationBase: linkSchema.optional(),
      configData: linkSchema.optional(),
    })
    .default({}),
});
const deploymentSchema = z.object({
  id: z.string(),
  deployment: z.object({
    chunks: z
      .array(
        z.object({
          part: z.string(),
          version: z.string(),
          metadata: z.array(z.object({ key: z.string(), value: z.string() })).default([]),
          artifacts: z
            .array(
              z.object({
                size: z.number().int().positive(),
                hashes: z.object({ sha256: z.string() }),
                _links: z.object({ 'download-http': linkSchema }),
              }),
            )
            .min(1),
        }),
      )
      .min(1),
  }),
});

/** The cloud has closed the job: the device drops it and asks again. */
class JobOver extends Error {}

/** A device that polls: Eclipse hawkBit DDI v1 (`/default/controller/v1/{id}`). */
export class DdiDevice {
  readonly #device: SimulatedDevice;
  readonly #http: DeviceHttp;
  readonly #timers: Timers;
  readonly #base: string;
  readonly #fixedPollMs: number | undefined;
  readonly #onTrouble: (error: unknown) => void;
  readonly #users: FleetUsers;
  #pollMs: number;
  #isIntroduced = false;

  constructor(
    device: SimulatedDevice,
    parts: {
      readonly http: DeviceHttp;
      readonly timers: Timers;
      readonly cloud: string;
      readonly firstPollMs: number;
      /** Instead of the time that the cloud asks for. */
      readonly fixedPollMs: number | undefined;
      readonly users: FleetUsers;
      readonly onTrouble: (error: unknown) => void;
    },
  ) {
    this.#device = device;
    this.#http = parts.http;
    this.#timers = parts.timers;
    this.#base = `${parts.cloud.replace(/\/+$/, '')}/default/controller/v1/${encodeURIComponent(device.id)}`;
    this.#fixedPollMs = parts.fixedPollMs;
    this.#pollMs = parts.fixedPollMs ?? parts.firstPollMs;
    this.#users = parts.users;
    this.#onTrouble = parts.onTrouble;
  }

  /** Polls for ever; `phase` is its place, 0..1, in the period, so that a fleet polls evenly. */
  async run(phase: number): Promise<never> {
    await this.#timers.sleep(phase * this.#pollMs);
    let failures = 0;
    let dueMs = performance.now();
    for (;;) {
      try {
        await this.#poll();
        failures = 0;
        // Polls that a long job kept it from are left out; its place in the period stays.
        const missed = Math.floor((performance.now() - dueMs) / this.#pollMs);
        dueMs += (missed + 1) * this.#pollMs;
      } catch (error) {
        this.#onTrouble(error);
        dueMs = performance.now() + backoffMs(++failures);
      }
      await this.#timers.sleep(dueMs - performance.now());
    }
  }

  async #poll(): Promise<void> {
    if (!this.#isIntroduced) await this.#introduce();
    const { config, _links } = baseSchema.parse(await this.#get(this.#base));
    this.#pollMs = this.#fixedPollMs ?? sleepMs(config.polling.sleep);
    if (_links.configData) await this.#reportAttributes(_links.configData.href);
    if (_links.confirmationBase) await this.#askUser(_links.confirmationBase.href);
    if (!_links.deploymentBase) return;
    try {
      await this.#deploy(_links.deploymentBase.href);
    } catch (error) {
      if (!(error instanceof JobOver)) throw error;
    }
  }

  async #deploy(href: string): Promise<void> {
    const job = toJob(await unlessOver(this.#get(href)));
    const outcome = await this.#device.carryOut(job, (step, progress) =>
      this.#tell(href, step, progress),
    );
    await this.#close(href, outcome);
    if (outcome.ok) await this.#reportAttributes(`${this.#base}/configData`);
  }

  /** Only what matters is told again and again; a lost word about progress is not. */
  async #tell(href: string, step: JobStep, progress: number): Promise<void> {
    if (step === 'VERIFIED') return;
    const execution = step === 'DOWNLOADED' ? 'downloaded' : 'proceeding';
    const result = {
      finished: 'none',
      progress: { cnt: Math.round(progress * 100), of: 100 },
    };
    try {
      await this.#feedback(href, { execution, result, details: [] });
    } catch (error) {
      if (error instanceof JobOver) throw error;
      this.#onTrouble(error);
    }
  }

  async #close(href: string, outcome: Outcome): Promise<void> {
    await this.#feedback(href, {
      execution: 'closed',
      result: { finished: outcome.ok ? 'success' : 'failure' },
      details: outcome.ok ? [] : [outcome.code],
    });
  }

  async #feedback(href: string, status: object): Promise<void> {
    const url = feedbackUrl(href);
    const { secret } = this.#device;
    await unlessOver(this.#http.call({ method: 'POST', url, secret, json: { status } }));
  }

  /** Says before the first poll what the cloud would not ask for: how it is, and that it confirms by itself. */
  async #introduce(): Promise<void> {
    if (this.#device.signals.hasAny) await this.#reportAttributes(`${this.#base}/configData`);
    if (this.#users === 'auto') {
      const url = `${this.#base}/confirmationBase/activateAutoConfirm`;
      const { secret } = this.#device;
      await this.#http.call({ method: 'POST', url, secret, json: { initiator: 'fleet' } });
    }
    this.#isIntroduced = true;
  }

  async #askUser(href: string): Promise<void> {
    if (this.#users !== 'confirm' && this.#users !== 'deny') return;
    const confirmation = this.#users === 'confirm' ? 'confirmed' : 'denied';
    const { secret } = this.#device;
    await this.#http.call({
      method: 'POST',
      url: feedbackUrl(href),
      secret,
      json: { confirmation, details: [] },
    });
  }

  async #reportAttributes(url: string): Promise<void> {
    const data = Object.fromEntries([
      ...Object.entries(this.#device.versions).map(([id, version]) => [`version.${id}`, version]),
      ...Object.entries(this.#device.signals.now()).map(([key, value]) => [key, String(value)]),
    ]);
    const { secret } = this.#device;
    await this.#http.call({ method: 'PUT', url, secret, json: { mode: 'merge', data } });
  }

  #get(url: string): Promise<unknown> {
    return this.#http.call({ method: 'GET', url, secret: this.#device.secret });
  }
}

/** Where feedback about a link of DDI goes: below its path, without its query. */
export const feedbackUrl = (href: string): string => `${href.replace(/\?.*$/, '')}/feedback`;

async function unlessOver<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof HttpRefusal && (error.status === 404 || error.status === 410))
      throw new JobOver();
    throw error;
  }
}

function toJob(answer: unknown): DeviceJob {
  const { id, deployment } = deploymentSchema.parse(answer);
  const [chunk] = deployment.chunks;
  const [artifact] = chunk?.artifacts ?? [];
  if (!chunk || !artifact) throw new Error('the deployment has no artifact');
  const metadata = new Map(chunk.metadata.map(({ key, value }) => [key, value]));
  return {
    actionId: id,
    componentId: chunk.part,
    packageType: metadata.get('packageType') === 'delta' ? 'delta' : 'full',
    sourceVersion: metadata.get('sourceVersion') ?? null,
    targetVersion: chunk.version,
    targetSha256: metadata.get('targetSha256') ?? null,
    url: artifact._links['download-http'].href,
    sizeBytes: artifact.size,
    sha256: artifact.hashes.sha256,
  };
}

/** DDI's `HH:MM:SS` in milliseconds. */
function sleepMs(text: string): number {
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return Math.max(1, hours * 3600 + minutes * 60 + seconds) * 1000;
}
