import { keepNewest } from '../../../shared/domain/newest.ts';
import { coapCode, coapOption } from '../../../shared/protocols/coap-message.ts';
import { textOption } from '../../../shared/protocols/coap-options.ts';
import { BlockUploads } from '../../coap/block-transfer.ts';
import { type CoapRequest, type CoapResponse, CoapSocket } from '../../coap/coap-socket.ts';
import type { Complaints } from '../complaints.ts';
import type { Job } from '../plans/rollout-engine.ts';
import type { ReachableDevice } from '../plans/rollout-store.ts';
import type { ArtifactKeys } from '../store/artifact-keys.ts';
import type { CloudParts } from '../types.ts';
import { CoapArtifacts } from './coap-artifacts.ts';
import { type DriverSettings, FirmwareDriver } from './firmware-driver.ts';
import { Registration, Registrations } from './registrations.ts';

const maxRegistrationBytes = 64 * 1024;
const sweepPeriodMs = 15_000;
/** How often the share of a download is stored. */
const progressPeriodMs = 2_000;
/** Downloads whose last word is remembered. */
const maxRemembered = 20_000;
const decoder = new TextDecoder();

export interface Lwm2mOptions {
  readonly host: string;
  /** 0 means any free one. */
  readonly port: number;
  readonly parts: CloudParts;
  readonly keys: ArtifactKeys;
  /** Begins every artifact address: `http://host:port`. */
  readonly http: string;
  /** The host as devices write it. */
  readonly urlHost: string;
  readonly complaints: Complaints;
  readonly settings: Omit<DriverSettings, 'packageUri'>;
}

/**
 * The LwM2M server of the cloud over CoAP (UDP, without DTLS): registration, update, deregistration
 * and the firmware objects of who is registered, and the artifacts of their jobs, block-wise.
 * A device is known by its endpoint name, which has to be the id of a device that uses LwM2M.
 * Sources: OMA LwM2M TS 1.0.2, 5.3; RFC 7252; RFC 7959.
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
  readonly url: string;

  private constructor(options: Lwm2mOptions, socket: CoapSocket, artifacts: CoapArtifacts) {
    this.#parts = options.parts;
    this.#complaints = options.complaints;
    this.#socket = socket;
    this.#artifacts = artifacts;
    this.url = `coap://${options.urlHost}:${socket.port}`;
    const bases = { coap: this.url, http: options.http };
    const packageUri = (protocol: 'coap' | 'http', { actionId, pkg }: Job): string =>
      `${bases[protocol]}/a/${actionId}/${options.keys.keyOf(actionId)}/${encodeURIComponent(pkg.targetVersion)}`;
    const settings = { ...options.settings, packageUri };
    this.#driver = new FirmwareDriver(options.parts, socket, settings, options.complaints);
    artifacts.onBlock = (actionId, share) => this.#onBlock(actionId, share);
    this.#sweep = setInterval(() => this.#endExpired(), sweepPeriodMs).unref();
  }

  /** Fails with the error of the system when the port cannot be had. */
  static async start(options: Lwm2mOptions): Promise<Lwm2mServer> {
    const artifacts = new CoapArtifacts(options.parts, options.keys);
    let server: Lwm2mServer | null = null;
    const answer = async (request: CoapRequest): Promise<CoapResponse> =>
      server ? server.#answer(request) : { code: coapCode.unavailable };
    const socket = await CoapSocket.bind({ host: options.host, port: options.port }, answer);
    server = new Lwm2mServer(options, socket, artifacts);
    return server;
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

  #update(registration: Registration, request: CoapRequest): CoapResponse {
    const upload = this.#uploads.take(request);
    if ('code' in upload) return upload;
    registration.moved(request.from, decoder.decode(upload.body));
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
    this.#registrations.remove(registration);
    this.#socket.forget(registration.address);
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
