import { randomFillSync, randomInt } from 'node:crypto';
import {
  type CoapMessage,
  type CoapOption,
  coapCode,
  coapOption,
  decodeCoap,
  encodeCoap,
} from '../../shared/protocols/coap-message.ts';
import { optionTexts, optionUint } from '../../shared/protocols/coap-options.ts';
import { type CoapAddress, Peer, type SentRequest } from './peer.ts';
import type { CoapTransport } from './transport.ts';
import { UdpPort } from './udp-port.ts';

/** Transmission parameters of RFC 7252 4.8. */
const ackTimeoutMs = 2000;
const ackRandomFactor = 1.5;
const maxRetransmit = 4;
/** How long an acknowledged request may wait for its separate response. */
const separateResponseMs = 93_000;
const sweepPeriodMs = 30_000;

const tokenBytes = 4;
/** Random bytes are drawn for so many tokens at a time: one by one they cost more than the rest of a request. */
const tokenStore = Buffer.alloc(1024 * tokenBytes);
let tokensUsedBytes = tokenStore.length;

const nothing = new Uint8Array(0);

const hex = (token: Uint8Array): string =>
  Buffer.from(token.buffer, token.byteOffset, token.length).toString('hex');

/** A request as the one who is asked sees it. */
export interface CoapRequest {
  readonly from: CoapAddress;
  readonly code: number;
  readonly path: readonly string[];
  readonly query: readonly string[];
  readonly options: readonly CoapOption[];
  readonly payload: Uint8Array;
  readonly token: Uint8Array;
}

/** What answers a request; options ascending by number. */
export interface CoapResponse {
  readonly code: number;
  readonly options?: readonly CoapOption[];
  readonly payload?: Uint8Array;
}

/** A request to send; options ascending by number, the path among them. */
export interface OutgoingRequest {
  readonly code: number;
  readonly options: readonly CoapOption[];
  readonly payload?: Uint8Array;
  /** Called for every later notification when the request observes (RFC 7641). */
  readonly onNotification?: (response: CoapMessage) => void;
}

/** The other side did not answer, or refused to talk: trying again later may help. */
export class CoapSilence extends Error {
  constructor(to: CoapAddress, why: string) {
    super(`${to.address}:${to.port} ${why}`);
    this.name = 'CoapSilence';
  }
}

/**
 * Speaks CoAP both ways (RFC 7252, with observe of RFC 7641) over UDP, DTLS or both: confirmable
 * requests with retransmission, one at a time to each peer, and answers to the requests of others.
 * Message ids are kept for each peer by itself, since two devices may well use the same ones.
 */
export class CoapSocket {
  readonly #transports: readonly CoapTransport[];
  readonly #answer: (request: CoapRequest) => Promise<CoapResponse>;
  readonly #peers = new Map<string, Peer>();
  readonly #sweep: NodeJS.Timeout;
  #closed = false;

  /** Takes over the transports, and ends them with itself. */
  constructor(
    transports: readonly CoapTransport[],
    answer: (request: CoapRequest) => Promise<CoapResponse>,
  ) {
    this.#transports = transports;
    this.#answer = answer;
    for (const transport of transports) {
      transport.onDatagram = (bytes, from) => this.#receive(bytes, from);
      transport.onGone = (peer, why) => this.#end(peer, why);
    }
    this.#sweep = setInterval(() => this.#forgetIdle(), sweepPeriodMs).unref();
  }

  /** Opens a port of UDP; 0 means any free one. Fails with the error of the system when it cannot be had. */
  static async bind(
    options: { readonly host: string; readonly port: number },
    answer: (request: CoapRequest) => Promise<CoapResponse>,
  ): Promise<CoapSocket> {
    return new CoapSocket([await UdpPort.open(options)], answer);
  }

