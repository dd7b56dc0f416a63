import { randomBytes } from 'node:crypto';
import { readAlert } from '../../../shared/protocols/dtls/alert.ts';
import {
  type HandshakeFragment,
  encodeHandshake,
  handshakeType,
  readFragments,
} from '../../../shared/protocols/dtls/handshake.ts';
import {
  encodeHelloVerifyRequest,
  readClientHelloHead,
} from '../../../shared/protocols/dtls/hello.ts';
import {
  type DtlsRecord,
  contentType,
  dtlsVersion,
  encodeRecord,
  readRecords,
} from '../../../shared/protocols/dtls/record.ts';
import { type CoapAddress, Peer } from '../peer.ts';
import type { CoapTransport } from '../transport.ts';
import { UdpPort } from '../udp-port.ts';
import { Cookies } from './cookies.ts';
import { DtlsCounts } from './dtls-counts.ts';
import { FailedAddresses } from './failed-addresses.ts';
import { type Established, type HandshakeFailure, ServerHandshake } from './server-handshake.ts';
import { ServerSession } from './server-session.ts';
import { SessionTable } from './session-table.ts';

const connectionIdBytes = 8;
const keyBytes = 16;
const sweepPeriodMs = 60_000;
const nothing = new Uint8Array(0);

/** How much is kept, and for how long. */
export interface DtlsLimits {
  readonly sessions: number;
  /** Of one identity: a device and its downloader, and what they have left behind. */
  readonly sessionsOfIdentity: number;
  readonly handshakes: number;
  /** Wrong keys of one network address within a minute; what it begins beyond them is left unanswered. */
  readonly failuresOfAddress: number;
  /** How long a session may be silent, in milliseconds. */
  readonly idleMs: number;
}

/** Room for 10,000 devices twice over; an hour more than the lifetime of a registration that names none. */
const usualLimits: DtlsLimits = {
  sessions: 20_000,
  sessionsOfIdentity: 4,
  handshakes: 4096,
  failuresOfAddress: 120,
  idleMs: 25 * 3_600_000,
};

export interface DtlsServerOptions {
  readonly host: string;
  /** 0 means any free one. */
  readonly port: number;
  /** The key of an identity; null when there is none. */
  readonly keyOf: (identity: string) => Uint8Array | null;
  /** A handshake came to nothing; the identity is what the client says, null before it has said one. */
  readonly onFailure: (
    reason: HandshakeFailure,
    from: CoapAddress,
    identity: string | null,
  ) => void;
  readonly limits?: Partial<DtlsLimits>;
}

/**
 * A UDP port that carries CoAP under DTLS 1.2 with shared keys (RFC 6347, RFC 4279): `coaps:`. A
 * stranger costs nothing but an answer until it shows, by a cookie, that its address is its own; what
 * does not fit is dropped. A client that begins anew keeps its old session until the new one stands.
 */
export class DtlsServer implements CoapTransport {
  readonly #udp: UdpPort;
  readonly #options: DtlsServerOptions;
  readonly #limits: DtlsLimits;
  readonly #cookies = new Cookies(performance.now());
  readonly #decoyKey = randomBytes(keyBytes);
  readonly #handshakes = new Map<string, ServerHandshake>();
  readonly #sessions = new SessionTable();
  readonly #failed: FailedAddresses;
  readonly #sweep: NodeJS.Timeout;
  readonly counts = new DtlsCounts();
  onDatagram: CoapTransport['onDatagram'] = () => undefined;
  onGone: CoapTransport['onGone'] = () => undefined;

  private constructor(udp: UdpPort, options: DtlsServerOptions) {
    this.#udp = udp;
    this.#options = options;
    this.#limits = { ...usualLimits, ...options.limits };
    this.#failed = new FailedAddresses(this.#limits.failuresOfAddress);
    udp.onDatagram = (bytes, from) => this.#receive(bytes, from);
    this.#sweep = setInterval(() => this.#endIdle(), sweepPeriodMs).unref();
  }

  /** Fails with the error of the system when the port cannot be had. */
  static async open(options: DtlsServerOptions): Promise<DtlsServer> {
    return new DtlsServer(await UdpPort.open(options), options);
  }

  get port(): number {
    return this.#udp.port;
  }

  /** Established sessions. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /** Handshakes that are under way. */
  get handshakes(): number {
    return this.#handshakes.size;
  }

  reaches({ session }: CoapAddress): boolean {
    return session !== undefined && this.#sessions.byId(session.id) !== null;
  }

  send(bytes: Uint8Array, to: CoapAddress): void {
    if (to.session) this.#sessions.byId(to.session.id)?.send(bytes);
  }

