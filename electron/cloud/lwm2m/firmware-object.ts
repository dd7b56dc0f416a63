import {
  type CoapMessage,
  coapCode,
  coapOption,
  isSuccess,
} from '../../../shared/protocols/coap-message.ts';
import {
  optionUint,
  pathOptions,
  textOption,
  uintOption,
} from '../../../shared/protocols/coap-options.ts';
import {
  deliveryMethod,
  firmwareResource,
  packageProtocol,
} from '../../../shared/protocols/firmware-update.ts';
import { decodeTlv, tlvInteger } from '../../../shared/protocols/lwm2m-tlv.ts';
import { CoapRefusal, readBlocks, writeBlocks } from '../../coap/block-transfer.ts';
import { CoapSilence, type CoapSocket } from '../../coap/coap-socket.ts';
import type { SignalsReport } from '../store/device-signals.ts';
import type { Registration } from './registrations.ts';

/** Content formats of LwM2M TS 1.0.2, 7.4: plain text, and TLV by its number and its older one. */
const plainText = 0;
const tlvFormats: readonly number[] = [11_542, 1542];
const maxInstanceBytes = 64 * 1024;
/** Of a device that does not tell: over DTLS it gets an address of `coaps:` only, else of `coap:`. */
const assumedProtocols: readonly number[] = [packageProtocol.coap, packageProtocol.coaps];
const decoder = new TextDecoder();

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
    const values = await this.#readInstance();
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
    const of = (id: string) => values.find((value) => String(value.id) === id);
    const text = (id: string): string | null => {
      const value = of(id)?.value;
      return value === undefined ? null : decoder.decode(value);
    };
    const protocols = of(firmwareResource.protocols);
    const listed = protocols?.entries ?? (protocols ? [protocols] : []);
    this.#abilities = {
      protocols:
        listed.length > 0 ? listed.map(({ value }) => tlvInteger(value) ?? -1) : assumedProtocols,
      delivery:
        tlvInteger(of(firmwareResource.delivery)?.value ?? new Uint8Array(0)) ??
        deliveryMethod.both,
      componentName: text(firmwareResource.componentName),
      currentVersion: text(firmwareResource.currentVersion),
      packageVersion: text(firmwareResource.packageVersion),
    };
  }

  /** The Package URI it has, or null when it does not tell. */
  readUri(): Promise<string | null> {
    return this.#readText(firmwareResource.packageUri);
  }

  /** @throws CoapRefusal, CoapSilence */
  async writeUri(uri: string): Promise<void> {
    await this.#send(coapCode.put, firmwareResource.packageUri, uri);
  }

  /** Brings it to Idle with result 0 by an empty Package URI. @throws CoapRefusal, CoapSilence */
  async reset(): Promise<void> {
    await this.#send(coapCode.put, firmwareResource.packageUri, '');
    await this.refresh();
  }

  /** Executes Update. @throws CoapRefusal, CoapSilence */
  async update(): Promise<void> {
    await this.#send(coapCode.post, firmwareResource.update, null);
  }

  /** Executes Cancel, which older devices do not have. @throws CoapRefusal, CoapSilence */
  async cancel(): Promise<void> {
    await this.#send(coapCode.post, firmwareResource.cancel, null);
  }

  /** Writes the package itself. @throws CoapRefusal, CoapSilence */
  async push(
    content: { readonly sizeBytes: number; read(start: number, end: number): Promise<Uint8Array> },
    onBytes: (sentBytes: number) => void,
  ): Promise<void> {
    const { address, ended } = this.#registration;
    const path = [...this.#path, firmwareResource.package];
    await writeBlocks(this.#socket, address, path, content, onBytes, ended.signal);
  }

  #set(status: FirmwareStatus): void {
    const { state, result } = this.#status;
    if (status.state === state && status.result === result) return;
    this.#status = status;
    this.#onChange();
  }

  async #observe(resource: string): Promise<number> {
    const take = (message: CoapMessage): void => {
      this.#registration.heard();
      const value = isSuccess(message.code) ? integerOf(message) : null;
      if (value === null) return;
      const key = resource === firmwareResource.state ? 'state' : 'result';
      this.#set({ ...this.#status, [key]: value });
    };
    return integerOf(await this.#get(resource, take)) ?? 0;
  }

  async #readInteger(resource: string): Promise<number | null> {
    return integerOf(await this.#get(resource));
  }

  async #readText(resource: string): Promise<string | null> {
    return textOf(await this.#get(resource));
  }

  #get(resource: string, watch?: Watch): Promise<CoapMessage> {
    return readText(this.#socket, this.#registration, [...this.#path, resource], watch);
  }

  /** All resources at once, or null when the device has no TLV: then they are read one by one. */
  async #readInstance(): Promise<ReturnType<typeof decodeTlv>> {
    const { address, ended } = this.#registration;
    for (const accept of tlvFormats) {
      const parts: Uint8Array[] = [];
      let sizeBytes = 0;
      try {
        const resource = { path: this.#path, accept };
        for await (const block of readBlocks(this.#socket, address, resource, ended.signal)) {
          if (block.contentFormat !== null && !tlvFormats.includes(block.contentFormat))
            return null;
          sizeBytes += block.bytes.length;
          if (sizeBytes > maxInstanceBytes) return null;
          parts.push(block.bytes);
        }
        return decodeTlv(Buffer.concat(parts));
      } catch (error) {
        if (!(error instanceof CoapRefusal)) throw error;
      }
    }
    return null;
  }

  async #send(code: number, resource: string, text: string | null): Promise<void> {
    const { address, ended } = this.#registration;
    const path = pathOptions([...this.#path, resource]);
    const body = text === null ? null : textOption(0, text).value;
    const response = await this.#socket.request(
      address,
      {
        code,
        options: body === null ? path : [...path, uintOption(coapOption.contentFormat, plainText)],
        ...(body === null ? {} : { payload: body }),
      },
      ended.signal,
    );
    if (!isSuccess(response.code)) throw new CoapRefusal(`resource ${resource}`, response.code);
  }
}

type Watch = (notification: CoapMessage) => void;

/** Asks for a resource as plain text, and goes on to hear of it when `watch` is given (RFC 7641). */
function readText(
  socket: CoapSocket,
  { address, ended }: Registration,
  path: readonly string[],
  watch?: Watch,
): Promise<CoapMessage> {
  const options = [
    ...(watch ? [uintOption(coapOption.observe, 0)] : []),
    ...pathOptions(path),
    uintOption(coapOption.accept, plainText),
  ];
  const request = { code: coapCode.get, options };
  return socket.request(
    address,
    watch ? { ...request, onNotification: watch } : request,
    ended.signal,
  );
}

function integerOf(message: CoapMessage): number | null {
  if (!isSuccess(message.code)) return null;
  const format = optionUint(message.options, coapOption.contentFormat);
  if (format !== null && tlvFormats.includes(format)) {
    const [first] = decodeTlv(message.payload) ?? [];
    return first ? tlvInteger(first.value) : null;
  }
  const text = decoder.decode(message.payload).trim();
  return /^-?\d{1,10}$/.test(text) ? Number(text) : null;
}

function textOf(message: CoapMessage): string | null {
  if (!isSuccess(message.code)) return null;
  const format = optionUint(message.options, coapOption.contentFormat);
  const [first] =
    format !== null && tlvFormats.includes(format) ? (decodeTlv(message.payload) ?? []) : [];
  return decoder.decode(first ? first.value : message.payload);
}

/** The firmware version of the Device object (`/3/0/3`), or null when it does not tell. */
export async function readFirmwareVersion(
  socket: CoapSocket,
  registration: Registration,
): Promise<string | null> {
  const path = [...registration.root, '3', '0', '3'];
  const response = await readText(socket, registration, path);
  return textOf(response) || null;
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
    if (key === 'rsrpDbm' && !registration.hasConnectivity) continue;
    const take = (message: CoapMessage): void => {
      registration.heard();
      const value = integerOf(message);
      if (value !== null) onReport({ [key]: value });
    };
    const path = [...registration.root, ...signalResources[key]];
    const first = integerOf(await readText(socket, registration, path, take));
    if (first !== null) onReport({ [key]: first });
  }
}

/** Whether the device is out of reach, or has registered anew: its work goes on when it is heard again. */
export function isAway(error: unknown, registration: Registration): boolean {
  return error instanceof CoapSilence || registration.ended.signal.aborted;
}