  /**
   * Sends a confirmable request and gives the response, whatever its code.
   * @throws CoapSilence when no answer comes; the signal's reason when it is aborted
   */
  async request(
    to: CoapAddress,
    outgoing: OutgoingRequest,
    signal?: AbortSignal,
  ): Promise<CoapMessage> {
    const peer = this.#peer(to);
    return peer.oneAtATime(() => this.#exchange(peer, outgoing, signal));
  }

  /** Ends what is under way to a peer that is gone, and what it observed. */
  forget(to: CoapAddress): void {
    this.#end(to, 'is gone');
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#sweep);
    for (const peer of this.#peers.values())
      peer.abandon(new CoapSilence(peer.address, 'is no longer asked'));
    for (const transport of this.#transports) await transport.close();
  }

  #end(peer: CoapAddress, why: string): void {
    const key = Peer.keyOf(peer);
    this.#peers.get(key)?.abandon(new CoapSilence(peer, why));
    this.#peers.delete(key);
  }

  #transportTo(peer: CoapAddress): CoapTransport | undefined {
    return this.#transports.find((transport) => transport.reaches(peer));
  }

  #peer(address: CoapAddress): Peer {
    const key = Peer.keyOf(address);
    let peer = this.#peers.get(key);
    if (!peer) {
      peer = new Peer(address, randomInt(0x1_0000));
      this.#peers.set(key, peer);
    }
    peer.touch(address);
    return peer;
  }

  async #exchange(
    peer: Peer,
    outgoing: OutgoingRequest,
    signal: AbortSignal | undefined,
  ): Promise<CoapMessage> {
    const message = confirmable(peer, outgoing.code, newToken(), outgoing);
    const response = await this.#sendUntilHeard(
      peer,
      message,
      { onNotification: outgoing.onNotification ?? null, ackIsEnough: false },
      signal,
    );
    if (response === null) throw new CoapSilence(peer.address, 'only acknowledged');
    return response;
  }

  /** Sends a confirmable message until it is answered, or acknowledged if that is enough (then null). */
  #sendUntilHeard(
    peer: Peer,
    message: CoapMessage,
    expected: {
      readonly onNotification: SentRequest['onNotification'];
      readonly ackIsEnough: boolean;
    },
    signal?: AbortSignal,
  ): Promise<CoapMessage | null> {
    signal?.throwIfAborted();
    if (!this.#transportTo(peer.address))
      throw new CoapSilence(peer.address, 'has no connection any longer');
    return new Promise<CoapMessage | null>((resolve, reject) => {
      const bytes = encodeCoap(message);
      let timer: NodeJS.Timeout | undefined;
      let waitMs = ackTimeoutMs * (1 + Math.random() * (ackRandomFactor - 1));
      let sent = 0;
      const end = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        peer.drop(request);
      };
      const abort = (): void => request.fail(signal?.reason as Error);
      const fail = (why: string): void => request.fail(new CoapSilence(peer.address, why));
      const request: SentRequest = {
        messageId: message.messageId,
        tokenKey: expected.ackIsEnough ? `notification ${message.messageId}` : hex(message.token),
        onNotification: expected.onNotification,
        acknowledged() {
          clearTimeout(timer);
          if (expected.ackIsEnough) {
            end();
            resolve(null);
          } else timer = setTimeout(fail, separateResponseMs, 'acknowledged and never answered');
        },
        answered(response) {
          end();
          resolve(response);
        },
        fail(error) {
          end();
          reject(error);
        },
      };
      const transmit = (): void => {
        if (sent > maxRetransmit) return fail(`did not answer ${sent} times`);
        sent++;
        this.#send(bytes, peer.address);
        timer = setTimeout(transmit, waitMs);
        waitMs *= 2;
      };
      peer.keep(request);
      signal?.addEventListener('abort', abort, { once: true });
      transmit();
    });
  }

  #receive(bytes: Uint8Array, from: CoapAddress): void {
    const message = decodeCoap(bytes);
    // Anything may come in over UDP: what is no CoAP is nobody's.
    if (message === null) return;
    const peer = this.#peer(from);
    if (message.code === coapCode.empty) {
      if (message.type === 'ack') peer.sent(message.messageId)?.acknowledged();
      else if (message.type === 'rst') this.#onReset(peer, message.messageId);
      // An empty confirmable message is a ping (RFC 7252 4.3).
      else if (message.type === 'con') this.#sendEmpty('rst', message.messageId, peer.address);
    } else if (message.code >> 5 === 0) void this.#onRequest(peer, message);
    else this.#onResponse(peer, message);
  }

  #onReset(peer: Peer, messageId: number): void {
    peer.sent(messageId)?.fail(new CoapSilence(peer.address, 'reset the request'));
  }

  #onResponse(peer: Peer, message: CoapMessage): void {
    const tokenKey = hex(message.token);
    const request = peer.awaiting(tokenKey);
    const observer = peer.observer(tokenKey);
    if (message.type === 'con')
      this.#sendEmpty(request || observer ? 'ack' : 'rst', message.messageId, peer.address);
    if (request) {
      const observes = optionUint(message.options, coapOption.observe) !== null;
      if (request.onNotification && observes) peer.observe(tokenKey, request.onNotification);
      request.answered(message);
    } else observer?.(message);
  }

  async #onRequest(peer: Peer, message: CoapMessage): Promise<void> {
    const isUnderstood = message.options.every(({ number }) => isKnownOption(number));
    // RFC 7252 5.4.1: such a non-confirmable request is rejected in silence.
    if (!isUnderstood && message.type !== 'con') return;
    // A GET may be answered twice; everything else is done once, and the same answer is given again.
    const repeatable = message.code === coapCode.get;
    const known = repeatable ? null : peer.answered(message.messageId);
    if (known === 'working') return;
    if (known) {
      this.#send(known, peer.address);
      return;
    }
    if (!repeatable) peer.begin(message.messageId);
    const answer = isUnderstood ? this.#answer : refuseOption;
    const response = await answer({
      from: peer.address,
      code: message.code,
      path: optionTexts(message.options, coapOption.uriPath),
      query: optionTexts(message.options, coapOption.uriQuery),
      options: message.options,
      payload: message.payload,
      token: message.token,
    }).catch((): CoapResponse => ({ code: coapCode.serverError }));
    const confirmable = message.type === 'con';
    const bytes = encodeCoap({
      type: confirmable ? 'ack' : 'non',
      code: response.code,
      messageId: confirmable ? message.messageId : peer.nextMessageId(),
      token: message.token,
      options: response.options ?? [],
      payload: response.payload ?? nothing,
    });
    if (!repeatable) peer.finish(message.messageId, bytes);
    this.#send(bytes, peer.address);
  }

  /**
   * Sends a notification to whoever observes with this token (RFC 7641 4.2); confirmable, so that a
   * lost one comes again. @throws CoapSilence when the observer turned it down or is silent
   */
  async notify(to: CoapAddress, token: Uint8Array, response: CoapResponse): Promise<void> {
    const peer = this.#peer(to);
    const message = confirmable(peer, response.code, token, response);
    await this.#sendUntilHeard(peer, message, { onNotification: null, ackIsEnough: true });
  }

  #sendEmpty(type: 'ack' | 'rst', messageId: number, to: CoapAddress): void {
    const bytes = encodeCoap({
      type,
      code: coapCode.empty,
      messageId,
      token: nothing,
      options: [],
      payload: nothing,
    });
    this.#send(bytes, to);
  }

  #send(bytes: Uint8Array, to: CoapAddress): void {
    // A datagram that cannot leave is a lost one: it is sent again, or the exchange ends as silence.
    if (!this.#closed) this.#transportTo(to)?.send(bytes, to);
  }

  #forgetIdle(): void {
    const nowMs = performance.now();
    for (const [key, peer] of this.#peers) if (peer.isIdle(nowMs)) this.#peers.delete(key);
  }
}

