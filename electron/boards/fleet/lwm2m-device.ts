import { setImmediate as nextTurn } from 'node:timers/promises';
import { coapCode, coapOption } from '../../../shared/protocols/coap-message.ts';
import {
  optionTexts,
  optionUint,
  pathOptions,
  textOption,
  uintOption,
} from '../../../shared/protocols/coap-options.ts';
import {
  deliveryMethod,
  firmwareResource,
  firmwareState,
  packageProtocol,
  updateResult,
} from '../../../shared/protocols/firmware-update.ts';
import { type TlvValue, encodeTlv, integerTlv } from '../../../shared/protocols/lwm2m-tlv.ts';
import type { Slots } from '../../../shared/domain/slots.ts';
import { BlockUploads } from '../../coap/block-transfer.ts';
import { type CoapRequest, type CoapResponse, CoapSocket } from '../../coap/coap-socket.ts';
import { DtlsClient } from '../../coap/dtls/dtls-client.ts';
import { type CoapAddress, coapAddress } from '../../coap/peer.ts';
import { UdpPort } from '../../coap/udp-port.ts';
import { dtlsKeyOf, hashSecret } from '../../cloud/store/secrets.ts';
import { PackageDownload } from './package-download.ts';
import type { SimulatedDevice } from './simulated-device.ts';
import { backoffMs, type Timers } from './timers.ts';

const lifetimeSec = 600;
const plainText = 0;
const tlv = 11_542;
/** How long the new firmware takes to start. */
const rebootMs = 50;
const maxPushedBytes = 16 * 1024 * 1024;
const links = '</1/0>,</3/0>,</5/0>';
const linksWithSignal = '</1/0>,</3/0>,</4/0>,</5/0>';
/** Battery Level and Radio Signal Strength (LwM2M TS 1.0.2, E.4 and E.5). */
const batteryPath = '3/0/9';
const rsrpPath = '4/0/2';
const signalPeriodMs = 2_000;
const encoder = new TextEncoder();

interface Observer {
  readonly token: Uint8Array;
  readonly to: CoapAddress;
}

/**
 * A device of LwM2M 1.0 with Object 5: it registers, pulls over CoAP or takes a pushed package,
 * updates, reboots to a new port and registers again with the result; under DTLS when its server is
 * at a `coaps:` address.
 */
