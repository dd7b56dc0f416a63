import { randomBytes, timingSafeEqual } from 'node:crypto';
import { alertDescription } from '../../../shared/protocols/dtls/alert.ts';
import { type CipherSuite, cipherSuites } from '../../../shared/protocols/dtls/cipher-suite.ts';
import { HandshakeInbox } from '../../../shared/protocols/dtls/handshake-inbox.ts';
import {
  type HandshakeFragment,
  type HandshakeMessage,
  handshakeType,
  readFragments,
} from '../../../shared/protocols/dtls/handshake.ts';
import {
  type ClientHello,
  helloExtension,
  helloRandomBytes,
  encodeServerHello,
  readClientHello,
  renegotiationInfoSuite,
} from '../../../shared/protocols/dtls/hello.ts';
import { premasterSecret, readIdentity } from '../../../shared/protocols/dtls/key-exchange.ts';
import {
  type DtlsRecord,
  contentType,
  dtlsVersion,
} from '../../../shared/protocols/dtls/record.ts';
import { vectorBytes } from '../../../shared/protocols/dtls/wire.ts';
import { Flights, Transcript, changeCipherSpec, handshakePart } from './flights.ts';
import { type HelloRandoms, connectionKeys, masterSecret, verifyData } from './key-schedule.ts';
import { type ConnectionIds, SecureChannel } from './secure-channel.ts';

const nothing = new Uint8Array(0);
/** One may be damaged or not from the client at all; a client with the wrong key sends another. */
const maxForgedRecords = 2;

/** Why a handshake came to nothing. */
export type HandshakeFailure =
  | 'unknown-identity'
  | 'wrong-key'
  | 'no-common-suite'
  | 'old-version'
  | 'malformed'
  | 'refused-by-peer'
  | 'timeout'
  | 'abandoned'
  | 'crowded-out';

/** What a handshake has led to. */
export interface Established {
  readonly identity: string;
  readonly channel: SecureChannel;
  readonly ids: ConnectionIds | null;
  /** Sends the last flight again, which the client shows not to have. */
  readonly repeatLastFlight: () => void;
}

/** How a server handshake knows keys and tells how it ends. */
export interface ServerHandshakeOptions {
  /** The connection id to give to a client that knows how. */
  readonly connectionId: Uint8Array;
  /** The key of an identity; null when there is none. */
  readonly keyOf: (identity: string) => Uint8Array | null;
  /** A key that nobody has: an unknown identity fails in the same way as a wrong key (RFC 4279 2). */
  readonly decoyKey: Uint8Array;
  readonly send: (datagram: Uint8Array) => void;
  readonly onEstablished: (established: Established) => void;
  readonly onFailed: (reason: HandshakeFailure, identity: string | null) => void;
}

/** What the hellos have agreed on. */
interface Agreed {
  readonly suite: CipherSuite;
  readonly randoms: HelloRandoms;
  readonly isExtendedMaster: boolean;
  readonly ids: ConnectionIds | null;
}

interface KeysOfClient {
  readonly identity: string;
  readonly isKnown: boolean;
  readonly master: Uint8Array;
  readonly channel: SecureChannel;
}

/**
 * The server's side of one DTLS 1.2 handshake with a shared key, from a ClientHello whose cookie
 * fits. Sources: RFC 6347 4.2, RFC 4279 2, RFC 7627, RFC 9146, RFC 5746.
 */
export class ServerHandshake {
  readonly #options: ServerHandshakeOptions;
  readonly #inbox: HandshakeInbox;
  readonly #flights: Flights;
  readonly #transcript = new Transcript();
  #sequence: number;
  #agreed: Agreed | null = null;
  #keys: KeysOfClient | null = null;
  #early: DtlsRecord | null = null;
  #forged = 0;
  #isOver = false;
  /** That of the ClientHello, by which a repeated one is known. */
  readonly clientRandom: Uint8Array;

  /** @param first where the numbers of the ClientHello stand: the server's go on from there */
  constructor(
    first: { readonly recordSequence: number; readonly messageSequence: number },
    clientRandom: Uint8Array,
    options: ServerHandshakeOptions,
  ) {
    this.#options = options;
    this.clientRandom = clientRandom;
    this.#sequence = first.messageSequence;
    this.#inbox = new HandshakeInbox(first.messageSequence);
    this.#flights = new Flights(first.recordSequence, options.send, () =>
      this.fail(this.#forged > 0 ? this.#keyFailure() : 'timeout'),
    );
  }

  /** The connection id that this client will use. */
  get connectionId(): Uint8Array {
    return this.#options.connectionId;
  }

  /** Takes a fragment in the clear. */
  take(fragment: HandshakeFragment): void {
    if (fragment.type !== handshakeType.finished) this.#take(fragment);
  }

