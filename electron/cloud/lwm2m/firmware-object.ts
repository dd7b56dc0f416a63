import { coapCode, isSuccess } from '../../../shared/protocols/coap-message.ts';
import { pathOptions } from '../../../shared/protocols/coap-options.ts';
import {
  deliveryMethod,
  firmwareResource,
  packageProtocol,
} from '../../../shared/protocols/firmware-update.ts';
import {
  type ResourceValues,
  integerIn,
  integersIn,
  textIn,
} from '../../../shared/protocols/lwm2m-content.ts';
import { CoapRefusal, writeBlocks } from '../../coap/block-transfer.ts';
import { CoapSilence, type CoapSocket } from '../../coap/coap-socket.ts';
import type { SignalsReport } from '../store/device-signals.ts';
import type { Registration } from './registrations.ts';
import { readInstance, readResource, writeText } from './resource-access.ts';

/** Of a device that does not tell: over DTLS it gets an address of `coaps:` only, else of `coap:`. */
const assumedProtocols: readonly number[] = [packageProtocol.coap, packageProtocol.coaps];

/** What a firmware update object said last. */
export interface FirmwareStatus {
  readonly state: number;
  readonly result: number;
}

/** What a firmware update object can do, and what it is for. */
export interface FirmwareAbilities {
  readonly protocols: readonly number[];
  readonly delivery: number;
  /** Component Name and Current Version of Object 33629. */
  readonly componentName: string | null;
  readonly currentVersion: string | null;
  /** Version of the package that it took last. */
  readonly packageVersion: string | null;
}

