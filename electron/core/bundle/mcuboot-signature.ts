import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  publicDecrypt,
  verify,
} from 'node:crypto';
import type { ByteSource } from '../../../shared/formats/byte-source.ts';
import type { McubootImage, McubootSignature } from '../../../shared/formats/mcuboot.ts';

/** A public key of the product, by the name that slipway.yaml gives it. */
export interface NamedPublicKey {
  readonly name: string;
  readonly pem: string;
}

/** What verifying a signature showed. */
export type SignatureVerdict =
  | { readonly state: 'verified' | 'wrong'; readonly keyName: string; readonly offset: number }
  | { readonly state: 'unknown-key' | 'too-large' | 'no-digest'; readonly offset: number };

/** Ed25519 over a whole image takes it into memory; flash that MCUboot runs from is smaller. */
const mostPureBytes = 32 * 1024 * 1024;

/** What one signature algorithm of MCUboot asks of a key. */
const keyKinds: Readonly<Record<McubootSignature['algorithm'], (key: KeyObject) => boolean>> = {
  'RSA-2048': (key) => isRsa(key, 2048),
  'RSA-3072': (key) => isRsa(key, 3072),
  ECDSA: (key) => key.asymmetricKeyType === 'ec' && curveOf(key) !== null,
  'ECDSA P-224': () => false,
  Ed25519: (key) => key.asymmetricKeyType === 'ed25519',
};

function isRsa(key: KeyObject, bits: number): boolean {
  return key.asymmetricKeyType === 'rsa' && key.asymmetricKeyDetails?.modulusLength === bits;
}

function curveOf(key: KeyObject): 'p256' | 'p384' | null {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  return curve === 'prime256v1' ? 'p256' : curve === 'secp384r1' ? 'p384' : null;
}

/**
 * Verifies the signatures of an MCUboot image with the keys of the product: one that is right is
 * enough, as for the boot loader. The signature of an encrypted image is over the recorded hash.
 * Null when the image has no signature. Source: MCUboot, boot/bootutil/src/image_validate.c and
 * the `image_*.c` of each algorithm.
 */
export async function verifySignatures(
  source: ByteSource,
  image: McubootImage,
  keys: readonly NamedPublicKey[],
): Promise<SignatureVerdict | null> {
  const known = keys.map(({ name, pem }) => ({ name, key: createPublicKey(pem) }));
  let worst: SignatureVerdict | null = null;
  for (const signature of image.signatures) {
    const { offset } = signature;
    const candidates = known.filter(
      ({ key }) => keyKinds[signature.algorithm](key) && isNamed(signature, key),
    );
    for (const { name, key } of candidates) {
      const isRight = await isSignedBy(source, image, signature, key);
      if (isRight === true) return { state: 'verified', keyName: name, offset };
      if (isRight === 'too-large' || isRight === 'no-digest') return { state: isRight, offset };
      // A signature that names no key may be of any key: none of them made it.
      if (signature.key !== null) worst = { state: 'wrong', keyName: name, offset };
    }
    worst ??= { state: 'unknown-key', offset };
  }
  return worst;
}

/** Whether the TLV before the signature names this key, or none at all. */
function isNamed({ key: named }: McubootSignature, key: KeyObject): boolean {
  if (named === null) return true;
  const form = key.asymmetricKeyType === 'rsa' ? 'pkcs1' : 'spki';
  const bytes = key.export({ type: form, format: 'der' }) as Buffer;
  if (named.type === 'whole') return bytes.equals(named.bytes);
  const algorithm = { 32: 'sha256', 48: 'sha384', 64: 'sha512' }[named.bytes.length];
  return (
    algorithm !== undefined && createHash(algorithm).update(bytes).digest().equals(named.bytes)
  );
}

async function isSignedBy(
  source: ByteSource,
  image: McubootImage,
  { algorithm, bytes }: McubootSignature,
  key: KeyObject,
): Promise<boolean | 'too-large' | 'no-digest'> {
  if (algorithm === 'Ed25519' && image.isPure) {
    if (image.encrypted) return 'no-digest';
    if (image.signedEnd > mostPureBytes) return 'too-large';
    return verify(null, await source.read(0, image.signedEnd), key, bytes);
  }
  if (image.digest === null) return 'no-digest';
  const digest = Buffer.from(image.digest.value, 'hex');
  if (algorithm === 'Ed25519') return verify(null, digest, key, bytes);
  return algorithm === 'ECDSA' ? isEcdsa(digest, bytes, key) : isPss(digest, bytes, key);
}

/** Node signs messages only; what is known of an encrypted image is the hash. */
async function isEcdsa(digest: Buffer, signature: Uint8Array, key: KeyObject): Promise<boolean> {
  const curve = curveOf(key);
  const { x = '', y = '' } = key.export({ format: 'jwk' });
  const point = Buffer.concat([
    Buffer.of(4),
    Buffer.from(x, 'base64url'),
    Buffer.from(y, 'base64url'),
  ]);
  const curves = await import('@noble/curves/nist.js');
  // Old versions of imgtool pad the signature to a fixed size.
  const der = signature.subarray(0, 2 + (signature[1] ?? 0));
  try {
    const options = { prehash: false, lowS: false, format: 'der' } as const;
    return curves[curve ?? 'p256'].verify(der, digest, point, options);
  } catch {
    // Bytes that are no DER signature at all are a wrong signature.
    return false;
  }
}

const pssHash = 'sha256';
const pssSaltBytes = 32;

/** RSASSA-PSS with SHA-256 and a salt of 32 bytes over a known hash (RFC 8017, section 9.1.2). */
function isPss(digest: Buffer, signature: Uint8Array, key: KeyObject): boolean {
  if (digest.length !== 32) return false;
  let encoded: Buffer;
  try {
    encoded = publicDecrypt({ key, padding: constants.RSA_NO_PADDING }, signature);
  } catch {
    // A number that is not below the modulus is a wrong signature.
    return false;
  }
  const maskedEnd = encoded.length - digest.length - 1;
  const hash = encoded.subarray(maskedEnd, encoded.length - 1);
  if (encoded.at(-1) !== 0xbc || ((encoded[0] ?? 0) & 0x80) !== 0) return false;
  const mask = mgf1(hash, maskedEnd);
  const block = encoded.subarray(0, maskedEnd).map((byte, index) => byte ^ (mask[index] ?? 0));
  block[0] = (block[0] ?? 0) & 0x7f;
  const saltAt = maskedEnd - pssSaltBytes;
  const isPadded = block.subarray(0, saltAt - 1).every((byte) => byte === 0);
  if (!isPadded || block[saltAt - 1] !== 1) return false;
  const message = [Buffer.alloc(8), digest, block.subarray(saltAt)];
  return createHash(pssHash).update(Buffer.concat(message)).digest().equals(hash);
}

function mgf1(seed: Buffer, sizeBytes: number): Buffer {
  const parts: Buffer[] = [];
  for (let counter = 0; parts.length * 32 < sizeBytes; counter += 1) {
    const suffix = Buffer.alloc(4);
    suffix.writeUInt32BE(counter);
    parts.push(createHash(pssHash).update(seed).update(suffix).digest());
  }
  return Buffer.concat(parts).subarray(0, sizeBytes);
}
