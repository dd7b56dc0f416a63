import { randomBytes, timingSafeEqual } from 'node:crypto';
import { alertDescription } from '../../../shared/protocols/dtls/alert.ts';
import { type CipherSuite, cipherSuites } from '../../../shared/protocols/dtls/cipher-suite.ts';
import { HandshakeInbox } from '../../../shared/protocols/dtls/handshake-inbox.ts';
import {
  type HandshakeMessage,
  handshakeType,
  readFragments,
} from '../../../shared/protocols/dtls/handshake.ts';
import {
  encodeClientHello,
  helloExtension,
  helloRandomBytes,
  readHelloVerifyRequest,
  readServerHello,
} from '../../../shared/protocols/dtls/hello.ts';
import { encodeIdentity, premasterSecret } from '../../../shared/protocols/dtls/key-exchange.ts';
import {
  type DtlsRecord,
  contentType,
  dtlsVersion,
} from '../../../shared/protocols/dtls/record.ts';
import { vectorBytes } from '../../../shared/protocols/dtls/wire.ts';
import { Flights, Transcript, changeCipherSpec, handshakePart } from './flights.ts';
import { type HelloRandoms, connectionKeys, masterSecret, verifyData } from './key-schedule.ts';
import { SecureChannel } from './secure-channel.ts';

const nothing = new Uint8Array(0);

/** Who a client is, and how it wants to talk. */
export interface ClientCredentials {
  readonly identity: string;
  readonly key: Uint8Array;
  /** Ids of the suites to offer; all that are known unless given. */
  readonly suites?: readonly number[];
  /** Whether to ask for a connection id, so that the session outlives a change of address (RFC 9146). */
  readonly wantsConnectionId?: boolean;
}

interface ClientHandshakeEvents {
  readonly send: (datagram: Uint8Array) => void;
  readonly onEstablished: (channel: SecureChannel) => void;
  readonly onFailed: (why: string) => void;
}

/** What the hellos have agreed on. */
interface Agreed {
  readonly suite: CipherSuite;
  readonly randoms: HelloRandoms;
  readonly isExtendedMaster: boolean;
  readonly serverConnectionId: Uint8Array | null;
}

/** The client's side of one DTLS 1.2 handshake with a shared key; see {@link ServerHandshake} for the sources. */
export class ClientHandshake {
  readonly #credentials: ClientCredentials;
  readonly #events: ClientHandshakeEvents;
  readonly #inbox = new HandshakeInbox(0);
  readonly #flights: Flights;
  readonly #transcript = new Transcript();
  readonly #random = randomBytes(helloRandomBytes);
  readonly #suites: readonly CipherSuite[];
  #sequence = 0;
  #agreed: Agreed | null = null;
  #secrets: { readonly master: Uint8Array; readonly channel: SecureChannel } | null = null;
  #isOver = false;

  constructor(credentials: ClientCredentials, events: ClientHandshakeEvents) {
    this.#credentials = credentials;
    this.#events = events;
    const { suites } = credentials;
    this.#suites = cipherSuites.filter(({ id }) => suites?.includes(id) ?? true);
    this.#flights = new Flights(0, events.send, () => this.#fail('did not answer the handshake'));
    this.#sayHello(nothing);
  }

  /** Takes a handshake record in the clear. */
  take(record: DtlsRecord): void {
    this.#take(record.fragment, false);
  }

  /** Takes a record of epoch 1. */
  takeProtected(record: DtlsRecord): void {
    const opened = this.#secrets?.channel.open(record);
    if (opened && typeof opened !== 'string' && opened.type === contentType.handshake)
      this.#take(opened.content, true);
  }

  /** The server has refused it. */
  refused(alert: string): void {
    this.#fail(`refused the handshake: ${alert}`);
  }

  stop(): void {
    this.#isOver = true;
    this.#flights.stop();
  }

  #fail(why: string, alert?: number): void {
    if (this.#isOver) return;
    this.stop();
    if (alert !== undefined) this.#flights.alert(alert);
    this.#events.onFailed(why);
  }

