import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 256 random bits, URL-safe: long enough that a plain SHA-256 of it can be stored. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256 of a secret, which is all that is stored of a device's. */
export function hashSecret(secret: string): Buffer {
  return createHash('sha256').update(secret).digest();
}

/** Compares a presented secret with a stored hash in constant time. */
export function secretMatches(presented: string, storedSha256: Uint8Array): boolean {
  const hash = hashSecret(presented);
  return storedSha256.byteLength === hash.length && timingSafeEqual(hash, storedSha256);
}

/** AES-128 needs no more, and small DTLS clients take no more. */
const dtlsKeyBytes = 16;

/**
 * The key of an LwM2M device for DTLS: the beginning of the SHA-256 of its secret, which is stored
 * anyway. A server of shared keys has to have the key itself, so for these devices the database is as good as their secret.
 */
export function dtlsKeyOf(secretSha256: Uint8Array): Buffer {
  return Buffer.from(secretSha256.subarray(0, dtlsKeyBytes));
}