  /** Ends the sessions of an identity, whose key is no longer good. */
  endSessionsOf(identity: string, why: string): void {
    for (const session of this.#sessions.ofIdentity(identity)) this.#end(session, why);
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    for (const handshake of this.#handshakes.values()) handshake.stop();
    // Devices then know at once that they have to begin anew, instead of after some silence.
    for (const session of this.#sessions.all()) session.sayGoodbye();
    await this.#udp.close();
  }

  #receive(datagram: Uint8Array, from: CoapAddress): void {
    const records = readRecords(datagram, connectionIdBytes);
    if (records.length === 0) this.counts.dropped('malformed');
    for (const record of records) {
      if (record.epoch > 0) this.#onProtected(record, from);
      else if (record.type === contentType.handshake) this.#onHandshake(record, from);
      else if (record.type === contentType.alert) this.#onPlainAlert(record, from);
      // That the client changes to its keys shows by the epoch of what follows.
    }
  }

  #onHandshake(record: DtlsRecord, from: CoapAddress): void {
    const fragments = readFragments(record.fragment);
    if (fragments === null) return this.counts.dropped('malformed');
    for (const fragment of fragments) {
      const isStart = fragment.type === handshakeType.clientHello && fragment.offset === 0;
      if (isStart && !this.#admit(fragment, record, from)) return;
      this.#handshakes.get(Peer.keyOf(from))?.take(fragment);
    }
  }

  /** Whether the client has shown its address; else it is asked to, and forgotten. */
  #admit(fragment: HandshakeFragment, record: DtlsRecord, from: CoapAddress): boolean {
    const head = readClientHelloHead(fragment.bytes);
    if (head === null) {
      this.counts.dropped('malformed');
      return false;
    }
    const nowMs = performance.now();
    if (this.#failed.isSpent(from.address, nowMs)) {
      this.counts.dropped('too-many-failures');
      return false;
    }
    if (!this.#cookies.fits(from, head, nowMs)) {
      const cookie = this.#cookies.make(from, head, nowMs);
      this.#udp.send(helloVerifyRequest(cookie, record, fragment), from);
      return false;
    }
    const known = this.#handshakes.get(Peer.keyOf(from));
    if (!known || !Buffer.from(known.clientRandom).equals(head.random))
      this.#begin(fragment, record, head.random.slice(), from);
    return true;
  }

  #begin(
    fragment: HandshakeFragment,
    record: DtlsRecord,
    random: Uint8Array,
    from: CoapAddress,
  ): void {
    const key = Peer.keyOf(from);
    this.#handshakes.get(key)?.fail('abandoned');
    const [oldest] = this.#handshakes.values();
    if (oldest && this.#handshakes.size >= this.#limits.handshakes) oldest.fail('crowded-out');
    const first = { recordSequence: record.sequence, messageSequence: fragment.sequence };
    const handshake = new ServerHandshake(first, random, {
      connectionId: randomBytes(connectionIdBytes),
      keyOf: this.#options.keyOf,
      decoyKey: this.#decoyKey,
      send: (datagram) => this.#udp.send(datagram, from),
      onEstablished: (established) => {
        this.#handshakes.delete(key);
        this.#establish(established, from);
      },
      onFailed: (reason, identity) => {
        this.#handshakes.delete(key);
        this.counts.failed(reason);
        if (reason === 'wrong-key' || reason === 'unknown-identity')
          this.#failed.note(from.address, performance.now());
        this.#options.onFailure(reason, from, identity);
      },
    });
    this.#handshakes.set(key, handshake);
  }

  #establish(established: Established, from: CoapAddress): void {
    this.counts.succeeded();
    const before = this.#sessions.byAddress(from);
    if (before) this.#end(before, 'has begun a new session');
    const others = [...this.#sessions.ofIdentity(established.identity)];
    const [oldest] = others;
    if (oldest && others.length >= this.#limits.sessionsOfIdentity)
      this.#end(oldest, 'has begun newer sessions');
    const [first] = this.#sessions.all();
    if (first && this.#sessions.size >= this.#limits.sessions)
      this.#end(first, 'had to make room for others');
    const session = new ServerSession(
      established,
      from,
      (datagram, { address }) => this.#udp.send(datagram, address),
      (bytes, peer) => this.onDatagram(bytes, peer),
    );
    this.#sessions.add(session);
  }

  #onProtected(record: DtlsRecord, from: CoapAddress): void {
    const handshake = this.#handshakes.get(Peer.keyOf(from));
    const isHidden = record.type === contentType.connectionId;
    const isOfHandshake = isHidden
      ? Buffer.from(record.connectionId).equals(handshake?.connectionId ?? nothing)
      : record.type === contentType.handshake;
    if (handshake && isOfHandshake && handshake.takeProtected(record)) return;
    const session = isHidden
      ? this.#sessions.byConnectionId(record.connectionId)
      : this.#sessions.byAddress(from);
    if (!session) return this.counts.dropped('no-session');
    const outcome = session.take(record, from);
    if (outcome === 'closed') this.#end(session, 'has closed its session');
    else if (outcome !== 'taken') this.counts.dropped(outcome);
  }

  #onPlainAlert(record: DtlsRecord, from: CoapAddress): void {
    // Nobody vouches for it: it ends a handshake, and never a session.
    if (readAlert(record.fragment)?.isFatal)
      this.#handshakes.get(Peer.keyOf(from))?.fail('refused-by-peer');
  }

  #end(session: ServerSession, why: string): void {
    session.sayGoodbye();
    this.#sessions.remove(session);
    this.onGone(session.address, why);
  }

  #endIdle(): void {
    const nowMs = performance.now();
    for (const session of this.#sessions.all())
      if (session.isIdle(nowMs, this.#limits.idleMs)) this.#end(session, 'was silent for too long');
  }
}

/** Its numbers are those of the hello: nothing has to be remembered for it (RFC 6347 4.2.1). */
function helloVerifyRequest(
  cookie: Uint8Array,
  record: DtlsRecord,
  hello: HandshakeFragment,
): Uint8Array {
  const message = {
    type: handshakeType.helloVerifyRequest,
    sequence: hello.sequence,
    body: encodeHelloVerifyRequest(cookie),
  };
  return encodeRecord({
    type: contentType.handshake,
    version: dtlsVersion.dtls10,
    epoch: 0,
    sequence: record.sequence,
    connectionId: nothing,
    fragment: encodeHandshake(message),
  });
}
