import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import {
  type CloudOptions,
  type RunningCloud,
  createCloud,
} from '../../electron/cloud/ota-cloud.ts';
import type { Device, Plan, RolloutDevice } from '../../shared/domain/plan.ts';
import { loopbackOptions, Operator, makeDevice, makePlan } from './cloud.ts';
import { HandLwm2mDevice } from './hand-lwm2m-device.ts';
import { HandHttpDevice, HandMqttDevice } from './hand-devices.ts';

/** The cloud in this process on a folder of its own, with devices that do what the test tells them. */
export class TestCloud {
  readonly folder: string;
  running: RunningCloud;
  operator: Operator;
  readonly secrets = new Map<string, string>();
  readonly #open: (again?: Partial<CloudOptions>) => Promise<RunningCloud>;
  readonly #clients: { close(): Promise<unknown> }[] = [];

  private constructor(
    folder: string,
    running: RunningCloud,
    open: (again?: Partial<CloudOptions>) => Promise<RunningCloud>,
  ) {
    this.folder = folder;
    this.#open = open;
    this.running = running;
    this.operator = new Operator(running.http, running.token);
  }

  /** @param mqtt the address of a broker to use instead of the embedded one */
  static async start(
    mqtt: string | number = 0,
    mqttLogin: { username: string; password: string } | null = null,
    more: Partial<CloudOptions> = {},
  ): Promise<TestCloud> {
    const dataDir = await mkdtemp(join(tmpdir(), 'slipway-cloud-'));
    const open = (again: Partial<CloudOptions> = {}) =>
      createCloud({
        ...loopbackOptions(dataDir),
        mqtt,
        mqttLogin,
        ...more,
        ...again,
      });
    try {
      return new TestCloud(dataDir, await open(), open);
    } catch (error) {
      await rm(dataDir, { recursive: true, force: true });
      throw error;
    }
  }

  /** Stops the cloud and its clients. */
  async close(): Promise<void> {
    for (const client of this.#clients.splice(0)) await client.close();
    await this.running.close();
  }

  /** Starts it again on the same folder. */
  async reopen(options: Partial<CloudOptions> = {}): Promise<void> {
    this.running = await this.#open(options);
    this.operator = new Operator(this.running.http, this.running.token);
  }

  async stop(): Promise<void> {
    await this.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async addDevices(...devices: Device[]): Promise<void> {
    for (const [id, secret] of Object.entries(await this.operator.putDevices(devices)))
      this.secrets.set(id, secret);
  }

  secretOf(id: string): string {
    return this.secrets.get(id) ?? '';
  }

  async http(id: string, fields: Partial<Device> = {}): Promise<HandHttpDevice> {
    await this.addDevices(makeDevice(id, { transport: 'http', ...fields }));
    return new HandHttpDevice(this.running.http, id, this.secretOf(id));
  }

  async mqtt(id: string): Promise<HandMqttDevice> {
    if (!this.secrets.has(id)) await this.addDevices(makeDevice(id));
    const device = await HandMqttDevice.connect(this.running.mqtt, id, this.secretOf(id));
    this.#clients.push(device);
    return device;
  }

  /** An LwM2M device that the cloud knows; it registers when told to. */
  async lwm2m(id: string): Promise<HandLwm2mDevice> {
    await this.addDevices(makeDevice(id, { transport: 'lwm2m' }));
    const device = new HandLwm2mDevice(this.running.coap ?? '', id);
    this.#clients.push(device);
    return device;
  }

  /** The same under DTLS, where its key is the beginning of the SHA-256 of its secret. */
  async secureLwm2m(id: string, identity = id): Promise<HandLwm2mDevice> {
    if (!this.secrets.has(id)) await this.addDevices(makeDevice(id, { transport: 'lwm2m' }));
    const login = { identity, key: Buffer.from(this.dtlsKeyOf(identity), 'hex') };
    const device = new HandLwm2mDevice(this.running.coaps ?? '', id, login);
    this.#clients.push(device);
    return device;
  }

  /** In hex. */
  dtlsKeyOf(id: string): string {
    return createHash('sha256').update(this.secretOf(id)).digest('hex').slice(0, 32);
  }

  async publishFull(fields: Partial<Plan> = {}): Promise<Plan> {
    const plan = makePlan(await this.operator.putPackage(randomBytes(5000)), fields);
    await this.operator.publish(plan);
    return plan;
  }

  async deviceOf(plan: Plan, id: string): Promise<RolloutDevice | undefined> {
    return (await this.operator.devices(plan.id)).find((device) => device.deviceId === id);
  }
}