  #take(content: Uint8Array, isProtected: boolean): void {
    for (const fragment of readFragments(content) ?? []) {
      if (this.#isOver) return;
      if ((fragment.type === handshakeType.finished) !== isProtected) continue;
      if (this.#inbox.take(fragment) === 'old') this.#flights.resend();
      for (let next = this.#inbox.next(); next && !this.#isOver; next = this.#inbox.next())
        this.#handle(next);
    }
  }

  #handle(message: HandshakeMessage): void {
    const { type } = message;
    const isAgreed = this.#agreed !== null;
    if (type === handshakeType.helloVerifyRequest && !isAgreed) this.#onVerify(message);
    else if (type === handshakeType.serverHello && !isAgreed) this.#onHello(message);
    // A hint about which identity to choose: there is only one.
    else if (type === handshakeType.serverKeyExchange && isAgreed) this.#transcript.add(message);
    else if (type === handshakeType.serverHelloDone && this.#agreed && !this.#secrets)
      this.#onHelloDone(message, this.#agreed);
    else if (type === handshakeType.finished && this.#secrets)
      this.#onFinished(message, this.#secrets);
    else this.#fail('sent what does not belong here', alertDescription.illegalParameter);
  }

  #sayHello(cookie: Uint8Array): void {
    const extensions = new Map<number, Uint8Array>([
      [helloExtension.renegotiationInfo, Uint8Array.of(0)],
      [helloExtension.extendedMasterSecret, nothing],
    ]);
    if (this.#credentials.wantsConnectionId)
      extensions.set(helloExtension.connectionId, vectorBytes(nothing, 1));
    const hello = {
      version: dtlsVersion.dtls12,
      random: this.#random,
      sessionId: nothing,
      cookie,
      suites: this.#suites.map(({ id }) => id),
      extensions,
    };
    this.#transcript.clear();
    this.#flights.send([this.#part(handshakeType.clientHello, encodeClientHello(hello))]);
  }

  #onVerify(message: HandshakeMessage): void {
    const cookie = readHelloVerifyRequest(message.body);
    if (cookie === null) this.#fail('sent a malformed cookie', alertDescription.decodeError);
    else this.#sayHello(cookie);
  }

  #onHello(message: HandshakeMessage): void {
    const hello = readServerHello(message.body);
    const suite = this.#suites.find(({ id }) => id === hello?.suite);
    if (hello === null || !suite || hello.version !== dtlsVersion.dtls12)
      return this.#fail('chose what was not offered', alertDescription.illegalParameter);
    const id = hello.extensions.get(helloExtension.connectionId);
    this.#agreed = {
      suite,
      randoms: { client: this.#random, server: hello.random.slice() },
      isExtendedMaster: hello.extensions.has(helloExtension.extendedMasterSecret),
      serverConnectionId: id ? id.slice(1) : null,
    };
    this.#transcript.add(message);
  }

  #onHelloDone(message: HandshakeMessage, agreed: Agreed): void {
    const { suite, randoms, isExtendedMaster, serverConnectionId } = agreed;
    this.#transcript.add(message);
    const identity = encodeIdentity(Buffer.from(this.#credentials.identity));
    const keyExchange = this.#part(handshakeType.clientKeyExchange, identity);
    const sessionHash = isExtendedMaster ? this.#transcript.digest() : null;
    const premaster = premasterSecret(this.#credentials.key);
    const master = masterSecret(premaster, randoms, sessionHash);
    const ids = serverConnectionId && { own: nothing, peer: serverConnectionId };
    const channel = new SecureChannel(suite, 'client', connectionKeys(master, randoms), ids);
    this.#secrets = { master, channel };
    const body = verifyData(master, 'client', this.#transcript.digest());
    const finished = this.#part(handshakeType.finished, body, channel);
    this.#flights.send([keyExchange, changeCipherSpec, finished]);
  }

  #onFinished(
    message: HandshakeMessage,
    secrets: { readonly master: Uint8Array; readonly channel: SecureChannel },
  ): void {
    const expected = verifyData(secrets.master, 'server', this.#transcript.digest());
    if (message.body.length !== expected.length || !timingSafeEqual(message.body, expected))
      return this.#fail('does not have the same key', alertDescription.decryptError);
    this.stop();
    this.#events.onEstablished(secrets.channel);
  }

  #part(
    type: number,
    body: Uint8Array,
    channel: SecureChannel | null = null,
  ): ReturnType<typeof handshakePart> {
    const message = { type, sequence: this.#sequence++, body };
    this.#transcript.add(message);
    return handshakePart(message, channel);
  }
}
