import type { FleetStatus } from '../../../shared/contract/cloud-calls.ts';
import type { Transport } from '../../../shared/domain/plan.ts';
import { problem } from '../../../shared/domain/problem.ts';
import { DdiDevice } from './ddi-device.ts';
import { DeviceHttp } from './device-http.ts';
import { Downloader } from './downloader.ts';
import type { FleetConfig } from './fleet-config.ts';
import { ImageStore } from './image-store.ts';
import { Lwm2mDevice } from './lwm2m-device.ts';
import { MqttDevice } from './mqtt-device.ts';
import { SimulatedDevice } from './simulated-device.ts';
import { Slots } from '../../../shared/domain/slots.ts';
import { Timers } from './timers.ts';

const downloadsAtOnce = 200;
const callsAtOnce = 256;
const connectsAtOnce = 100;
const downloadMemoryBytes = 256 * 1024 * 1024;
/** Over which the first polls are spread, before the cloud has said how often to ask. */
const firstPollMs = 5_000;
/** How long no further device may come online before the cloud counts as out of reach. */
const stallTimeoutMs = 10_000;

/** Simulated devices of one cloud: they poll or stay connected, download, check, install and report. */
export class Fleet {
  readonly #timers = new Timers();
  readonly #http = new DeviceHttp({ connections: callsAtOnce });
  readonly #downloads = new DeviceHttp({ connections: downloadsAtOnce });
  readonly #devices: readonly SimulatedDevice[];
  readonly #ddi: readonly DdiDevice[];
  readonly #mqtt: readonly MqttDevice[];
  readonly #lwm2m: readonly Lwm2mDevice[];
  #running = false;
  #lastTrouble = '';

  private constructor(
    config: FleetConfig,
    images: ImageStore,
    tellTrouble: (deviceId: string, message: string) => void,
  ) {
    const onTrouble = (deviceId: string, error: unknown): void => {
      this.#lastTrouble = error instanceof Error ? error.message : String(error);
      tellTrouble(deviceId, this.#lastTrouble);
    };
    const tools = {
      downloader: new Downloader(this.#downloads, new Slots(downloadsAtOnce), this.#timers),
      images,
      memory: new Slots(downloadMemoryBytes),
    };
    const connecting = new Slots(connectsAtOnce);
    const make = (transport: Transport): SimulatedDevice[] =>
      config.devices
        .filter((device) => device.transport === transport)
        .map((device) => new SimulatedDevice(device, tools));
    const [http, mqtt, lwm2m] = [make('http'), make('mqtt'), make('lwm2m')];
    this.#devices = [...http, ...mqtt, ...lwm2m];
    this.#ddi = http.map(
      (device) =>
        new DdiDevice(device, {
          http: this.#http,
          timers: this.#timers,
          cloud: config.endpoint.http,
          firstPollMs,
          fixedPollMs: config.pollMs,
          users: config.users,
          onTrouble: (error) => onTrouble(device.id, error),
        }),
    );
    this.#mqtt = mqtt.map(
      (device) =>
        new MqttDevice(device, {
          broker: config.endpoint.mqtt,
          timers: this.#timers,
          connecting,
          users: config.users,
          onTrouble: (error) => onTrouble(device.id, error),
        }),
    );
    this.#lwm2m = lwm2m.map(
      (device) =>
        new Lwm2mDevice(device, {
          server: new URL(config.endpoint.coap ?? ''),
          timers: this.#timers,
          registering: connecting,
          onTrouble: (error) => onTrouble(device.id, error),
        }),
    );
  }

  /** `onTrouble` hears of everything that a device could not do and will try again. */
  static async create(
    config: FleetConfig,
    onTrouble: (deviceId: string, message: string) => void,
  ): Promise<Fleet> {
    return new Fleet(config, await ImageStore.load(config.images), onTrouble);
  }

  /**
   * Puts every device to work; resolves once the MQTT devices have all been connected and the LwM2M devices registered.
   * @throws ProblemError `fleet-unreachable`
   */
  async start(): Promise<void> {
    this.#running = true;
    for (const [index, device] of this.#ddi.entries()) void device.run(index / this.#ddi.length);
    let online = 0;
    let lastMs = performance.now();
    const connected = [...this.#mqtt, ...this.#lwm2m];
    for (const device of connected) {
      void device.run();
      void device.online.then(() => {
        online++;
        lastMs = performance.now();
      });
    }
    const stalled = async (): Promise<boolean> => {
      for (;;) {
        const leftMs = lastMs + stallTimeoutMs - performance.now();
        if (leftMs <= 0) return true;
        await this.#timers.sleep(leftMs);
      }
    };
    const all = Promise.all(connected.map((device) => device.online)).then(() => false);
    if (!(await Promise.race([all, stalled()]))) return;
    throw problem(
      'fleet-unreachable',
      'Simulated devices cannot reach the cloud',
      `${online} of ${connected.length} MQTT and LwM2M devices were connected, and no other for ${stallTimeoutMs / 1000} s. ${this.#lastTrouble}`.trim(),
      'Check the MQTT and CoAP addresses of the cloud.',
    );
  }

  status(): FleetStatus {
    const count = (ok: boolean): number =>
      this.#devices.filter((device) => device.lastOutcome?.ok === ok).length;
    return {
      running: this.#running,
      devices: this.#devices.length,
      http: this.#ddi.length,
      mqtt: this.#mqtt.length,
      lwm2m: this.#lwm2m.length,
      updated: count(true),
      failed: count(false),
    };
  }

  stop(): void {
    this.#running = false;
    this.#timers.close();
    for (const device of [...this.#mqtt, ...this.#lwm2m]) device.close();
    this.#http.close();
    this.#downloads.close();
  }
}
