import { createCipheriv, timingSafeEqual } from 'node:crypto';

const blockBytes = 16;
const zeroBlock = Buffer.alloc(blockBytes);
/** Bytes of the length field with a nonce of 12 bytes. */
const lengthBytes = 3;

/**
 * AES-128-CCM with a nonce of 12 bytes (RFC 3610, RFC 6655), from AES-CBC and AES-CTR: the crypto
 * library of the runtime that the cloud is shipped with has no CCM. Returns the sealed text with the tag behind it.
 */
export function sealCcm(
  key: Uint8Array,
  nonce: Uint8Array,
  additional: Uint8Array,
  plaintext: Uint8Array,
  tagBytes: number,
): Buffer {
  const tag = authenticate(key, nonce, additional, plaintext, tagBytes);
  const sealed = crypt(key, nonce, tag, plaintext);
  return Buffer.concat([sealed.subarray(blockBytes), sealed.subarray(0, tagBytes)]);
}

/** The plaintext, or null when the tag does not fit. */
export function openCcm(
  key: Uint8Array,
  nonce: Uint8Array,
  additional: Uint8Array,
  sealed: Uint8Array,
  tagBytes: number,
): Buffer | null {
  if (sealed.length < tagBytes) return null;
  const tag = Buffer.alloc(blockBytes);
  tag.set(sealed.subarray(sealed.length - tagBytes));
  const opened = crypt(key, nonce, tag, sealed.subarray(0, sealed.length - tagBytes));
  const plaintext = opened.subarray(blockBytes);
  const expected = authenticate(key, nonce, additional, plaintext, tagBytes);
  return timingSafeEqual(expected.subarray(0, tagBytes), opened.subarray(0, tagBytes))
    ? plaintext
    : null;
}

/** The first block and what follows it, encrypted or decrypted in counter mode from 0 on (RFC 3610 2.3). */
function crypt(
  key: Uint8Array,
  nonce: Uint8Array,
  firstBlock: Uint8Array,
  rest: Uint8Array,
): Buffer {
  const counter = Buffer.alloc(blockBytes);
  counter[0] = lengthBytes - 1;
  counter.set(nonce, 1);
  const cipher = createCipheriv('aes-128-ctr', key, counter);
  return Buffer.concat([cipher.update(Buffer.concat([firstBlock, rest])), cipher.final()]);
}

/** The CBC-MAC in the first block, of which the tag is the beginning (RFC 3610 2.2). */
function authenticate(
  key: Uint8Array,
  nonce: Uint8Array,
  additional: Uint8Array,
  plaintext: Uint8Array,
  tagBytes: number,
): Buffer {
  const additionalBlocks =
    additional.length === 0 ? 0 : Math.ceil((2 + additional.length) / blockBytes);
  const textBlocks = Math.ceil(plaintext.length / blockBytes);
  const input = Buffer.alloc((1 + additionalBlocks + textBlocks) * blockBytes);
  input[0] = (additional.length > 0 ? 64 : 0) + 8 * ((tagBytes - 2) / 2) + lengthBytes - 1;
  input.set(nonce, 1);
  input.writeUIntBE(plaintext.length, blockBytes - lengthBytes, lengthBytes);
  if (additionalBlocks > 0) {
    input.writeUInt16BE(additional.length, blockBytes);
    input.set(additional, blockBytes + 2);
  }
  input.set(plaintext, (1 + additionalBlocks) * blockBytes);
  const cipher = createCipheriv('aes-128-cbc', key, zeroBlock).setAutoPadding(false);
  const chained = cipher.update(input);
  const block = Buffer.alloc(blockBytes);
  block.set(chained.subarray(chained.length - blockBytes).subarray(0, tagBytes));
  return block;
}