/** One firmware update object of a registered device: Object 5, or an instance of Object 33629. */
export class FirmwareObject {
  readonly #socket: CoapSocket;
  readonly #registration: Registration;
  readonly #path: readonly string[];
  #status: FirmwareStatus = { state: 0, result: 0 };
  #abilities: FirmwareAbilities = {
    protocols: assumedProtocols,
    delivery: deliveryMethod.both,
    componentName: null,
    currentVersion: null,
    packageVersion: null,
  };
  #onChange: () => void = () => undefined;

  constructor(socket: CoapSocket, registration: Registration, path: readonly string[]) {
    this.#socket = socket;
    this.#registration = registration;
    this.#path = path;
  }

  get status(): FirmwareStatus {
    return this.#status;
  }

  get abilities(): FirmwareAbilities {
    return this.#abilities;
  }

  /** Whether this is Object 33629, which names its component and its version. */
  get isAdvanced(): boolean {
    return this.#path.at(-2) === '33629';
  }

  /** Resolves at the next change of the status, or after `ms`; false when nothing changed. */
  changed(ms: number): Promise<boolean> {
    const { signal } = this.#registration.ended;
    return new Promise<boolean>((done, fail) => {
      const abort = (): void => end(() => fail(signal.reason as Error));
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#onChange = () => undefined;
        settle();
      };
      const timer = setTimeout(() => end(() => done(false)), ms);
      this.#onChange = () => end(() => done(true));
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort, { once: true });
    });
  }

  /** Reads what it can do and watches its result and state, the result first so that none is missed. */
  async open(): Promise<void> {
    await this.readAbilities();
    const result = await this.#observe(firmwareResource.updateResult);
    const state = await this.#observe(firmwareResource.state);
    this.#set({ state, result });
  }

  /** Asks for state and result, in case a notification was lost. */
  async refresh(): Promise<void> {
    const result = await this.#readInteger(firmwareResource.updateResult);
    const state = await this.#readInteger(firmwareResource.state);
    this.#set({ state: state ?? this.#status.state, result: result ?? this.#status.result });
  }

  async readAbilities(): Promise<void> {
    const values = await readInstance(this.#socket, this.#registration, this.#path);
    if (values === null) {
      this.#abilities = {
        ...this.#abilities,
        delivery: (await this.#readInteger(firmwareResource.delivery)) ?? this.#abilities.delivery,
        packageVersion: await this.#readText(firmwareResource.packageVersion),
        ...(this.isAdvanced
          ? {
              componentName: await this.#readText(firmwareResource.componentName),
              currentVersion: await this.#readText(firmwareResource.currentVersion),
            }
          : {}),
      };
      return;
    }
    const protocols = integersIn(values, firmwareResource.protocols);
    this.#abilities = {
      protocols: values.has(firmwareResource.protocols) ? protocols : assumedProtocols,
      delivery: integerIn(values, firmwareResource.delivery) ?? deliveryMethod.both,
      componentName: textIn(values, firmwareResource.componentName),
      currentVersion: textIn(values, firmwareResource.currentVersion),
      packageVersion: textIn(values, firmwareResource.packageVersion),
    };
  }

  /** The Package URI it has, or null when it does not tell. */
  readUri(): Promise<string | null> {
    return this.#readText(firmwareResource.packageUri);
  }

  /** @throws CoapRefusal, CoapSilence */
  async writeUri(uri: string): Promise<void> {
    await this.#write(firmwareResource.packageUri, uri);
  }

  /** Brings it to Idle with result 0 by an empty Package URI. @throws CoapRefusal, CoapSilence */
  async reset(): Promise<void> {
    await this.#write(firmwareResource.packageUri, '');
    await this.refresh();
  }

  /** Executes Update. @throws CoapRefusal, CoapSilence */
  async update(): Promise<void> {
    await this.#execute(firmwareResource.update);
  }

  /** Executes Cancel, which older devices do not have. @throws CoapRefusal, CoapSilence */
  async cancel(): Promise<void> {
    await this.#execute(firmwareResource.cancel);
  }

  /** Writes the package itself. @throws CoapRefusal, CoapSilence */
  async push(
    content: { readonly sizeBytes: number; read(start: number, end: number): Promise<Uint8Array> },
    onBytes: (sentBytes: number) => void,
  ): Promise<void> {
    const { address, ended, root } = this.#registration;
    const path = [...root, ...this.#path, firmwareResource.package];
    await writeBlocks(this.#socket, address, path, content, onBytes, ended.signal);
  }

  #set(status: FirmwareStatus): void {
    const { state, result } = this.#status;
    if (status.state === state && status.result === result) return;
    this.#status = status;
    this.#onChange();
  }

  async #observe(resource: string): Promise<number> {
    const take = (values: ResourceValues): void => {
      const value = integerIn(values, resource);
      if (value === null) return;
      const key = resource === firmwareResource.state ? 'state' : 'result';
      this.#set({ ...this.#status, [key]: value });
    };
    return integerIn(await this.#read(resource, take), resource) ?? 0;
  }

  async #readInteger(resource: string): Promise<number | null> {
    return integerIn(await this.#read(resource), resource);
  }

  async #readText(resource: string): Promise<string | null> {
    return textIn(await this.#read(resource), resource);
  }

  #read(
    resource: string,
    watch?: (values: ResourceValues) => void,
  ): Promise<ResourceValues | null> {
    return readResource(this.#socket, this.#registration, [...this.#path, resource], watch);
  }

  #write(resource: string, text: string): Promise<void> {
    return writeText(this.#socket, this.#registration, [...this.#path, resource], text);
  }

  async #execute(resource: string): Promise<void> {
    const { address, ended, root } = this.#registration;
    const options = pathOptions([...root, ...this.#path, resource]);
    const request = { code: coapCode.post, options };
    const { code } = await this.#socket.request(address, request, ended.signal);
    if (!isSuccess(code)) throw new CoapRefusal(`resource ${resource}`, code);
  }
}

/** The firmware version of the Device object (`/3/0/3`), or null when it does not tell. */
export async function readFirmwareVersion(
  socket: CoapSocket,
  registration: Registration,
): Promise<string | null> {
  return textIn(await readResource(socket, registration, ['3', '0', '3']), '3') || null;
}

/** Battery Level of the Device object, and Radio Signal Strength of Object 4, which is the RSRP on LTE and NB-IoT. */
const signalResources = {
  batteryPercent: ['3', '0', '9'],
  rsrpDbm: ['4', '0', '2'],
} as const;

/**
 * Reads battery and signal strength, as far as the device has them, and goes on to hear of them.
 * Source: OMA LwM2M TS 1.0.2, E.4 and E.5.
 */
export async function watchSignals(
  socket: CoapSocket,
  registration: Registration,
  onReport: (report: SignalsReport) => void,
): Promise<void> {
  for (const key of ['batteryPercent', 'rsrpDbm'] as const) {
    if (key === 'rsrpDbm' && !registration.objects.hasConnectivity) continue;
    const path = signalResources[key];
    const take = (values: ResourceValues | null): void => {
      const value = integerIn(values, path[2]);
      if (value !== null) onReport({ [key]: value });
    };
    take(await readResource(socket, registration, path, take));
  }
}

/** Whether the device is out of reach, or has registered anew: its work goes on when it is heard again. */
export function isAway(error: unknown, registration: Registration): boolean {
  return error instanceof CoapSilence || registration.ended.signal.aborted;
}
