import { createHash } from 'node:crypto';
import { encodeAlert } from '../../../shared/protocols/dtls/alert.ts';
import {
  type HandshakeMessage,
  encodeHandshake,
} from '../../../shared/protocols/dtls/handshake.ts';
import { contentType, dtlsVersion, encodeRecord } from '../../../shared/protocols/dtls/record.ts';
import type { SecureChannel } from './secure-channel.ts';

/** The first wait for an answer; each further one is twice as long (RFC 6347 4.2.4.1). */
const firstWaitMs = 1000;
const maxResends = 5;
/** Two repeated messages that come together are answered once. */
const resendGapMs = 250;
const nothing = new Uint8Array(0);

/** A message of a flight: a handshake message in the clear or, with `channel`, protected. */
export interface FlightMessage {
  readonly type: number;
  readonly content: Uint8Array;
  readonly channel: SecureChannel | null;
}

/** A handshake message as part of a flight. */
export function handshakePart(
  message: HandshakeMessage,
  channel: SecureChannel | null = null,
): FlightMessage {
  return { type: contentType.handshake, content: encodeHandshake(message), channel };
}

/** ChangeCipherSpec as part of a flight. */
export const changeCipherSpec: FlightMessage = {
  type: contentType.changeCipherSpec,
  content: Uint8Array.of(1),
  channel: null,
};

/** Sends the flights of one side of a handshake, each again until it is answered (RFC 6347 4.2.4). */
export class Flights {
  readonly #send: (datagram: Uint8Array) => void;
  readonly #onSilence: () => void;
  #recordSequence: number;
  #flight: readonly FlightMessage[] = [];
  #timer: NodeJS.Timeout | undefined;
  #resends = 0;
  #sentMs = 0;

  /** @param onSilence the other side has not answered any of the attempts */
  constructor(
    firstRecordSequence: number,
    send: (datagram: Uint8Array) => void,
    onSilence: () => void,
  ) {
    this.#recordSequence = firstRecordSequence;
    this.#send = send;
    this.#onSilence = onSilence;
  }

  /** Sends a flight and, unless it is the last one of the handshake, waits for the answer. */
  send(flight: readonly FlightMessage[], isLast = false): void {
    this.stop();
    this.#flight = flight;
    this.#resends = 0;
    this.#transmit();
    if (!isLast) this.#wait(firstWaitMs);
  }

  /** The other side repeats itself: it has not heard the latest flight. */
  resend(): void {
    if (performance.now() - this.#sentMs < resendGapMs) return;
    if (this.#resends++ < maxResends) this.#transmit();
  }

  alert(description: number): void {
    this.#send(this.#record(contentType.alert, encodeAlert(description)));
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #wait(waitMs: number): void {
    this.#timer = setTimeout(() => {
      if (this.#resends++ >= maxResends) return this.#onSilence();
      this.#transmit();
      this.#wait(waitMs * 2);
    }, waitMs).unref();
  }

  /** A flight is a few hundred bytes: one datagram. */
  #transmit(): void {
    this.#sentMs = performance.now();
    const records = this.#flight.map(({ type, content, channel }) =>
      channel ? channel.seal(type, content) : this.#record(type, content),
    );
    this.#send(Buffer.concat(records));
  }

  #record(type: number, fragment: Uint8Array): Uint8Array {
    return encodeRecord({
      type,
      version: dtlsVersion.dtls12,
      epoch: 0,
      sequence: this.#recordSequence++,
      connectionId: nothing,
      fragment,
    });
  }
}

/** The hash over the messages of a handshake, each as if it came in one fragment (RFC 6347 4.2.6). */
export class Transcript {
  #hash = createHash('sha256');

  add(message: HandshakeMessage): void {
    this.#hash.update(encodeHandshake(message));
  }

  /** Begins again: a hello that was answered with a cookie does not count. */
  clear(): void {
    this.#hash = createHash('sha256');
  }

  /** Of the messages so far. */
  digest(): Uint8Array {
    return this.#hash.copy().digest();
  }
}
