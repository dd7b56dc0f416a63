import { createHmac } from 'node:crypto';

const masterBytes = 48;
const verifyBytes = 12;
/** AES-128. */
const keyBytes = 16;
/** The part of the nonce that is not sent (RFC 5288 3, RFC 6655 3). */
const saltBytes = 4;

/** Keys of one direction. */
export interface DirectionKeys {
  readonly key: Uint8Array;
  readonly salt: Uint8Array;
}

/** Keys of both directions, by who writes with them. */
export interface ConnectionKeys {
  readonly client: DirectionKeys;
  readonly server: DirectionKeys;
}

/** The random numbers of both hellos. */
export interface HelloRandoms {
  readonly client: Uint8Array;
  readonly server: Uint8Array;
}

/** PRF of TLS 1.2 with SHA-256 (RFC 5246 5). */
export function prf(
  secret: Uint8Array,
  label: string,
  seed: Uint8Array,
  sizeBytes: number,
): Uint8Array {
  const hmac = (...parts: readonly Uint8Array[]): Buffer => {
    const mac = createHmac('sha256', secret);
    for (const part of parts) mac.update(part);
    return mac.digest();
  };
  const labelled = Buffer.concat([Buffer.from(label, 'ascii'), seed]);
  const blocks: Buffer[] = [];
  let chain = hmac(labelled);
  for (let bytes = 0; bytes < sizeBytes; bytes += chain.length) {
    blocks.push(hmac(chain, labelled));
    chain = hmac(chain);
  }
  return Buffer.concat(blocks).subarray(0, sizeBytes);
}

/**
 * The master secret: bound to the whole handshake when both sides know how (RFC 7627 4), else to
 * the random numbers alone (RFC 5246 8.1).
 */
export function masterSecret(
  premaster: Uint8Array,
  randoms: HelloRandoms,
  sessionHash: Uint8Array | null,
): Uint8Array {
  return sessionHash === null
    ? prf(premaster, 'master secret', join(randoms.client, randoms.server), masterBytes)
    : prf(premaster, 'extended master secret', sessionHash, masterBytes);
}

/** The keys of an AEAD suite, which has no MAC keys (RFC 5246 6.3). */
export function connectionKeys(master: Uint8Array, randoms: HelloRandoms): ConnectionKeys {
  const seed = join(randoms.server, randoms.client);
  const block = prf(master, 'key expansion', seed, 2 * (keyBytes + saltBytes));
  const part = (start: number, sizeBytes: number): Uint8Array =>
    block.subarray(start, start + sizeBytes);
  return {
    client: { key: part(0, keyBytes), salt: part(2 * keyBytes, saltBytes) },
    server: { key: part(keyBytes, keyBytes), salt: part(2 * keyBytes + saltBytes, saltBytes) },
  };
}

/** What a Finished message says (RFC 5246 7.4.9). */
export function verifyData(
  master: Uint8Array,
  sender: 'client' | 'server',
  transcriptHash: Uint8Array,
): Uint8Array {
  return prf(master, `${sender} finished`, transcriptHash, verifyBytes);
}

const join = (first: Uint8Array, second: Uint8Array): Uint8Array => Buffer.concat([first, second]);