export class Lwm2mDevice {
  readonly #device: SimulatedDevice;
  readonly #server: CoapAddress;
  readonly #isSecure: boolean;
  readonly #parts: {
    readonly timers: Timers;
    readonly registering: Slots;
    readonly onTrouble: (error: unknown) => void;
  };
  readonly #uploads = new BlockUploads(maxPushedBytes);
  readonly #observers = new Map<string, Observer>();
  #socket: CoapSocket | null = null;
  #location: readonly string[] = [];
  #state: number = firmwareState.idle;
  #result: number = updateResult.initial;
  #uri = '';
  #package: PackageDownload | null = null;
  #sequence = 0;
  #closed = false;
  #markOnline: () => void = () => undefined;
  /** Resolves when it has registered for the first time. */
  readonly online: Promise<void>;

  constructor(
    device: SimulatedDevice,
    parts: {
      /** `coap://host:port` or `coaps://host:port` */
      readonly server: URL;
      readonly timers: Timers;
      /** Bounds how many of the fleet register at the same time. */
      readonly registering: Slots;
      readonly onTrouble: (error: unknown) => void;
    },
  ) {
    this.#device = device;
    this.#parts = parts;
    this.#server = coapAddress(parts.server);
    this.#isSecure = parts.server.protocol === 'coaps:';
    this.online = new Promise((done) => {
      this.#markOnline = done;
    });
  }

  /** Stays registered for ever. */
  async run(): Promise<void> {
    await this.#register();
    this.#markOnline();
    if (this.#device.signals.hasAny) void this.#tellSignals();
    while (!this.#closed) {
      await this.#parts.timers.sleep((lifetimeSec * 1000) / 2);
      await this.#updateRegistration();
    }
  }

  close(): void {
    this.#closed = true;
    this.#package?.abort();
    void this.#socket?.close();
  }

  async #register(): Promise<void> {
    for (let failures = 0; !this.#closed; ) {
      try {
        await this.#parts.registering.hold(1, () => this.#registerOnce());
        return;
      } catch (error) {
        if (this.#closed) return;
        this.#parts.onTrouble(error);
        await this.#parts.timers.sleep(backoffMs(++failures));
      }
    }
  }

  async #registerOnce(): Promise<void> {
    await this.#socket?.close();
    this.#observers.clear();
    const at = { host: this.#server.address.includes(':') ? '::' : '0.0.0.0', port: 0 };
    const { id: identity, secret } = this.#device;
    const port = this.#isSecure
      ? await DtlsClient.open(at, {
          identity,
          key: dtlsKeyOf(hashSecret(secret)),
          wantsConnectionId: true,
        })
      : await UdpPort.open(at);
    const socket = new CoapSocket([port], (request) => this.#answer(request));
    this.#socket = socket;
    const query = [`ep=${this.#device.id}`, `lt=${lifetimeSec}`, 'lwm2m=1.0', 'b=U'];
    const response = await socket.request(this.#server, {
      code: coapCode.post,
      options: [
        ...pathOptions(['rd']),
        uintOption(coapOption.contentFormat, 40),
        ...query.map((text) => textOption(coapOption.uriQuery, text)),
      ],
      payload: encoder.encode(this.#device.signals.hasAny ? linksWithSignal : links),
    });
    if (response.code !== coapCode.created)
      throw new Error('the cloud did not take the registration');
    this.#location = optionTexts(response.options, coapOption.locationPath);
  }

  async #updateRegistration(): Promise<void> {
    if (!this.#socket || this.#closed) return;
    try {
      const request = { code: coapCode.post, options: pathOptions(this.#location) };
      const response = await this.#socket.request(this.#server, request);
      if (response.code !== coapCode.changed) await this.#register();
    } catch (error) {
      if (this.#closed) return;
      this.#parts.onTrouble(error);
      await this.#register();
    }
  }

  async #answer(request: CoapRequest): Promise<CoapResponse> {
    const path = request.path.join('/');
    const isGet = request.code === coapCode.get;
    if (path === '3/0/3' && isGet) return content(this.#version());
    if (path === '5/0' && isGet) return this.#readObject();
    const resource = path.startsWith('5/0/') ? path.slice(4) : '';
    if (isGet && (path === batteryPath || path === rsrpPath))
      return this.#readWatched(path, this.#signalOf(path), request);
    if (isGet) return this.#readResource(resource, request);
    if (request.code === coapCode.put && resource === firmwareResource.packageUri)
      return this.#writeUri(Buffer.from(request.payload).toString());
    if (request.code === coapCode.put && resource === firmwareResource.package)
      return this.#writePackage(request);
    if (request.code === coapCode.post && resource === firmwareResource.update)
      return this.#update();
    return { code: coapCode.notFound };
  }

  #version(): string {
    return Object.values(this.#device.versions)[0] ?? '';
  }

  #readObject(): CoapResponse {
    const values: TlvValue[] = [
      { id: Number(firmwareResource.state), value: integerTlv(this.#state) },
      { id: Number(firmwareResource.updateResult), value: integerTlv(this.#result) },
      {
        id: Number(firmwareResource.protocols),
        value: new Uint8Array(0),
        entries: [
          {
            id: 0,
            value: integerTlv(this.#isSecure ? packageProtocol.coaps : packageProtocol.coap),
          },
        ],
      },
      { id: Number(firmwareResource.delivery), value: integerTlv(deliveryMethod.both) },
    ];
    return {
      code: coapCode.content,
      options: [uintOption(coapOption.contentFormat, tlv)],
      payload: encodeTlv(values),
    };
  }

  #readResource(resource: string, request: CoapRequest): CoapResponse {
    if (resource === firmwareResource.packageUri) return content(this.#uri);
    return this.#readWatched(resource, this.#valueOf(resource), request);
  }

  #readWatched(resource: string, value: number | null, request: CoapRequest): CoapResponse {
    if (value === null) return { code: coapCode.notFound };
    const observe = optionUint(request.options, coapOption.observe);
    if (observe === null) return content(String(value));
    if (observe === 1) this.#observers.delete(resource);
    else this.#observers.set(resource, { token: request.token.slice(), to: request.from });
    return content(String(value), observe === 0 ? this.#sequence++ : null);
  }

  #valueOf(resource: string): number | null {
    if (resource === firmwareResource.state) return this.#state;
    return resource === firmwareResource.updateResult ? this.#result : null;
  }

  #signalOf(path: string): number | null {
    const { battery, rsrp } = this.#device.signals.now();
    return (path === batteryPath ? battery : rsrp) ?? null;
  }

  async #tellSignals(): Promise<void> {
    const told = new Map<string, number | null>();
    for (; !this.#closed; await this.#parts.timers.sleep(signalPeriodMs)) {
      for (const path of [batteryPath, rsrpPath]) {
        const now = this.#signalOf(path);
        if (now !== null && now !== told.get(path)) this.#notify(path, now);
        told.set(path, now);
      }
    }
  }

  #writeUri(uri: string): CoapResponse {
    this.#package?.abort();
    this.#package = null;
    this.#uri = uri;
    this.#become(firmwareState.idle, updateResult.initial);
    if (uri !== '') void this.#pull(uri);
    return { code: coapCode.changed };
  }

  async #pull(uri: string): Promise<void> {
    // After the answer to the write has left.
    await nextTurn();
    if (!this.#socket) return;
    const scheme = this.#isSecure ? 'coaps:' : 'coap:';
    const download = PackageDownload.fromUri(uri, scheme, this.#socket, this.#device);
    this.#package = download;
    this.#become(firmwareState.downloading, updateResult.initial);
    const failure = await download.run();
    if (this.#device.isSilent) {
      this.close();
      return;
    }
    if (this.#package !== download || this.#closed) return;
    if (failure === null) this.#become(firmwareState.downloaded, updateResult.initial);
    else this.#become(firmwareState.idle, failure);
  }

  /** A pushed package names no version: that of the device stays what it was. */
  #writePackage(request: CoapRequest): CoapResponse {
    const upload = this.#uploads.take(request);
    if ('code' in upload) return upload;
    this.#uri = '';
    const isReset = upload.body.length === 0 || (upload.body.length === 1 && upload.body[0] === 0);
    this.#package = isReset ? null : PackageDownload.received(upload.body, this.#device);
    this.#become(isReset ? firmwareState.idle : firmwareState.downloaded, updateResult.initial);
    return { code: coapCode.changed, options: upload.options };
  }

  #update(): CoapResponse {
    const download = this.#package;
    if (this.#state !== firmwareState.downloaded || !download)
      return { code: coapCode.methodNotAllowed };
    this.#become(firmwareState.updating, updateResult.initial);
    void this.#reboot(download);
    return { code: coapCode.changed };
  }

  async #reboot(download: PackageDownload): Promise<void> {
    await this.#parts.timers.sleep(rebootMs);
    if (this.#device.isSilent) {
      this.close();
      return;
    }
    this.#result = await download.install();
    this.#state = firmwareState.idle;
    this.#package = null;
    if (!this.#closed) await this.#register();
  }

  #become(state: number, result: number): void {
    const changed = [
      ...(state === this.#state ? [] : [firmwareResource.state]),
      ...(result === this.#result ? [] : [firmwareResource.updateResult]),
    ];
    this.#state = state;
    this.#result = result;
    for (const resource of changed) this.#notify(resource, this.#valueOf(resource));
  }

  #notify(resource: string, value: number | null): void {
    const observer = this.#observers.get(resource);
    if (!observer || !this.#socket) return;
    const told = content(String(value), this.#sequence++);
    this.#socket.notify(observer.to, observer.token, told).catch(() => {
      // It is gone, or no longer interested; who comes back observes anew.
      if (this.#observers.get(resource) === observer) this.#observers.delete(resource);
    });
  }
}

function content(text: string, observe: number | null = null): CoapResponse {
  return {
    code: coapCode.content,
    options: [
      ...(observe === null ? [] : [uintOption(coapOption.observe, observe % 0x100_0000)]),
      uintOption(coapOption.contentFormat, plainText),
    ],
    payload: encoder.encode(text),
  };
}