  /** Takes a record of epoch 1; false when it is not of this handshake. */
  takeProtected(record: DtlsRecord): boolean {
    if (!this.#keys) {
      this.#early = record;
      return true;
    }
    const opened = this.#keys.channel.open(record);
    if (opened === 'replayed') return true;
    if (opened === 'forged') {
      if (++this.#forged < maxForgedRecords) return false;
      this.fail(this.#keyFailure(), alertDescription.decryptError);
      return false;
    }
    const fragments = opened.type === contentType.handshake ? readFragments(opened.content) : [];
    for (const fragment of fragments ?? [])
      if (fragment.type === handshakeType.finished) this.#take(fragment);
    return true;
  }

  /** Ends it without a word. */
  stop(): void {
    this.#isOver = true;
    this.#flights.stop();
  }

  /** Ends it; with an alert when the client may know why. */
  fail(reason: HandshakeFailure, alert?: number): void {
    if (this.#isOver) return;
    this.stop();
    if (alert !== undefined) this.#flights.alert(alert);
    this.#options.onFailed(reason, this.#keys?.identity ?? null);
  }

  #take(fragment: HandshakeFragment): void {
    if (this.#isOver) return;
    if (this.#inbox.take(fragment) === 'old') this.#flights.resend();
    for (let message = this.#inbox.next(); message; message = this.#inbox.next()) {
      if (this.#isOver) return;
      this.#handle(message);
    }
  }

  #handle(message: HandshakeMessage): void {
    if (message.type === handshakeType.clientHello && !this.#agreed) this.#onHello(message);
    else if (message.type === handshakeType.clientKeyExchange && this.#agreed && !this.#keys)
      this.#onKeyExchange(message, this.#agreed);
    else if (message.type === handshakeType.finished && this.#agreed && this.#keys)
      this.#onFinished(message, this.#agreed, this.#keys);
    else this.fail('malformed', alertDescription.illegalParameter);
  }

  #onHello(message: HandshakeMessage): void {
    const hello = readClientHello(message.body);
    if (hello === null) return this.fail('malformed', alertDescription.decodeError);
    // Versions of DTLS count downwards.
    if (hello.version > dtlsVersion.dtls12)
      return this.fail('old-version', alertDescription.protocolVersion);
    const suite = cipherSuites.find(({ id }) => hello.suites.includes(id));
    if (!suite) return this.fail('no-common-suite', alertDescription.handshakeFailure);
    const random = randomBytes(helloRandomBytes);
    const agreed = this.#agree(hello, suite, random);
    if (agreed === null) return this.fail('malformed', alertDescription.handshakeFailure);
    this.#agreed = agreed;
    this.#transcript.add(message);
    const version = dtlsVersion.dtls12;
    const extensions = this.#answeredExtensions(hello, agreed);
    this.#flights.send([
      this.#part(
        handshakeType.serverHello,
        encodeServerHello({ version, random, suite: suite.id, extensions }),
      ),
      this.#part(handshakeType.serverHelloDone, nothing),
    ]);
  }

  #agree(hello: ClientHello, suite: CipherSuite, random: Uint8Array): Agreed | null {
    const { extensions } = hello;
    const renegotiation = extensions.get(helloExtension.renegotiationInfo);
    if (renegotiation && (renegotiation.length !== 1 || renegotiation[0] !== 0)) return null;
    const offered = extensions.get(helloExtension.connectionId);
    if (offered && offered.length !== (offered[0] ?? 0) + 1) return null;
    return {
      suite,
      randoms: { client: hello.random, server: random },
      isExtendedMaster: extensions.has(helloExtension.extendedMasterSecret),
      ids: offered ? { own: this.#options.connectionId, peer: offered.slice(1) } : null,
    };
  }

  #answeredExtensions(hello: ClientHello, agreed: Agreed): Map<number, Uint8Array> {
    const extensions = new Map<number, Uint8Array>();
    if (
      hello.extensions.has(helloExtension.renegotiationInfo) ||
      hello.suites.includes(renegotiationInfoSuite)
    )
      extensions.set(helloExtension.renegotiationInfo, Uint8Array.of(0));
    if (agreed.isExtendedMaster) extensions.set(helloExtension.extendedMasterSecret, nothing);
    if (agreed.ids) extensions.set(helloExtension.connectionId, vectorBytes(agreed.ids.own, 1));
    return extensions;
  }

  #onKeyExchange(message: HandshakeMessage, agreed: Agreed): void {
    const identityBytes = readIdentity(message.body);
    if (identityBytes === null) return this.fail('malformed', alertDescription.decodeError);
    this.#transcript.add(message);
    const identity = Buffer.from(identityBytes).toString('utf8');
    const known = this.#options.keyOf(identity);
    const { suite, randoms, isExtendedMaster, ids } = agreed;
    const premaster = premasterSecret(known ?? this.#options.decoyKey);
    const sessionHash = isExtendedMaster ? this.#transcript.digest() : null;
    const master = masterSecret(premaster, randoms, sessionHash);
    const channel = new SecureChannel(suite, 'server', connectionKeys(master, randoms), ids);
    this.#keys = { identity, isKnown: known !== null, master, channel };
    const early = this.#early;
    this.#early = null;
    if (early) this.takeProtected(early);
  }

  #onFinished(message: HandshakeMessage, agreed: Agreed, keys: KeysOfClient): void {
    const { identity, isKnown, master, channel } = keys;
    const expected = verifyData(master, 'client', this.#transcript.digest());
    const isSame =
      message.body.length === expected.length && timingSafeEqual(message.body, expected);
    if (!isSame || !isKnown) return this.fail(this.#keyFailure(), alertDescription.decryptError);
    this.#transcript.add(message);
    const body = verifyData(master, 'server', this.#transcript.digest());
    const finished = { type: handshakeType.finished, sequence: this.#sequence++, body };
    this.#isOver = true;
    this.#flights.send([changeCipherSpec, handshakePart(finished, channel)], true);
    const repeatLastFlight = (): void => this.#flights.resend();
    this.#options.onEstablished({ identity, channel, ids: agreed.ids, repeatLastFlight });
  }

  #keyFailure(): HandshakeFailure {
    return this.#keys?.isKnown ? 'wrong-key' : 'unknown-identity';
  }

  #part(type: number, body: Uint8Array): ReturnType<typeof handshakePart> {
    const message = { type, sequence: this.#sequence++, body };
    this.#transcript.add(message);
    return handshakePart(message);
  }
}
