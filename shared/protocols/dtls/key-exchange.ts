import { concat } from '../../formats/bytes.ts';
import { WireReader, uintBytes, vectorBytes } from './wire.ts';

/** Longest identity that is taken; RFC 4279 5.3 asks for 128 bytes. */
const maxIdentityBytes = 256;

/** The identity in a ClientKeyExchange (RFC 4279 2); null when it is malformed or too long. */
export function readIdentity(body: Uint8Array): Uint8Array | null {
  const reader = new WireReader(body);
  const identity = reader.vector(2);
  return reader.isDone && identity.length <= maxIdentityBytes ? identity : null;
}

/** A ClientKeyExchange's body. */
export const encodeIdentity = (identity: Uint8Array): Uint8Array => vectorBytes(identity, 2);

/** The premaster secret of a shared key alone (RFC 4279 2). */
export function premasterSecret(key: Uint8Array): Uint8Array {
  return concat(vectorBytes(new Uint8Array(key.length), 2), uintBytes(key.length, 2), key);
}
