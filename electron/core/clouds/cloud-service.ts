import type { FleetStatus } from '../../../shared/contract/contract.ts';
import { problem } from '../../../shared/domain/problem.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { FleetProcess } from './fleet-process.ts';
import { LocalCloud } from './local-cloud.ts';
import { LocalCloudProcess } from './local-cloud-process.ts';
import { makeSimulatedDevices } from './simulated-identities.ts';

/** The embedded cloud of a workspace and the simulated fleet that tries it out. */
export class CloudService {
  readonly #workspace: Workspace;
  readonly #process: LocalCloudProcess;
  readonly #fleet: FleetProcess;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    this.#process = new LocalCloudProcess({ dataDir: workspace.internal('cloud') });
    this.#fleet = new FleetProcess();
  }

  /** Starts the cloud unless it runs, and connects to it. */
  async connect(): Promise<LocalCloud> {
    const { http, token } = await this.#process.start();
    return new LocalCloud({ http, token });
  }

  async start(): Promise<{ http: string; mqtt: string }> {
    const { http, mqtt } = await this.#process.start();
    return { http, mqtt };
  }

  status(): { running: boolean; http: string | null; mqtt: string | null } {
    const endpoint = this.#process.endpoint;
    return {
      running: endpoint !== null,
      http: endpoint?.http ?? null,
      mqtt: endpoint?.mqtt ?? null,
    };
  }

  async stop(): Promise<void> {
    await this.#fleet.stop();
    await this.#process.stop();
  }

  /** Registers simulated devices with fresh secrets and runs them. */
  async startFleet(input: {
    productId: string;
    componentId: string;
    fromVersion: string;
    http: number;
    mqtt: number;
  }): Promise<FleetStatus> {
    if (input.http + input.mqtt === 0) {
      throw problem(
        'no-devices',
        'No simulated devices',
        'Both counts are 0.',
        'Ask for at least one device.',
        'usage',
      );
    }
    const product = this.#workspace.product(input.productId);
    const cloud = await this.connect();
    await cloud.putProduct({ id: product.id, name: product.name });
    const devices = makeSimulatedDevices({ ...input, batch: 'simulated' });
    const { secrets } = await cloud.putDevices(devices, { rotate: true });
    const endpoint = await this.#process.start();
    return this.#fleet.start({
      endpoint,
      devices: devices.map(({ id, transport, versions }) => ({
        id,
        transport,
        versions,
        secret: secrets[id] ?? '',
      })),
    });
  }

  fleetStatus(): FleetStatus {
    return this.#fleet.status();
  }

  async stopFleet(): Promise<void> {
    await this.#fleet.stop();
  }
}
