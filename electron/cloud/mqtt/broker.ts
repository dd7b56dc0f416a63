import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { type AddressInfo, type Server, type Socket, createServer } from 'node:net';
import {
  type SecureContext,
  TLSSocket,
  type TLSSocketOptions,
  createSecureContext,
} from 'node:tls';
import type { Complaints } from '../complaints.ts';
import { limitPackets } from './packet-limit.ts';
import type { TlsIdentity } from '../tls-identity.ts';
import { mayPublish, maySubscribe } from './topics.ts';

/** Largest MQTT packet that is taken: 64 KiB, payload and topic together. */
export const maxPacketBytes = 64 * 1024;
/** A device that leaves so much unread is closed: several hundred job messages. */
const maxUnreadBytes = 128 * 1024;
/**
 * A write to a connection that holds more than this makes its writer wait. Larger than what a device may
 * leave unread and one more packet, so that nobody ever waits for a device.
 */
const socketBufferBytes = 4 * maxPacketBytes;
const connectTimeoutMs = 30_000;
/** Messages in delivery at a time: above the number of devices, so that none waits for another's. */
const concurrency = 20_000;
const keepAliveMs = 60_000;

/** MQTT 3.1.1, 3.2.2.3: CONNACK return codes. */
const refused = { identifierRejected: 2, badUsernameOrPassword: 4 } as const;

/** Takes a message of a device; resolves when it is stored. */
type Receive = (topic: string, payload: Buffer) => Promise<void>;

/**
 * The broker inside the cloud: MQTT 3.1 and 3.1.1 over TCP or TLS (aedes; MQTT 5 clients are refused). A
 * device logs in with its id and secret and reaches its own topics only. Sessions are never kept:
 * jobs live in the database and a device asks again when it is back. The cloud itself needs no
 * connection: it takes each message before its sender is told that it arrived, and publishes from within.
 */
