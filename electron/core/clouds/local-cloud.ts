import { open, stat } from 'node:fs/promises';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AxiosRequestConfig } from 'axios';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type {
  CloudCapabilities,
  DecisionOrder,
  DeviceQuery,
  OtaCloud,
  Page,
  RolloutQuery,
} from '../../../shared/domain/cloud.ts';
import { problemSchema } from '../../../shared/domain/job.ts';
import { type Operator, operatorSchema } from '../../../shared/domain/operator.ts';
import {
  type ActOutcome,
  actOutcomeSchema,
  type Device,
  type DeviceAct,
  deviceSchema,
  type HistoryPoint,
  historyPointSchema,
  type Plan,
  type PlanStatus,
  planStatusSchema,
  type RolloutDevice,
  rolloutDeviceSchema,
} from '../../../shared/domain/plan.ts';
import { type DeviceLogEntry, deviceLogEntrySchema } from '../../../shared/domain/plan-stages.ts';
import { ProblemError, problem } from '../../../shared/domain/problem.ts';
import type { VersionPackage } from '../../../shared/domain/product.ts';
import type { ScopePolicy } from '../../../shared/domain/scope.ts';

const callTimeoutMs = 30_000;
const probeTimeoutMs = 2_000;
/** As long as the cloud waits for a whole request. */
const uploadTimeoutMs = 600_000;
const devicesPerRequest = 5_000;
/** Each of several commands takes its cloud away when it ends, but not endlessly. */
const maxSuccessors = 5;

const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ total: z.number().int().nonnegative(), items: z.array(item) });
/** A request that can be sent again: a body that is a stream is opened for each sending. */
type CloudRequest = AxiosRequestConfig & { readonly openBody?: () => Readable };

/** Where a cloud is, and the token that operates it. */
export interface OperatorAddress {
  readonly http: string;
  readonly token: string;
}

const anything = z.unknown();
const healthSchema = z.object({ ok: z.literal(true) });
const infoSchema = z.object({
  http: z.string(),
  mqtt: z.string(),
  coap: z.string().nullable().default(null),
  coaps: z.string().nullable().default(null),
});
const failureSchema = z.object({ error: problemSchema });
const addedSchema = z.object({
  added: z.number().int(),
  secrets: z.record(z.string(), z.string()),
  dtlsKeys: z.record(z.string(), z.string()).default({}),
});

/** What devices prove with who they are, by their ids. */
export interface DeviceCredentials {
  readonly secrets: Readonly<Record<string, string>>;
  /** Of those that use LwM2M, in hex: what their secret is under DTLS. */
  readonly dtlsKeys: Readonly<Record<string, string>>;
}

/** The embedded cloud over its operator API (`/api/v1`); nothing it answers is trusted unread. */
export class LocalCloud implements OtaCloud {
  readonly capabilities: CloudCapabilities = {
    kind: 'local',
    manualMode: true,
    sourceVersionMatching: true,
    endTime: true,
    stages: true,
    stopRules: true,
  };
  readonly #defaults: AxiosRequestConfig;
  readonly #address: string;
  readonly #successor: (() => Promise<OperatorAddress>) | null;

