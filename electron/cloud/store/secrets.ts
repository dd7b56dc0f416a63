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
