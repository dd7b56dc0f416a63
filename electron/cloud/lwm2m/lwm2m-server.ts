import { keepNewest } from '../../../shared/domain/newest.ts';
import { coapCode, coapOption } from '../../../shared/protocols/coap-message.ts';
import { textOption } from '../../../shared/protocols/coap-options.ts';
import { BlockUploads } from '../../coap/block-transfer.ts';
import { type CoapRequest, type CoapResponse, CoapSocket } from '../../coap/coap-socket.ts';
import type { DtlsServer } from '../../coap/dtls/dtls-server.ts';
import type { UdpPort } from '../../coap/udp-port.ts';
import type { Complaints } from '../complaints.ts';
import type { ReachableDevice } from '../plans/rollout-store.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import type { CloudParts } from '../types.ts';
import { CoapArtifacts } from './coap-artifacts.ts';
import { type DriverSettings, FirmwareDriver } from './firmware-driver.ts';
import { packageUris } from './package-uris.ts';
import { Registration, Registrations } from './registrations.ts';

const maxRegistrationBytes = 64 * 1024;
const sweepPeriodMs = 15_000;
/** How often the share of a download is stored. */
const progressPeriodMs = 2_000;
/** Downloads whose last word is remembered. */
const maxRemembered = 20_000;
const decoder = new TextDecoder();

export interface Lwm2mOptions {
  /** The ports to serve at, which end with the server: CoAP in the clear and under DTLS. */
  readonly ports: { readonly plain: UdpPort | null; readonly secure: DtlsServer | null };
  readonly parts: CloudParts;
  readonly keys: ArtifactKeys;
  /** Begins every artifact address: `http://host:port`. */
  readonly http: string;
  /** The host as devices write it. */
  readonly urlHost: string;
  readonly complaints: Complaints;
  readonly settings: Omit<DriverSettings, 'packageUris'>;
}

/**
 * The LwM2M server of the cloud over CoAP, in the clear and under DTLS: registration, update,
 * deregistration and the firmware objects of who is registered, and the artifacts of their jobs,
 * block-wise. A device is known by its endpoint name, which has to be the id of a device that uses
 * LwM2M, and under DTLS the identity that it has proved.
 * Sources: OMA LwM2M TS 1.0.2, 5.3 and 7.1; RFC 7252; RFC 7959.
 */
export class Lwm2mServer {
  readonly #parts: CloudParts;
  readonly #complaints: Complaints;
  readonly #registrations = new Registrations();
  readonly #uploads = new BlockUploads(maxRegistrationBytes);
  readonly #artifacts: CoapArtifacts;
  readonly #toldMs = new Map<number, number>();
  readonly #socket: CoapSocket;
  readonly #driver: FirmwareDriver;
  readonly #sweep: NodeJS.Timeout;
  /** The port under DTLS; null when it is not served. */
  readonly secure: DtlsServer | null;
  /** `coap://host:port`; null when it is not served. */
  readonly url: string | null;
  /** `coaps://host:port`; null when it is not served. */
  readonly secureUrl: string | null;

