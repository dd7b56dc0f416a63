import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ClientHelloHead } from '../../../shared/protocols/dtls/hello.ts';
import { uintBytes } from '../../../shared/protocols/dtls/wire.ts';
import type { CoapAddress } from '../peer.ts';

const secretBytes = 32;
const cookieBytes = 16;
/** A cookie is good for one to two of these. */
const rotationMs = 60_000;

/**
 * Cookies that show that a client gets what is sent to its address, without remembering anything of
 * it (RFC 6347 4.2.1). They cover the head of the hello only, so that the first fragment of a hello is answered.
 */
export class Cookies {
  #secret = randomBytes(secretBytes);
  #before = this.#secret;
  #rotatedMs: number;

  constructor(nowMs: number) {
    this.#rotatedMs = nowMs;
  }

  make(from: CoapAddress, hello: ClientHelloHead, nowMs: number): Uint8Array {
    this.#rotate(nowMs);
    return cookieOf(this.#secret, from, hello);
  }

  fits(from: CoapAddress, hello: ClientHelloHead, nowMs: number): boolean {
    if (hello.cookie.length !== cookieBytes) return false;
    this.#rotate(nowMs);
    return [this.#secret, this.#before].some((secret) =>
      timingSafeEqual(cookieOf(secret, from, hello), hello.cookie),
    );
  }

  #rotate(nowMs: number): void {
    const ageMs = nowMs - this.#rotatedMs;
    if (ageMs < rotationMs) return;
    const fresh = randomBytes(secretBytes);
    this.#before = ageMs < 2 * rotationMs ? this.#secret : fresh;
    this.#secret = fresh;
    this.#rotatedMs = nowMs;
  }
}

function cookieOf(secret: Uint8Array, from: CoapAddress, hello: ClientHelloHead): Uint8Array {
  return createHmac('sha256', secret)
    .update(`${from.address} ${from.port} `)
    .update(uintBytes(hello.version, 2))
    .update(hello.random)
    .update(hello.sessionId)
    .digest()
    .subarray(0, cookieBytes);
}