export class EmbeddedBroker {
  readonly #aedes: Aedes;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Who is behind a connection that has logged in. */
  readonly #names = new WeakMap<Client, string>();
  readonly #clients = new Map<string, Client>();
  readonly #connections = new Map<string, Set<Client>>();
  readonly #complaints: Complaints;
  #secureContext: SecureContext | null;
  #letIn: (receive: Receive) => void = () => undefined;
  readonly #opened = new Promise<Receive>((done) => {
    this.#letIn = done;
  });

  private constructor(
    aedes: Aedes,
    authenticate: (deviceId: string, secret: string) => boolean,
    complaints: Complaints,
    tls: TlsIdentity | null,
  ) {
    this.#aedes = aedes;
    this.#secureContext = tls && createSecureContext(tls);
    this.#complaints = complaints;
    this.#setRules(authenticate);
    this.#server = createServer(
      { noDelay: true, keepAlive: true, highWaterMark: socketBufferBytes },
      (socket) => this.#take(socket),
    );
  }

  /** Starts a broker that asks `authenticate` for each device. @throws the error of `listen` */
  static async start(options: {
    readonly host: string;
    readonly port: number;
    readonly authenticate: (deviceId: string, secret: string) => boolean;
    readonly complaints: Complaints;
    /** Served without TLS when null. */
    readonly tls: TlsIdentity | null;
  }): Promise<EmbeddedBroker> {
    const aedes = await Aedes.createBroker({
      concurrency,
      // Devices are closed by the rule for forwarding.
      drainTimeout: 0,
      connectTimeout: connectTimeoutMs,
      heartbeatInterval: keepAliveMs,
      maxInflightInbound: 16,
      maxTopicLevels: 10,
    });
    const broker = new EmbeddedBroker(aedes, options.authenticate, options.complaints, options.tls);
    try {
      await broker.#listen(options.host, options.port);
    } catch (error) {
      await broker.#closeAedes();
      throw error;
    }
    return broker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Shows another certificate to connections from now on. */
  renewTls(tls: TlsIdentity): void {
    this.#secureContext = createSecureContext(tls);
  }

  /** Devices that are connected now. */
  get connectedDevices(): number {
    return this.#connections.size;
  }

  /** Lets the devices in, and hands over what they send; until then they wait for the answer to their login. */
  open(receive: Receive): void {
    this.#letIn(receive);
  }

  isReachable(deviceId: string): boolean {
    return this.#connections.has(deviceId);
  }

  /** Publishes to whoever of the devices listens, QoS 1; resolves when it is on its way. */
  publish(topic: string, payload: string): Promise<void> {
    const packet = { cmd: 'publish', topic, payload, qos: 1, retain: false, dup: false } as const;
    return new Promise((done, fail) => {
      this.#aedes.publish(packet, (error) => (error ? fail(error) : done()));
    });
  }

  /** Ends what the device is connected with now; it may log in again. */
  disconnect(deviceId: string): void {
    for (const client of this.#connections.get(deviceId) ?? []) client.close();
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((done) => this.#server.close(() => done()));
    await this.#closeAedes();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #closeAedes(): Promise<void> {
    return new Promise((done) => this.#aedes.close(done));
  }

  #listen(host: string, port: number): Promise<void> {
    return new Promise((done, fail) => {
      this.#server.once('error', fail);
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', fail);
        this.#server.on('error', (error) => this.#complaints.about('broker', String(error)));
        done();
      });
    });
  }

  #take(raw: Socket): void {
    const socket = this.#secureContext ? secured(raw, this.#secureContext) : raw;
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    limitPackets(socket, maxPacketBytes);
    this.#aedes.handle(socket);
  }

  #setRules(authenticate: (deviceId: string, secret: string) => boolean): void {
    const aedes = this.#aedes;
    aedes.on('client', (client) => this.#arrived(client));
    aedes.on('clientDisconnect', (client) => this.#left(client));
    aedes.on('clientError', (client, error) => {
      // Devices come and go; only what one does wrong is worth a line.
      const isGone = 'code' in error || error.message === 'keep alive timeout';
      if (!isGone) this.#complaints.about(this.#names.get(client) ?? 'login', error.message);
    });
    aedes.on('connectionError', (_client, error) =>
      this.#complaints.about('connection', error.message),
    );
    aedes.preConnect = (_client, packet, done) => {
      if (packet.cmd === 'connect') packet.clean = true;
      done(null, true);
    };
    aedes.authenticate = (client, username = '', password, done) => {
      void this.#opened.then(() => {
        const error = this.#login(client, username, password?.toString() ?? '', authenticate);
        done(error, error === null);
      });
    };
    aedes.authorizePublish = (client, packet, done) => {
      const deviceId = client ? (this.#names.get(client) ?? '') : '';
      if (!mayPublish(deviceId, packet.topic))
        return done(new Error(`may not publish to ${JSON.stringify(packet.topic)}`));
      packet.retain = false;
      // PUBACK goes out after this, so that it says what it should: that nothing is lost any more.
      this.#opened
        .then((receive) => receive(packet.topic, Buffer.from(packet.payload)))
        .then(() => done(null), done);
    };
    aedes.authorizeForward = (client, packet) => (this.#mayForward(client) ? packet : null);
    aedes.authorizeSubscribe = (client, subscription, done) => {
      const name = this.#names.get(client) ?? '';
      if (maySubscribe(name, subscription.topic)) return done(null, subscription);
      this.#complaints.about(name, `may not subscribe to ${JSON.stringify(subscription.topic)}`);
      done(null, null);
    };
  }

  #login(
    client: Client,
    username: string,
    secret: string,
    authenticate: (deviceId: string, secret: string) => boolean,
  ): AuthenticateError | null {
    if (!authenticate(username, secret))
      return refusal(refused.badUsernameOrPassword, 'wrong id or secret');
    // A known client id closes the connection that has it, so nobody may take another one's.
    const holder = this.#clients.get(client.id);
    if (holder && this.#names.get(holder) !== username)
      return refusal(refused.identifierRejected, `client id ${client.id} is taken`);
    this.#names.set(client, username);
    return null;
  }

  #mayForward(client: Client): boolean {
    const { conn } = client;
    if (conn.writableLength <= maxUnreadBytes) return true;
    conn.destroy(new Error('does not read what it is sent'));
    return false;
  }

  #arrived(client: Client): void {
    const deviceId = this.#names.get(client) ?? '';
    const connections = this.#connections.get(deviceId) ?? new Set();
    this.#connections.set(deviceId, connections.add(client));
    this.#clients.set(client.id, client);
  }

  #left(client: Client): void {
    const deviceId = this.#names.get(client) ?? '';
    const connections = this.#connections.get(deviceId);
    connections?.delete(client);
    if (connections?.size === 0) this.#connections.delete(deviceId);
    if (this.#clients.get(client.id) === client) this.#clients.delete(client.id);
  }
}

/** Wrapped by hand, as a TLS server gives its sockets a buffer of 16 KiB, whatever it is told. */
function secured(raw: Socket, secureContext: SecureContext): Socket {
  return new TLSSocket(raw, {
    isServer: true,
    secureContext,
    highWaterMark: socketBufferBytes,
  } as TLSSocketOptions);
}

function refusal(returnCode: 2 | 4, message: string): AuthenticateError {
  return Object.assign(new Error(message), { returnCode }) as AuthenticateError;
}
