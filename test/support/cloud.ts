import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { CloudOptions } from '../../electron/cloud/ota-cloud.ts';
import type {
  Device,
  HistoryPoint,
  Plan,
  PlanStatus,
  RolloutDevice,
} from '../../shared/domain/plan.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';

export const productId = 'SENSOR';
export const componentId = 'APP';

/** A cloud on loopback at free ports, with a broker of its own. */
export const loopbackOptions = (dataDir: string): CloudOptions => ({
  dataDir,
  host: '127.0.0.1',
  httpPort: 0,
  mqtt: 0,
  mqttLogin: null,
  coapPort: 0,
  coapsPort: 0,
  lwm2mProof: 'version',
  ddi: { proof: 'version', gatewayToken: null },
  cloudOta: true,
  keepDays: 400,
  tls: null,
});

/** The line that a cloud process prints when it serves. */
export interface ReadyLine {
  readonly ready: true;
  readonly http: string;
  readonly mqtt: string;
  readonly coap: string;
  readonly coaps: string;
  readonly operator: { readonly token: string };
}

/** The embedded cloud as the process that the product starts. */
export class CloudProcess {
  readonly child: ChildProcess;
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly exited: Promise<number | NodeJS.Signals | null>;

  private constructor(args: readonly string[], env: Record<string, string>, program: string) {
    this.child = spawn(program, ['dist/main/cloud.js', ...args], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    this.child.stdout?.on('data', (text: Buffer) => this.stdout.push(text.toString()));
    this.child.stderr?.on('data', (text: Buffer) => this.stderr.push(text.toString()));
    this.exited = once(this.child, 'close').then(
      ([code, signal]) => (code ?? signal) as number | NodeJS.Signals,
    );
  }

  static spawn(
    args: readonly string[],
    env: Record<string, string> = {},
    program = process.execPath,
  ): CloudProcess {
    return new CloudProcess(args, env, program);
  }

  /** Waits for the one line on stdout. */
  async ready(): Promise<ReadyLine> {
    const printed = until(
      () => this.stdout.join(''),
      (text) => text.includes('\n'),
    );
    const ended = this.exited.then((code) => {
      throw new Error(`the cloud ended with ${code}: ${this.stderr.join('')}`);
    });
    return JSON.parse(await Promise.race([printed, ended])) as ReadyLine;
  }

  async kill(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.child.kill(signal);
    return this.exited;
  }
}

/** A device that has reported the versions it has, unless other `reports` are given. */
export function makeDevice(id: string, fields: Partial<Device> = {}): Device {
  const { versions = { [componentId]: '1.0.0' }, transport = 'mqtt' } = fields;
  const protocol = transport === 'http' ? 'ddi' : transport;
  const at = '2026-01-01T00:00:00.000Z';
  const reports = Object.entries(versions).map(([component, version]) => [
    component,
    { version, at, protocol },
  ]);
  return {
    id,
    productId,
    transport,
    imsi: null,
    iccid: null,
    batch: null,
    versions,
    reports: Object.fromEntries(reports),
    lastSeenAt: null,
    ...fields,
  };
}

export function makePackage(fields: Partial<VersionPackage> = {}): VersionPackage {
  return {
    id: randomUUID(),
    releaseId: 'r1',
    productId,
    componentId,
    componentType: 'mcu',
    name: 'package',
    packageType: 'full',
    sourceVersion: null,
    targetVersion: '1.1.0',
    files: [],
    sha256: '0'.repeat(64),
    sizeBytes: 1,
    report: { verdict: 'pass', files: [] },
    deltaProof: null,
    createdAt: '2026-01-01T00:00:00.000Z',
    ...fields,
  };
}

export function makePlan(fullPackageId: string | null, fields: Partial<Plan> = {}): Plan {
  return {
    id: randomUUID(),
    name: 'plan',
    productId,
    releaseId: 'r1',
    mode: 'silent',
    components: [
      { componentId, componentType: 'mcu', targetVersion: '1.1.0', fullPackageId, deltas: [] },
    ],
    batches: [],
    whitelist: [],
    blacklist: [],
    retries: 5,
    state: 'saved',
    createdAt: '2026-01-01T00:00:00.000Z',
    publishedAt: null,
    ...fields,
  };
}

/** An answer of the operator API that is not a success. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, body: { error?: { code: string; detail: string } }) {
    super(`${status} ${body.error?.code}: ${body.error?.detail}`);
    this.status = status;
    this.code = body.error?.code ?? '';
  }
}

/** The operator API over plain fetch. */
export class Operator {
  readonly #http: string;
  readonly #token: string;
  constructor(http: string, token: string) {
    this.#http = http;
    this.#token = token;
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const isBytes = body instanceof Uint8Array;
    const answer = await fetch(`${this.#http}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#token}`,
        ...(body === undefined
          ? {}
          : { 'content-type': isBytes ? 'application/octet-stream' : 'application/json' }),
      },
      ...(body === undefined ? {} : { body: isBytes ? Buffer.from(body) : JSON.stringify(body) }),
    });
    const found = (await answer.json()) as T & { error?: { code: string; detail: string } };
    if (!answer.ok) throw new Refused(answer.status, found);
    return found;
  }

  /** Puts the product and the devices, which then report that they run what they were declared with; gives their secrets. */
  async putDevices(devices: readonly Device[]): Promise<Record<string, string>> {
    const secrets = await this.declareDevices(devices);
    for (let at = 0; at < devices.length; at += reportsAtOnce) {
      const some = devices.slice(at, at + reportsAtOnce).filter(({ id }) => secrets[id]);
      await Promise.all(some.map((device) => reportVersions(this.#http, device, secrets)));
    }
    return secrets;
  }

  /** Puts the product and the devices, which have not told anything yet; gives their secrets. */
  async declareDevices(devices: readonly Device[]): Promise<Record<string, string>> {
    for (const id of new Set(devices.map((device) => device.productId)))
      await this.call('PUT', `/products/${id}`, { name: id });
    return (await this.call<{ secrets: Record<string, string> }>('PUT', '/devices', { devices }))
      .secrets;
  }

  /** Puts a package with its artifact; gives its id. */
  async putPackage(
    bytes: Uint8Array,
    fields: Partial<VersionPackage> = {},
    name = 'image.bin',
  ): Promise<string> {
    const pkg = makePackage(fields);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    const artifact = { name, sizeBytes: bytes.length, sha256 };
    await this.call('PUT', `/packages/${pkg.id}`, { package: pkg, artifact });
    await this.call('PUT', `/packages/${pkg.id}/artifact`, bytes);
    return pkg.id;
  }

  publish(plan: Plan, chinaTelecomIccidPrefixes: readonly string[] = []): Promise<PlanStatus> {
    return this.call('PUT', `/plans/${plan.id}`, { plan, policy: { chinaTelecomIccidPrefixes } });
  }

  control(planId: string, control: 'suspend' | 'resume' | 'terminate'): Promise<PlanStatus> {
    return this.call('POST', `/plans/${planId}/${control}`);
  }

  status(planId: string): Promise<PlanStatus> {
    return this.call('GET', `/plans/${planId}`);
  }

  async devices(planId: string): Promise<RolloutDevice[]> {
    const page = await this.call<{ items: RolloutDevice[] }>(
      'GET',
      `/plans/${planId}/devices?limit=1000`,
    );
    return page.items;
  }

  async history(planId: string): Promise<HistoryPoint[]> {
    return (await this.call<{ items: HistoryPoint[] }>('GET', `/plans/${planId}/history`)).items;
  }
}

const reportsAtOnce = 20;

/** What a device says over DDI that it runs: exactly what it was declared with. */
export async function reportVersions(
  http: string,
  { id, versions }: Pick<Device, 'id' | 'versions'>,
  secrets: Readonly<Record<string, string>>,
): Promise<void> {
  const components = Object.entries(versions);
  if (components.length === 0) return;
  const data = Object.fromEntries(
    components.map(([name, version]) => [`version.${name}`, version]),
  );
  const answer = await fetch(`${http}/default/controller/v1/${encodeURIComponent(id)}/configData`, {
    method: 'PUT',
    headers: {
      authorization: `TargetToken ${secrets[id] ?? ''}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ mode: 'merge', data }),
  });
  if (!answer.ok) throw new Error(`${id} could not report: ${answer.status}`);
}

/** Asks until the answer is as wanted. */
export async function until<T>(
  ask: () => Promise<T> | T,
  wanted: (found: T) => boolean,
  timeoutMs = 20_000,
): Promise<T> {
  const endMs = Date.now() + timeoutMs;
  for (;;) {
    const found = await ask();
    if (wanted(found)) return found;
    if (Date.now() > endMs) throw new Error(`still ${JSON.stringify(found)} after ${timeoutMs} ms`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** The id of the job in its address, which also says which state of it is meant: `…/deploymentBase/7?c=1`. */
export const jobIdOf = (href: string): string => new URL(href).pathname.split('/').at(-1) ?? '';
