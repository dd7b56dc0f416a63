import { randomBytes } from 'node:crypto';
import { readDeviceLinks } from '../../../shared/protocols/link-format.ts';
import { type CoapAddress, Peer } from '../../coap/peer.ts';

/** LwM2M TS 1.0.2, 5.3.1: what counts when a device names no lifetime. */
const defaultLifetimeSec = 86_400;
const maxLifetimeSec = 365 * 86_400;
/** How long a device in queue mode listens after it was heard (MAX_TRANSMIT_WAIT, RFC 7252 4.8.2). */
const listensMs = 93_000;

/** The objects of a device that are of interest here. */
export interface DeviceObjects {
  readonly links: string;
  readonly root: readonly string[];
  /** Instances of Object 33629, or the one of Object 5; each as its path below the root. */
  readonly firmware: readonly (readonly string[])[];
  /** Whether it has Object 4, which tells the signal strength. */
  readonly hasConnectivity: boolean;
}

function readObjects(links: string): DeviceObjects {
  const { root, paths } = readDeviceLinks(links);
  const instances = (objectId: string): (readonly string[])[] =>
    paths.filter((path) => path[0] === objectId && path.length === 2);
  const advanced = instances('33629');
  // Object 5 has one instance at most; simple clients list the object alone.
  const single = instances('5').slice(0, 1);
  const isListed = paths.some((path) => path.length === 1 && path[0] === '5');
  const firmware = [advanced, single].find((list) => list.length > 0);
  return {
    links,
    root,
    firmware: firmware ?? (isListed ? [['5', '0']] : []),
    hasConnectivity: paths.some(([objectId]) => objectId === '4'),
  };
}

/** A registered device: where it is and what it has. */
export class Registration {
  readonly id = randomBytes(5).toString('hex');
  readonly deviceId: string;
  #objects: DeviceObjects;
  /** The format in which it tells single resources, null for its own choice; unknown until it has told one. */
  resourceFormat: number | null | undefined;
  #address: CoapAddress;
  readonly #queueMode: boolean;
  #lifetimeMs = defaultLifetimeSec * 1000;
  #heardMs = performance.now();
  /** Aborted when the device is gone or has registered again. */
  readonly ended = new AbortController();

  constructor(deviceId: string, address: CoapAddress, query: URLSearchParams, links: string) {
    this.deviceId = deviceId;
    this.#address = address;
    this.#queueMode = query.has('Q') || /Q/.test(query.get('b') ?? '');
    this.#objects = readObjects(links);
    this.update(query);
  }

  get address(): CoapAddress {
    return this.#address;
  }

  /**
   * What it has, read from its links; another object after an update that listed other links, or that
   * came from another address: what was observed from there is not heard any more.
   */
  get objects(): DeviceObjects {
    return this.#objects;
  }

  /** Path that stands before every object. */
  get root(): readonly string[] {
    return this.#objects.root;
  }

  /** Whether it came over DTLS, under the identity that is its name. */
  get isSecure(): boolean {
    return this.address.session !== undefined;
  }

  /** The device was heard; `lt` of an update counts from now on. */
  update(query: URLSearchParams): void {
    const seconds = Number(query.get('lt') ?? Number.NaN);
    if (seconds > 0) this.#lifetimeMs = Math.min(seconds, maxLifetimeSec) * 1000;
    this.heard();
  }

  /** Takes over where an update of the registration came from, and the links that it lists, if any. */
  moved(address: CoapAddress, links: string): void {
    const isElsewhere = Peer.keyOf(address) !== Peer.keyOf(this.#address);
    this.#address = address;
    if (links !== '' && links !== this.#objects.links) this.#objects = readObjects(links);
    else if (isElsewhere) this.#objects = { ...this.#objects };
  }

  heard(): void {
    this.#heardMs = performance.now();
  }

  get isExpired(): boolean {
    return performance.now() - this.#heardMs > this.#lifetimeMs;
  }

  /** Whether it is worth sending to it now. */
  get isListening(): boolean {
    return !this.isExpired && (!this.#queueMode || performance.now() - this.#heardMs < listensMs);
  }
}

/** Who is registered; a device has one registration, the latest. */
export class Registrations {
  readonly #byId = new Map<string, Registration>();
  readonly #byDevice = new Map<string, Registration>();
  /** Who was heard last from an address: behind routers it may have been another device's before. */
  readonly #byAddress = new Map<string, Registration>();

  /** Registers a device, in place of what it had registered before. */
  add(registration: Registration): void {
    const { deviceId } = registration;
    const before = this.#byDevice.get(deviceId);
    if (before) this.remove(before);
    this.#byId.set(registration.id, registration);
    this.#byDevice.set(deviceId, registration);
    this.#byAddress.set(Peer.keyOf(registration.address), registration);
  }

  /** An update of a registration came from this address, with these links. */
  move(registration: Registration, address: CoapAddress, links: string): void {
    if (this.isAt(registration)) this.#byAddress.delete(Peer.keyOf(registration.address));
    registration.moved(address, links);
    this.#byAddress.set(Peer.keyOf(address), registration);
  }

  /** Whether nobody else was heard from its address since. */
  isAt(registration: Registration): boolean {
    return this.#byAddress.get(Peer.keyOf(registration.address)) === registration;
  }

  remove(registration: Registration): void {
    if (this.isAt(registration)) this.#byAddress.delete(Peer.keyOf(registration.address));
    this.#byId.delete(registration.id);
    if (this.#byDevice.get(registration.deviceId) === registration)
      this.#byDevice.delete(registration.deviceId);
    registration.ended.abort(new Error('the device has registered again or is gone'));
  }

  byId(id: string): Registration | null {
    return this.#byId.get(id) ?? null;
  }

  ofDevice(deviceId: string): Registration | null {
    return this.#byDevice.get(deviceId) ?? null;
  }

  get size(): number {
    return this.#byId.size;
  }

  all(): IterableIterator<Registration> {
    return this.#byId.values();
  }

  expired(): Registration[] {
    return [...this.#byId.values()].filter((registration) => registration.isExpired);
  }
}