  constructor(options: Lwm2mOptions) {
    const { parts, keys, http, urlHost, complaints } = options;
    const { plain, secure } = options.ports;
    this.#parts = parts;
    this.#complaints = complaints;
    this.secure = secure;
    this.#artifacts = new CoapArtifacts(parts, keys);
    this.#socket = new CoapSocket(
      [plain, secure].filter((port) => port !== null),
      (request) => this.#answer(request),
    );
    this.url = plain && `coap://${urlHost}:${plain.port}`;
    this.secureUrl = secure && `coaps://${urlHost}:${secure.port}`;
    const bases = { http, coap: this.url, coaps: this.secureUrl };
    const settings: DriverSettings = {
      ...options.settings,
      packageUris: ({ isSecure }, job) => packageUris(bases, keys, job, isSecure),
    };
    this.#driver = new FirmwareDriver(parts, this.#socket, settings, complaints);
    this.#artifacts.onBlock = (actionId, share) => this.#onBlock(actionId, share);
    this.#sweep = setInterval(() => this.#endExpired(), sweepPeriodMs).unref();
  }

  /** Devices that are registered now. */
  get registeredDevices(): number {
    return this.#registrations.size;
  }

  /** Tells reachable devices that may begin because this plan changed. */
  announcePlan(planId: string): void {
    for (const device of this.#parts.rollout.waitingDevices(planId)) this.#announce(device);
  }

  /** Tells one device its next job, if it has one and is reachable. */
  announceDevice(deviceId: string): void {
    this.#announce({ deviceId, transport: 'lwm2m' });
  }

  /** The secret of a device is no longer good: what it was let in for ends. */
  secretEnded(deviceId: string): void {
    const registration = this.#registrations.ofDevice(deviceId);
    if (registration?.isSecure) this.#end(registration);
    this.secure?.endSessionsOf(deviceId, 'has a secret that is no longer good');
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    for (const registration of this.#registrations.all()) this.#registrations.remove(registration);
    await this.#socket.close();
  }

  #announce({ deviceId, transport }: ReachableDevice): void {
    const registration = transport === 'lwm2m' ? this.#registrations.ofDevice(deviceId) : null;
    if (registration?.isListening) void this.#driver.serve(registration);
  }

  async #answer(request: CoapRequest): Promise<CoapResponse> {
    const [first, id] = request.path;
    if (first === 'a') return this.#artifacts.answer(request);
    if (first !== 'rd' || request.path.length > 2) return { code: coapCode.notFound };
    if (id === undefined)
      return request.code === coapCode.post
        ? this.#register(request)
        : { code: coapCode.methodNotAllowed };
    const registration = this.#registrations.byId(id);
    // The device then registers anew (LwM2M TS 1.0.2, 5.3.2).
    if (registration === null) return { code: coapCode.notFound };
    if (!this.#mayActAs(registration.deviceId, request)) return { code: coapCode.forbidden };
    if (request.code === coapCode.delete) {
      this.#end(registration);
      return { code: coapCode.deleted };
    }
    if (request.code !== coapCode.post && request.code !== coapCode.put)
      return { code: coapCode.methodNotAllowed };
    return this.#update(registration, request);
  }

  #register(request: CoapRequest): CoapResponse {
    const upload = this.#uploads.take(request);
    if ('code' in upload) return upload;
    const query = queryOf(request);
    const deviceId = query.get('ep') ?? '';
    if (deviceId === '') return { code: coapCode.badRequest };
    const device = this.#parts.devices.get(deviceId);
    if (device?.transport !== 'lwm2m') {
      this.#complaints.about(
        'unknown device',
        `endpoint ${JSON.stringify(deviceId.slice(0, 128))} is no device of this cloud that uses LwM2M`,
      );
      return { code: coapCode.forbidden };
    }
    if (!this.#mayActAs(deviceId, request)) return { code: coapCode.forbidden };
    this.#parts.devices.seen(deviceId);
    const before = this.#registrations.ofDevice(deviceId);
    if (before) this.#end(before);
    const links = decoder.decode(upload.body);
    const registration = new Registration(deviceId, request.from, query, links);
    this.#registrations.add(registration);
    if (registration.objects.firmware.length === 0)
      this.#complaints.about(
        deviceId,
        'it registered without a firmware update object (5 or 33629)',
      );
    this.#serveSoon(registration);
    return {
      code: coapCode.created,
      options: [
        textOption(coapOption.locationPath, 'rd'),
        textOption(coapOption.locationPath, registration.id),
        ...upload.options,
      ],
    };
  }

  /** Who came over DTLS is who it has proved to be, and nobody in the clear takes its place. */
  #mayActAs(deviceId: string, { from }: CoapRequest): boolean {
    const identity = from.session?.identity;
    if (identity === deviceId) return true;
    if (identity !== undefined) {
      const name = JSON.stringify(deviceId.slice(0, 128));
      this.#complaints.about(identity, `under this DTLS identity it wanted to act as ${name}`);
      return false;
    }
    const isTaken = this.#registrations.ofDevice(deviceId)?.isSecure === true;
    if (isTaken)
      this.#complaints.about(
        deviceId,
        `${from.address} wanted to act as this device in the clear, while it is registered over DTLS`,
      );
    return !isTaken;
  }

  #update(registration: Registration, request: CoapRequest): CoapResponse {
    const upload = this.#uploads.take(request);
    if ('code' in upload) return upload;
    this.#registrations.move(registration, request.from, decoder.decode(upload.body));
    registration.update(queryOf(request));
    this.#parts.devices.seen(registration.deviceId);
    this.#serveSoon(registration);
    return { code: coapCode.changed, options: upload.options };
  }

  /** After the answer has left: many clients take no request before they are registered. */
  #serveSoon(registration: Registration): void {
    setImmediate(() => void this.#driver.serve(registration));
  }

  #end(registration: Registration): void {
    const isAt = this.#registrations.isAt(registration);
    this.#registrations.remove(registration);
    if (isAt) this.#socket.forget(registration.address);
  }

  #endExpired(): void {
    for (const registration of this.#registrations.expired()) this.#end(registration);
  }

  #onBlock(actionId: number, share: number): void {
    this.#driver.moved(actionId);
    const nowMs = performance.now();
    const toldMs = this.#toldMs.get(actionId);
    if (toldMs !== undefined && nowMs - toldMs < progressPeriodMs) return;
    keepNewest(this.#toldMs, actionId, nowMs, maxRemembered);
    // That a download begins is known already.
    if (toldMs === undefined) return;
    const { engine } = this.#parts;
    const deviceId = engine.deviceOf(actionId);
    if (deviceId === null) return;
    engine
      .report(deviceId, actionId, { kind: 'progress', state: 'downloading', progress: share })
      .catch((error: Error) => this.#complaints.about(deviceId, error.message));
  }
}

function queryOf(request: CoapRequest): URLSearchParams {
  const query = new URLSearchParams();
  for (const part of request.query) {
    const at = part.indexOf('=');
    query.append(at < 0 ? part : part.slice(0, at), at < 0 ? '' : part.slice(at + 1));
  }
  return query;
}
