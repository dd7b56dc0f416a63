import { keepNewest } from '../../shared/domain/newest.ts';
import type { CoapMessage } from '../../shared/protocols/coap-message.ts';

/** A DTLS session in which a peer has proved who it is. */
export interface PeerSession {
  /** Unlike that of any other session, also of one that is over. */
  readonly id: number;
  readonly identity: string;
}

/** Where a peer is. */
export interface CoapAddress {
  readonly address: string;
  readonly port: number;
  /** That of a peer of a DTLS server: what it is told goes to wherever the session is now. */
  readonly session?: PeerSession;
}

const defaultPorts: Readonly<Record<string, number>> = { 'coap:': 5683, 'coaps:': 5684 };

/** The host and port of a `coap:` or `coaps:` address (RFC 7252 6.1, 6.2). */
export function coapAddress(url: URL): CoapAddress {
  return {
    address: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (defaultPorts[url.protocol] ?? 0),
  };
}

/** A message of ours that waits for its answer. */
export interface SentRequest {
  readonly messageId: number;
  readonly tokenKey: string;
  readonly onNotification: ((response: CoapMessage) => void) | null;
  acknowledged(): void;
  answered(response: CoapMessage): void;
  fail(error: Error): void;
}

/** EXCHANGE_LIFETIME of RFC 7252 4.8.2: how long a message id means the same message. */
const exchangeLifetimeMs = 247_000;
/** Answers that are kept for repeated requests; a device has one or two under way. */
const keptAnswers = 16;

interface GivenAnswer {
  readonly atMs: number;
  readonly bytes: Uint8Array | null;
}

/** What is under way with one address: our requests, its observations, and what it was answered lately. */
export class Peer {
  #address: CoapAddress;
  readonly #sent = new Map<number, SentRequest>();
  readonly #byToken = new Map<string, SentRequest>();
  readonly #observers = new Map<string, (response: CoapMessage) => void>();
  readonly #answers = new Map<number, GivenAnswer>();
  #messageId: number;
  #queue: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #usedMs = 0;

  constructor(address: CoapAddress, firstMessageId: number) {
    this.#address = address;
    this.#messageId = firstMessageId;
  }

  /** A response counts in the session of its request only (RFC 7252 9.1.1). */
  static keyOf({ address, port, session }: CoapAddress): string {
    return session ? `session ${session.id}` : `${address} ${port}`;
  }

  /** That at which it was heard last. */
  get address(): CoapAddress {
    return this.#address;
  }

  touch(address: CoapAddress): void {
    this.#address = address;
    this.#usedMs = performance.now();
  }

  isIdle(nowMs: number): boolean {
    return (
      this.#waiting === 0 &&
      this.#sent.size === 0 &&
      this.#observers.size === 0 &&
      nowMs - this.#usedMs > exchangeLifetimeMs
    );
  }

  nextMessageId(): number {
    this.#messageId = (this.#messageId + 1) % 0x1_0000;
    return this.#messageId;
  }

  /** One outstanding request to a peer (NSTART = 1, RFC 7252 4.7); the others wait in line. */
  async oneAtATime<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#queue;
    this.#waiting++;
    const mine = before.then(work, work);
    this.#queue = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#waiting--;
    }
  }

  keep(request: SentRequest): void {
    this.#sent.set(request.messageId, request);
    this.#byToken.set(request.tokenKey, request);
  }

  drop(request: SentRequest): void {
    this.#sent.delete(request.messageId);
    this.#byToken.delete(request.tokenKey);
  }

  sent(messageId: number): SentRequest | undefined {
    return this.#sent.get(messageId);
  }

  awaiting(tokenKey: string): SentRequest | undefined {
    return this.#byToken.get(tokenKey);
  }

  observe(tokenKey: string, listener: (response: CoapMessage) => void): void {
    this.#observers.set(tokenKey, listener);
  }

  observer(tokenKey: string): ((response: CoapMessage) => void) | undefined {
    return this.#observers.get(tokenKey);
  }

  /** The answer that was given to this message id, or that it is being worked on; null when it is new. */
  answered(messageId: number): Uint8Array | 'working' | null {
    const known = this.#answers.get(messageId);
    if (!known || performance.now() - known.atMs > exchangeLifetimeMs) return null;
    return known.bytes ?? 'working';
  }

  begin(messageId: number): void {
    keepNewest(this.#answers, messageId, { atMs: performance.now(), bytes: null }, keptAnswers);
  }

  finish(messageId: number, bytes: Uint8Array): void {
    this.#answers.set(messageId, { atMs: performance.now(), bytes });
  }

  abandon(reason: Error): void {
    for (const request of this.#sent.values()) request.fail(reason);
    this.#observers.clear();
  }
}
