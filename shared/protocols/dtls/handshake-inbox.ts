import type { HandshakeFragment, HandshakeMessage } from './handshake.ts';

/** Longest message that is put together: a hello with every extension there is has a few hundred bytes. */
const maxMessageBytes = 8192;
/** Messages that may be begun while an earlier one is missing: a flight has no more. */
const windowMessages = 4;

interface Unfinished {
  readonly type: number;
  readonly body: Uint8Array;
  /** One for each byte that has come. */
  readonly received: Uint8Array;
  missingBytes: number;
}

/** Puts handshake messages together from fragments that come in any order, and gives them in theirs. */
export class HandshakeInbox {
  readonly #messages = new Map<number, Unfinished>();
  #next: number;

  constructor(firstSequence: number) {
    this.#next = firstSequence;
  }

  /** `old` when the message was given before, so that it is sent again; `refused` when it cannot be kept. */
  take(fragment: HandshakeFragment): 'kept' | 'old' | 'refused' {
    const { type, sequence, sizeBytes, offset, bytes } = fragment;
    if (sequence < this.#next) return 'old';
    if (sequence >= this.#next + windowMessages || sizeBytes > maxMessageBytes) return 'refused';
    let message = this.#messages.get(sequence);
    if (!message) {
      const [body, received] = [new Uint8Array(sizeBytes), new Uint8Array(sizeBytes)];
      message = { type, body, received, missingBytes: sizeBytes };
      this.#messages.set(sequence, message);
    }
    if (message.type !== type || message.body.length !== sizeBytes) return 'refused';
    for (let at = 0; at < bytes.length; at++) {
      const place = offset + at;
      // The first to come stays: a later one that differs is no retransmission.
      if (message.received[place] === 1) continue;
      message.received[place] = 1;
      message.body[place] = bytes[at] ?? 0;
      message.missingBytes--;
    }
    return 'kept';
  }

  /** The next message in order, once all of it is there. */
  next(): HandshakeMessage | null {
    const message = this.#messages.get(this.#next);
    if (!message || message.missingBytes > 0) return null;
    this.#messages.delete(this.#next);
    return { type: message.type, sequence: this.#next++, body: message.body };
  }
}