/** Options with odd numbers are critical: a request means something else without them. */
const criticalOptions: readonly number[] = [
  // An address names one content for ever here, so it holds by itself.
  coapOption.ifMatch,
  coapOption.uriHost,
  coapOption.uriPort,
  coapOption.uriPath,
  coapOption.uriQuery,
  coapOption.accept,
  coapOption.block2,
  coapOption.block1,
];

const isKnownOption = (number: number): boolean =>
  number % 2 === 0 || criticalOptions.includes(number);

const refuseOption = async (): Promise<CoapResponse> => ({ code: coapCode.badOption });

function newToken(): Uint8Array {
  if (tokensUsedBytes === tokenStore.length) {
    randomFillSync(tokenStore);
    tokensUsedBytes = 0;
  }
  tokensUsedBytes += tokenBytes;
  return Uint8Array.prototype.slice.call(tokenStore, tokensUsedBytes - tokenBytes, tokensUsedBytes);
}

function confirmable(
  peer: Peer,
  code: number,
  token: Uint8Array,
  content: { readonly options?: readonly CoapOption[]; readonly payload?: Uint8Array },
): CoapMessage {
  return {
    type: 'con',
    code,
    messageId: peer.nextMessageId(),
    token,
    options: content.options ?? [],
    payload: content.payload ?? nothing,
  };
}