  /**
   * `successor` finds or starts the cloud that takes over when this one is gone, for a cloud that
   * another program may end at any time; every call may be made twice.
   * @throws ProblemError `cloud-address` when `http` is not an http or https URL
   */
  constructor(
    { http, token }: OperatorAddress,
    successor: (() => Promise<OperatorAddress>) | null = null,
  ) {
    this.#address = checkAddress(http);
    this.#successor = successor;
    this.#defaults = {
      adapter: 'http',
      baseURL: `${this.#address}/api/v1`,
      headers: { authorization: `Bearer ${token}` },
      timeout: callTimeoutMs,
      maxRedirects: 0,
      proxy: false,
      // A connection that the cloud closes for idleness just as it is used again would lose a call.
      httpAgent: new HttpAgent({ keepAlive: false }),
      httpsAgent: new HttpsAgent({ keepAlive: false }),
      maxBodyLength: Number.POSITIVE_INFINITY,
      validateStatus: () => true,
    };
  }

  /** Proves that a cloud is at the address and takes the token. @throws ProblemError when not */
  async check(): Promise<void> {
    const timeout = probeTimeoutMs;
    // The token goes out only after something there has answered like a cloud.
    await this.#call(healthSchema, {
      url: `${this.#address}/health`,
      timeout,
      headers: { authorization: false },
    });
    const params = { productId: '-', limit: 1 };
    await this.#call(pageOf(deviceSchema), { url: '/devices', params, timeout });
  }

  /** Whose token this is. @throws ProblemError `unauthorized` */
  operator(): Promise<Operator> {
    return this.#call(operatorSchema, { url: '/operator' });
  }

  /** Where devices reach the cloud. @throws ProblemError `no-such-route` from a cloud that does not tell */
  info(): Promise<z.infer<typeof infoSchema>> {
    return this.#call(infoSchema, { url: '/info' });
  }

  async putProduct({ id, name }: { id: string; name: string }): Promise<void> {
    await this.#call(anything, { method: 'put', url: `/products/${segment(id)}`, data: { name } });
  }

  devices(query: DeviceQuery): Promise<Page<Device>> {
    return this.#call(pageOf(deviceSchema), { url: '/devices', params: query });
  }

  /** `rotate` provisions known devices anew: a new secret, and the versions given here. */
  async putDevices(
    devices: readonly Device[],
    { rotate = false }: { readonly rotate?: boolean } = {},
  ): Promise<DeviceCredentials & { readonly added: number }> {
    const secrets: Record<string, string> = {};
    const dtlsKeys: Record<string, string> = {};
    let added = 0;
    for (let at = 0; at < devices.length; at += devicesPerRequest) {
      const data = { devices: devices.slice(at, at + devicesPerRequest), rotate };
      const part = await this.#call(addedSchema, { method: 'put', url: '/devices', data });
      added += part.added;
      Object.assign(secrets, part.secrets);
      Object.assign(dtlsKeys, part.dtlsKeys);
    }
    return { added, secrets, dtlsKeys };
  }

  /** Removes devices of a batch, except `keep` and those that a plan still waits for. */
  removeDevices(query: {
    readonly productId: string;
    readonly batch: string;
    readonly keep: readonly string[];
  }): Promise<{ removed: number }> {
    const answer = z.object({ removed: z.number().int() });
    return this.#call(answer, { method: 'post', url: '/devices/remove', data: query });
  }

  /** @throws ProblemError also `artifact-changed` when the file is not as long as announced */
  async putPackage(
    pkg: VersionPackage,
    artifact: { path: string; name: string; sizeBytes: number; sha256: string },
  ): Promise<void> {
    const url = `/packages/${segment(pkg.id)}`;
    const { path, ...announced } = artifact;
    const { artifactNeeded } = await this.#call(z.object({ artifactNeeded: z.boolean() }), {
      method: 'put',
      url,
      data: { package: pkg, artifact: announced },
    });
    if (artifactNeeded) await this.#upload(`${url}/artifact`, path, artifact.sizeBytes);
  }

  publish(plan: Plan, policy: ScopePolicy): Promise<PlanStatus> {
    const url = `/plans/${segment(plan.id)}`;
    return this.#call(planStatusSchema, { method: 'put', url, data: { plan, policy } });
  }

  suspend(planId: string): Promise<PlanStatus> {
    return this.#control(planId, 'suspend');
  }

  resume(planId: string, accept?: DecisionOrder): Promise<PlanStatus> {
    return this.#control(planId, 'resume', accept ? { accept } : {});
  }

  openStage(planId: string, stage: number, by: DecisionOrder): Promise<PlanStatus> {
    return this.#control(planId, 'next-stage', { stage, ...by });
  }

  terminate(planId: string): Promise<PlanStatus> {
    return this.#control(planId, 'terminate');
  }

  status(planId: string): Promise<PlanStatus> {
    return this.#call(planStatusSchema, { url: `/plans/${segment(planId)}` });
  }

  actOnDevices(planId: string, deviceIds: readonly string[], act: DeviceAct): Promise<ActOutcome> {
    const { kind, ...window } = act;
    const url = `/plans/${segment(planId)}/devices/${kind}`;
    const data = { devices: deviceIds, ...window };
    return this.#call(actOutcomeSchema, { method: 'post', url, data });
  }

  /** Whether manual plans are confirmed for a device without asking. */
  async setAutoConfirm(deviceId: string, active: boolean): Promise<void> {
    const url = `/devices/${segment(deviceId)}/auto-confirm`;
    await this.#call(anything, { method: 'put', url, data: { active } });
  }

  rolloutDevices(planId: string, query: RolloutQuery): Promise<Page<RolloutDevice>> {
    const url = `/plans/${segment(planId)}/devices`;
    return this.#call(pageOf(rolloutDeviceSchema), { url, params: query });
  }

  /** Server-Sent Events about a plan, until `signal` is aborted or the cloud ends. @throws ProblemError */
  async events(planId: string, signal: AbortSignal): Promise<Readable> {
    const request = {
      url: `/plans/${segment(planId)}/events`,
      responseType: 'stream' as const,
      timeout: 0,
      signal,
    };
    const { status, data } = await this.#send(request);
    const stream = (data as Readable).setEncoding('utf8');
    if (status === 200) return stream;
    stream.destroy();
    throw strangeAnswer(this.#address, `It answered with status ${status}.`);
  }

  async history(planId: string): Promise<readonly HistoryPoint[]> {
    const url = `/plans/${segment(planId)}/history`;
    return (await this.#call(z.object({ items: z.array(historyPointSchema) }), { url })).items;
  }

  async deviceLog(planId: string, deviceId: string): Promise<readonly DeviceLogEntry[]> {
    const url = `/plans/${segment(planId)}/devices/${segment(deviceId)}/log`;
    return (await this.#call(z.object({ items: z.array(deviceLogEntrySchema) }), { url })).items;
  }

  #control(
    planId: string,
    control: 'suspend' | 'resume' | 'next-stage' | 'terminate',
    data: object = {},
  ): Promise<PlanStatus> {
    const url = `/plans/${segment(planId)}/${control}`;
    return this.#call(planStatusSchema, { method: 'post', url, data });
  }

  async #upload(url: string, path: string, sizeBytes: number): Promise<void> {
    const found = (await stat(path)).size;
    if (found !== sizeBytes) {
      throw problem(
        'artifact-changed',
        'The file to upload has changed',
        `${path} has ${found} bytes; ${sizeBytes} were recorded.`,
        'Verify the package, or make it again.',
      );
    }
    const file = await open(path);
    try {
      await this.#call(anything, {
        method: 'put',
        url,
        openBody: () => file.createReadStream({ autoClose: false, start: 0 }),
        headers: { 'content-type': 'application/octet-stream', 'content-length': sizeBytes },
        timeout: uploadTimeoutMs,
      });
    } finally {
      await file.close();
    }
  }

  /** Any call of the operator API, below `/api/v1`; what it answers is checked. @throws ProblemError */
  ask<S extends z.ZodType>(schema: S, request: AxiosRequestConfig): Promise<z.output<S>> {
    return this.#call(schema, request);
  }

  async #call<S extends z.ZodType>(schema: S, request: CloudRequest): Promise<z.output<S>> {
    const { status, data } = await this.#sendOn(request);
    if (status < 200 || status > 299) {
      const failure = failureSchema.safeParse(data);
      if (failure.success) throw new ProblemError(failure.data.error);
      throw strangeAnswer(this.#address, `It answered with status ${status}.`);
    }
    const answer = schema.safeParse(data);
    if (answer.success) return answer.data;
    throw strangeAnswer(this.#address, z.prettifyError(answer.error));
  }

  /** Sends to this cloud, or to whichever has taken over when it is gone. */
  async #sendOn(
    request: CloudRequest,
    left = maxSuccessors,
  ): Promise<{ status: number; data: unknown }> {
    try {
      return await this.#send(request);
    } catch (error) {
      if (!this.#successor || left === 0 || !isUnreachable(error)) throw error;
      const next = new LocalCloud(await this.#successor(), this.#successor);
      return next.#sendOn(request, left - 1);
    }
  }

  async #send(request: CloudRequest): Promise<{ status: number; data: unknown }> {
    const { openBody, ...rest } = request;
    // Loading it takes longer than all the rest of a command that asks no cloud.
    const { create, isAxiosError } = (await import('axios')).default;
    try {
      const http = create(this.#defaults);
      return await http.request<unknown>(openBody ? { ...rest, data: openBody() } : rest);
    } catch (error) {
      if (!isAxiosError(error)) throw error;
      // Not as the cause: the error carries the request, and so the operator token.
      throw problem(
        'cloud-unreachable',
        'The cloud cannot be reached',
        `${this.#address}: ${error.message || error.code || 'no answer'}.`,
        'Check that the cloud runs and that its address is right.',
      );
    }
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof ProblemError && error.problem.code === 'cloud-unreachable';
}

function checkAddress(http: string): string {
  if (/^https?:$/.test(URL.canParse(http) ? new URL(http).protocol : ''))
    return http.replace(/\/+$/, '');
  throw problem(
    'cloud-address',
    'The address of the cloud is not valid',
    `"${http}" is not an http or https URL.`,
    'Give the address that cloud serve printed, for example http://127.0.0.1:8080.',
    'usage',
  );
}

function segment(id: string): string {
  return encodeURIComponent(id);
}

function strangeAnswer(address: string, detail: string): ProblemError {
  return problem(
    'cloud-answer',
    'The answer is not one of a Slipway cloud',
    `${address}: ${detail}`,
    'Check the address; the cloud and this program must be of the same version.',
  );
}
