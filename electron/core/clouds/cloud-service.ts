import type { FleetStatus, FleetUsers } from '../../../shared/contract/cloud-calls.ts';
import type { Output } from '../../../shared/contract/contract.ts';
import type { Operator } from '../../../shared/domain/operator.ts';
import { problem, ProblemError } from '../../../shared/domain/problem.ts';
import type { Workspace } from '../workspace/workspace.ts';
import { FleetProcess } from './fleet-process.ts';
import { LocalCloud, type OperatorAddress } from './local-cloud.ts';
import { untilReported } from './reported-devices.ts';
import { sourceImages } from './source-images.ts';
import { LocalCloudProcess } from './local-cloud-process.ts';
import { firstSignals, makeSimulatedDevices, simulatedFaults } from './simulated-identities.ts';

const simulatedBatch = 'simulated';

/** The embedded cloud of a workspace and the simulated fleet that tries it out. */
export class CloudService {
  readonly #workspace: Workspace;
  readonly #process: LocalCloudProcess;
  readonly #fleet: FleetProcess;
  /** Of the account that somebody is signed in with; null for the owner of the data folder. */
  #accountToken: string | null;

  /** `onLine` hears what the processes of cloud and fleet write for the log. */
  constructor(
    workspace: Workspace,
    onLine: (room: 'cloud' | 'fleet', line: string) => void,
    accountToken: string | null = null,
  ) {
    this.#workspace = workspace;
    this.#accountToken = accountToken;
    this.#process = new LocalCloudProcess({
      dataDir: workspace.internal('cloud'),
      onLine: (line) => onLine('cloud', line),
    });
    this.#fleet = new FleetProcess({
      onLine: (line) => onLine('fleet', line),
      onLost: (failure) => onLine('fleet', failure.message),
    });
  }

  /** Starts the cloud unless it runs, and connects to it. */
  async connect(): Promise<LocalCloud> {
    const found = this.#asSignedIn(await this.#process.start());
    if (this.#process.startedHere) return new LocalCloud(found);
    // The cloud of another command ends with that command, however far this one is.
    return new LocalCloud(found, async () => this.#asSignedIn(await this.#process.start()));
  }

  /** The cloud that runs now, or null: looking on is no reason to start one. */
  async running(): Promise<LocalCloud | null> {
    const address = await this.#process.attach();
    return address && new LocalCloud(this.#asSignedIn(address));
  }

  /** Who is at work with the cloud; null while it does not run. @throws ProblemError `unauthorized` */
  async operator(): Promise<Operator | null> {
    return (await (await this.running())?.operator()) ?? null;
  }

  /** Works under the account of a token from now on. @throws ProblemError `unauthorized`, and all stays as it was */
  async signIn(token: string): Promise<Operator> {
    const { http } = await this.#process.start();
    const operator = await new LocalCloud({ http, token }).operator().catch(whenUnknown);
    this.#accountToken = token;
    return operator;
  }

  /** Works as the owner of the data folder again. */
  signOut(): void {
    this.#accountToken = null;
  }

  #asSignedIn({ http, token }: OperatorAddress): OperatorAddress {
    return { http, token: this.#accountToken ?? token };
  }

  async start(): Promise<Output<'cloud.start'>> {
    const { http, mqtt, coap, coaps } = await this.#process.start();
    return { http, mqtt, coap, coaps };
  }

  /** Whether the cloud runs, here or started by another program on the same workspace. */
  async status(): Promise<Output<'cloud.status'>> {
    const address = await this.#process.attach();
    return {
      running: address !== null,
      startedHere: this.#process.startedHere,
      http: address?.http ?? null,
      mqtt: address?.mqtt ?? null,
      coap: address?.coap ?? null,
      coaps: address?.coaps ?? null,
    };
  }

  async stop(): Promise<void> {
    await this.#fleet.stop();
    await this.#process.stop();
  }

  /** Registers simulated devices with fresh secrets and runs them; resolves when they have said what they run. */
  async startFleet(input: {
    productId: string;
    componentId: string;
    fromVersion: string;
    http: number;
    mqtt: number;
    lwm2m: number;
    chinaTelecom: number;
    failShare: number;
    silentShare: number;
    lowBattery: number;
    weakSignal: number;
    users: FleetUsers;
  }): Promise<FleetStatus> {
    if (input.http + input.mqtt + input.lwm2m === 0) {
      throw problem(
        'no-devices',
        'No simulated devices',
        'Every count is 0.',
        'Ask for at least one device.',
        'usage',
      );
    }
    const product = this.#workspace.product(input.productId);
    const cloud = await this.connect();
    await cloud.putProduct({ id: product.id, name: product.name });
    const devices = makeSimulatedDevices({ ...input, batch: simulatedBatch });
    await this.#fleet.stop();
    // Devices of an earlier, larger fleet are not there any more: a plan must not wait for them.
    await cloud.removeDevices({
      productId: product.id,
      batch: simulatedBatch,
      keep: devices.map(({ id }) => id),
    });
    const { secrets } = await cloud.putDevices(devices, { rotate: true });
    const endpoint = await this.start();
    const faults = simulatedFaults(devices.length, input);
    await this.#fleet.start({
      endpoint,
      images: sourceImages(this.#workspace, product.id, [
        { componentId: input.componentId, version: input.fromVersion },
      ]),
      users: input.users,
      devices: devices.map(({ id, transport, versions }, index) => ({
        id,
        transport,
        versions,
        secret: secrets[id] ?? '',
        fault: faults[index],
        ...firstSignals(index, input),
      })),
    });
    await untilReported(cloud, devices, { isWanted: () => this.#fleet.status().running });
    return this.#fleet.status();
  }

  fleetStatus(): FleetStatus {
    return this.#fleet.status();
  }

  async stopFleet(): Promise<void> {
    await this.#fleet.stop();
  }
}

/** Says to who signs in by hand what the cloud says to programs. */
function whenUnknown(error: unknown): never {
  if (!(error instanceof ProblemError) || error.problem.code !== 'unauthorized') throw error;
  throw problem(
    'unauthorized',
    'This token is that of no account',
    'The local cloud knows no account with it, or the account was removed.',
    'Paste the token that `slipway cloud accounts add` printed, or ask the administrator for a new account.',
    'usage',
  );
}
