import type { FleetStatus } from '../../../shared/contract/cloud-calls.ts';
import type { Transport } from '../../../shared/domain/plan.ts';
import { type ProblemError, problem } from '../../../shared/domain/problem.ts';
import {
  type FleetConfigInput,
  fleetConfigSchema,
  fleetMessageSchema,
} from '../../boards/fleet/fleet-config.ts';
import { ChildEntry } from './child-entry.ts';

/** The simulated devices to run, and where their cloud is. */
export type FleetRun = Omit<FleetConfigInput, 'devices'> & {
  readonly devices: readonly {
    readonly id: string;
    readonly transport: Transport;
    readonly versions: Readonly<Record<string, string>>;
    readonly secret: string;
    readonly fault?: 'fail' | 'silent' | undefined;
    readonly batteryPercent?: number | null | undefined;
    readonly rsrpDbm?: number | null | undefined;
  }[];
};

const noFleet: FleetStatus = {
  running: false,
  devices: 0,
  http: 0,
  mqtt: 0,
  lwm2m: 0,
  updated: 0,
  failed: 0,
};

/** Simulated devices in a process of their own, so that 10,000 of them never hold up this one. */
export class FleetProcess {
  readonly #onLine: (line: string) => void;
  readonly #onLost: (failure: ProblemError) => void;
  #child: ChildEntry | null = null;
  /** The child that is meant to end. */
  #ending: ChildEntry | null = null;
  #status = noFleet;
  #changing: Promise<unknown> = Promise.resolve();

  /** `onLine` hears what the fleet writes for the log, `onLost` of a fleet at work that ended by itself. */
  constructor(
    options: {
      readonly onLine?: (line: string) => void;
      readonly onLost?: (failure: ProblemError) => void;
    } = {},
  ) {
    this.#onLine = options.onLine ?? (() => undefined);
    this.#onLost = options.onLost ?? (() => undefined);
  }

  /**
   * Runs these devices instead of those that ran before; resolves once all of them are at work.
   * @throws ProblemError `fleet-config`, `fleet-unreachable` when devices cannot reach the cloud
   */
  start(run: FleetRun): Promise<FleetStatus> {
    return this.#afterOthers(async () => {
      await this.#end();
      const config = fleetConfigSchema.safeParse(run);
      if (!config.success) {
        throw problem(
          'fleet-config',
          'These devices cannot be simulated',
          config.error.issues[0]?.message ?? 'Their description is not valid.',
          'Simulate HTTP, MQTT and LwM2M devices with a secret each.',
          'usage',
        );
      }
      return this.#spawn(config.data);
    });
  }

  status(): FleetStatus {
    return this.#status;
  }

  async stop(): Promise<void> {
    // A fleet that is still starting is not waited for.
    await this.#end();
    await this.#afterOthers(() => this.#end());
  }

  #afterOthers<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(change);
    this.#changing = Promise.allSettled([result]);
    return result;
  }

  #spawn(config: ReturnType<typeof fleetConfigSchema.parse>): Promise<FleetStatus> {
    return new Promise((done, fail) => {
      let isAtWork = false;
      const child = new ChildEntry('fleet', [], {
        onMessage: (message) => {
          const heard = fleetMessageSchema.safeParse(message).data;
          if (!heard || this.#child !== child) return;
          if ('status' in heard) this.#status = heard.status;
          else {
            isAtWork = true;
            done(this.#status);
          }
        },
        onLine: this.#onLine,
        onEnd: () => {
          fail(child.failure);
          if (isAtWork && this.#ending !== child) this.#onLost(child.failure);
          if (this.#child !== child) return;
          this.#child = null;
          this.#status = { ...this.#status, running: false };
        },
      });
      this.#child = child;
      const count = (transport: Transport): number =>
        config.devices.filter((device) => device.transport === transport).length;
      this.#status = {
        ...noFleet,
        running: true,
        devices: config.devices.length,
        http: count('http'),
        mqtt: count('mqtt'),
        lwm2m: count('lwm2m'),
      };
      child.send(config);
    });
  }

  async #end(): Promise<void> {
    this.#ending = this.#child;
    await this.#child?.end();
  }
}
