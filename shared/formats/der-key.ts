/** A private key found in DER. */
export interface DerKey {
  /** What it is, without anything of its value: "PKCS#8, RSA 2048 bits". */
  readonly kind: string;
  /** All of it, header included. */
  readonly sizeBytes: number;
}

interface Element {
  readonly tag: number;
  readonly start: number;
  readonly end: number;
}

const sequence = 0x30;
const integer = 0x02;
const octets = 0x04;
const largestKeyBytes = 16 * 1024;

const algorithms: readonly (readonly [oid: string, name: string])[] = [
  ['2a864886f70d010101', 'RSA'],
  ['2a864886f70d01010a', 'RSA-PSS'],
  ['2a8648ce380401', 'DSA'],
  ['2a8648ce3d0201', 'EC'],
  ['2b656e', 'X25519'],
  ['2b656f', 'X448'],
  ['2b6570', 'Ed25519'],
  ['2b6571', 'Ed448'],
];
const encryptions = ['2a864886f70d01050d', '2a864886f70d010c01', '2a864886f70d010503'];

/**
 * Reads a private key at `at`: PKCS#8 (RFC 5958), encrypted PKCS#8 (PBES2, RFC 8018), PKCS#1
 * (RFC 8017 appendix A.1.2) or SEC1 (RFC 5915). Null when the structure is not exactly that. Looks
 * at a fixed number of elements, so the time does not depend on what the bytes claim.
 */
export function readDerKey(bytes: Uint8Array, at: number): DerKey | null {
  const outer = element(bytes, at, bytes.length);
  if (outer?.tag !== sequence || outer.end - at > largestKeyBytes) return null;
  const kind = privateKey(bytes, outer) ?? encryptedKey(bytes, outer);
  return kind === null ? null : { kind, sizeBytes: outer.end - at };
}

function privateKey(bytes: Uint8Array, outer: Element): string | null {
  const version = element(bytes, outer.start, outer.end);
  if (version?.tag !== integer || version.end - version.start !== 1) return null;
  const number = bytes[version.start] ?? 0xff;
  const next = element(bytes, version.end, outer.end);
  if (next === null || number > 1) return null;
  if (next.tag === sequence) return pkcs8(bytes, next, outer.end);
  if (next.tag === integer && number === 0) return pkcs1(bytes, next, outer.end);
  return next.tag === octets && number === 1 ? sec1(bytes, next, outer.end) : null;
}

function pkcs8(bytes: Uint8Array, algorithm: Element, end: number): string | null {
  const oid = element(bytes, algorithm.start, algorithm.end);
  const name = algorithms.find(([hex]) => oid?.tag === 0x06 && isHex(bytes, oid, hex))?.[1];
  const key = element(bytes, algorithm.end, end);
  if (name === undefined || key?.tag !== octets) return null;
  if (key.end !== end && (bytes[key.end] ?? 0) >>> 6 !== 2) return null;
  const inner = element(bytes, key.start, key.end);
  if (inner === null || inner.end !== key.end) return null;
  if (name === 'RSA' || name === 'RSA-PSS' || name === 'EC') {
    const found = inner.tag === sequence ? privateKey(bytes, inner) : null;
    return found === null ? null : `PKCS#8, ${found.replace(/^.*, /, '')}`;
  }
  if (name === 'DSA') return inner.tag === integer ? 'PKCS#8, DSA' : null;
  return inner.tag === octets && looksRandom(bytes, inner) ? `PKCS#8, ${name}` : null;
}

/** The eight integers after the modulus must fit it, and the primes must multiply to it. */
function pkcs1(bytes: Uint8Array, modulus: Element, end: number): string | null {
  const parts = [modulus];
  for (let at = modulus.end; parts.length < 8; ) {
    const part = element(bytes, at, end);
    if (part?.tag !== integer) return null;
    parts.push(part);
    at = part.end;
  }
  const [n, , , p, q] = parts as [Element, Element, Element, Element, Element];
  const bits = (n.end - n.start - (bytes[n.start] === 0 ? 1 : 0)) * 8;
  if (parts[7]?.end !== end || bits < 512) return null;
  return Math.imul(low32(bytes, p), low32(bytes, q)) === (low32(bytes, n) | 0)
    ? `PKCS#1, RSA ${bits} bits`
    : null;
}

function sec1(bytes: Uint8Array, secret: Element, end: number): string | null {
  const size = secret.end - secret.start;
  if (size < 20 || size > 72 || !looksRandom(bytes, secret)) return null;
  for (let at = secret.end; at < end; ) {
    const part = element(bytes, at, end);
    if (part === null || (part.tag !== 0xa0 && part.tag !== 0xa1)) return null;
    at = part.end;
  }
  return `SEC1, EC key of ${size} bytes`;
}

function encryptedKey(bytes: Uint8Array, outer: Element): string | null {
  const algorithm = element(bytes, outer.start, outer.end);
  if (algorithm?.tag !== sequence) return null;
  const oid = element(bytes, algorithm.start, algorithm.end);
  if (oid?.tag !== 0x06 || !encryptions.some((hex) => startsWithHex(bytes, oid, hex))) return null;
  const parameters = element(bytes, oid.end, algorithm.end);
  const secret = element(bytes, algorithm.end, outer.end);
  const right =
    parameters?.tag === sequence &&
    parameters.end === algorithm.end &&
    secret?.tag === octets &&
    secret.end === outer.end &&
    secret.end - secret.start >= 40;
  return right ? 'encrypted PKCS#8' : null;
}

/** The element at `at` when it lies before `end` and its length is in the shortest form. */
function element(bytes: Uint8Array, at: number, end: number): Element | null {
  if (at + 2 > end) return null;
  const tag = bytes[at] ?? 0;
  const first = bytes[at + 1] ?? 0;
  let size = first;
  let start = at + 2;
  if (first === 0x81) {
    size = bytes[start] ?? 0;
    start += 1;
  } else if (first === 0x82) {
    size = ((bytes[start] ?? 0) << 8) | (bytes[start + 1] ?? 0);
    start += 2;
  } else if (first >= 0x80) return null;
  return size > 0 && start + size <= end ? { tag, start, end: start + size } : null;
}

/** A template or a run of text in the place of a secret is not one. */
function looksRandom(bytes: Uint8Array, { start, end }: Element): boolean {
  const part = bytes.subarray(start, end);
  const printable = part.every((byte) => byte >= 0x20 && byte < 0x7f);
  return !printable && new Set(part).size >= (end - start) / 2;
}

function isHex(bytes: Uint8Array, part: Element, hex: string): boolean {
  return part.end - part.start === hex.length / 2 && startsWithHex(bytes, part, hex);
}

function startsWithHex(bytes: Uint8Array, part: Element, hex: string): boolean {
  for (let index = 0; index < hex.length / 2; index += 1) {
    const expected = Number.parseInt(hex.slice(2 * index, 2 * index + 2), 16);
    if (part.start + index >= part.end || bytes[part.start + index] !== expected) return false;
  }
  return true;
}

function low32(bytes: Uint8Array, { end }: Element): number {
  const [a, b, c, d] = [bytes[end - 4], bytes[end - 3], bytes[end - 2], bytes[end - 1]];
  return ((a ?? 0) << 24) | ((b ?? 0) << 16) | ((c ?? 0) << 8) | (d ?? 0);
}
