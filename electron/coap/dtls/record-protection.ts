import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { CipherSuite } from '../../../shared/protocols/dtls/cipher-suite.ts';
import { openCcm, sealCcm } from './aes-ccm.ts';
import type { DirectionKeys } from './key-schedule.ts';

const algorithm = 'aes-128-gcm';
const explicitNonceBytes = 8;

/** Protects the records of one direction with an AEAD (RFC 5246 6.2.3.3, RFC 5288, RFC 6655). */
export class RecordProtection {
  readonly #suite: CipherSuite;
  readonly #keys: DirectionKeys;

  constructor(suite: CipherSuite, keys: DirectionKeys) {
    this.#suite = suite;
    this.#keys = keys;
  }

  /** @param place epoch and sequence number, 8 bytes that never come twice under these keys */
  seal(place: Uint8Array, additional: Uint8Array, plaintext: Uint8Array): Uint8Array {
    const { mode, tagBytes } = this.#suite;
    const { key, salt } = this.#keys;
    const nonce = Buffer.concat([salt, place]);
    if (mode === 'ccm')
      return Buffer.concat([place, sealCcm(key, nonce, additional, plaintext, tagBytes)]);
    const cipher = createCipheriv(algorithm, key, nonce).setAAD(additional);
    return Buffer.concat([place, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
  }

  /** What overhead a record has in bytes. */
  get overheadBytes(): number {
    return explicitNonceBytes + this.#suite.tagBytes;
  }

  /** Null when the record is not authentic. */
  open(additional: Uint8Array, sealed: Uint8Array): Uint8Array | null {
    const { mode, tagBytes } = this.#suite;
    const { key, salt } = this.#keys;
    if (sealed.length < this.overheadBytes) return null;
    const nonce = Buffer.concat([salt, sealed.subarray(0, explicitNonceBytes)]);
    const body = sealed.subarray(explicitNonceBytes);
    if (mode === 'ccm') return openCcm(key, nonce, additional, body, tagBytes);
    const end = body.length - tagBytes;
    const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
      .setAAD(additional)
      .setAuthTag(body.subarray(end));
    const plaintext = decipher.update(body.subarray(0, end));
    try {
      decipher.final();
      return plaintext;
    } catch {
      // The only way in which it says that the tag does not fit.
      return null;
    }
  }
}
