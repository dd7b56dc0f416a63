import type { ImageDependency } from '../domain/image-identity.ts';
import type { ByteSource } from './byte-source.ts';
import { hexText, viewOf } from './image-facts.ts';
import { knownSampleKey } from './mcuboot-sample-keys.ts';
import { readTlvs, type Tlv } from './mcuboot-tlvs.ts';
import { type Report, hexByte } from './report.ts';

export type McubootHash = 'sha256' | 'sha384' | 'sha512';

/** Hash of the bytes of the image from `start` up to `end`, in lower-case hexadecimal. */
export type HashRange = (algorithm: McubootHash, start: number, end: number) => Promise<string>;

/** A signature, and how the TLVs before it name the public key. */
export interface McubootSignature {
  readonly algorithm: 'RSA-2048' | 'RSA-3072' | 'ECDSA' | 'ECDSA P-224' | 'Ed25519';
  readonly offset: number;
  readonly bytes: Uint8Array;
  /** Hash of the key, or the whole key, as the image holds it; null when it names none. */
  readonly key: { readonly type: 'hash' | 'whole'; readonly bytes: Uint8Array } | null;
}

/** What the header and the TLVs of an image say. */
export interface McubootImage {
  /** `major.minor.revision+build`. */
  readonly version: string;
  readonly headerSizeBytes: number;
  readonly imageSizeBytes: number;
  /** First byte after header, image and protected TLVs: what is hashed and signed ends there. */
  readonly signedEnd: number;
  /** First byte after all TLVs. */
  readonly end: number;
  /** Address in RAM that the boot loader copies the image to, or null when it runs where it lies. */
  readonly ramAddress: number | null;
  /** Address in flash that the image is built for, or null when it names none. */
  readonly flashAddress: number | null;
  /** The hash that its TLV holds, lower-case hexadecimal, or null when there is none. */
  readonly hash: string | null;
  /** Lower-case hexadecimal, or null when no key is named. */
  readonly keyHash: string | null;
  readonly securityCounter: number | null;
  /** Other images that this one needs. */
  readonly dependencies: readonly ImageDependency[];
  readonly encrypted: boolean;
  /** Whether the boot loader unpacks the image when it installs it. */
  readonly compressed: boolean;
  readonly signatures: readonly McubootSignature[];
  /** Whether the signature is over the image itself and not over its hash. */
  readonly isPure: boolean;
  /** Hash of what is signed, lower-case hexadecimal: that of the content, or of an encrypted image the recorded one. */
  readonly digest: { readonly algorithm: McubootHash; readonly value: string } | null;
  readonly vendorId: string | null;
  readonly classId: string | null;
}

const headerBytes = 32;
const flagBits = { encrypted: 0x0c, ramLoad: 0x20, romFixed: 0x100, compressed: 0x600 } as const;
const hashTypes: ReadonlyMap<number, McubootHash> = new Map([
  [0x10, 'sha256'],
  [0x11, 'sha384'],
  [0x12, 'sha512'],
]);
const hashSizes: Readonly<Record<McubootHash, number>> = { sha256: 32, sha384: 48, sha512: 64 };
const signatureTypes: ReadonlyMap<number, McubootSignature['algorithm']> = new Map([
  [0x20, 'RSA-2048'],
  [0x21, 'ECDSA P-224'],
  [0x22, 'ECDSA'],
  [0x23, 'RSA-3072'],
  [0x24, 'Ed25519'],
]);
const tlv = {
  keyHash: 0x01,
  publicKey: 0x02,
  pureSignature: 0x25,
  firstEncryption: 0x30,
  lastEncryption: 0x34,
  dependency: 0x40,
  securityCounter: 0x50,
  vendorId: 0x74,
  classId: 0x75,
} as const;

/**
 * Reads an MCUboot image: header, protected and plain TLVs, hash, named key, and what follows.
 * Source: MCUboot documentation, "Bootloader design", sections "Image format" and "Image trailer".
 * Returns null after a report that leaves no whole image.
 */
export async function readMcuboot(
  source: ByteSource,
  hashRange: HashRange,
  report: Report,
): Promise<McubootImage | null> {
  const header = await source.read(0, headerBytes);
  if (header.length < headerBytes) {
    report('mcuboot.truncated', 'the header is not whole', { offset: header.length });
    return null;
  }
  const view = viewOf(header);
  const ownBytes = view.getUint16(8, true);
  const protectedBytes = view.getUint16(10, true);
  const imageSizeBytes = view.getUint32(12, true);
  const flags = view.getUint32(16, true);
  if (ownBytes < headerBytes || imageSizeBytes === 0) {
    const [offset, expected, found] =
      ownBytes < headerBytes
        ? ([8, `at least ${headerBytes}`, ownBytes] as const)
        : ([12, 'at least 1', imageSizeBytes] as const);
    const what = offset === 8 ? 'size of the header' : 'size of the image';
    report('mcuboot.sizes', what, { offset, expected, found: String(found) });
    return null;
  }
  const bodyEnd = ownBytes + imageSizeBytes;
  const tlvs = await readTlvs(source, bodyEnd, protectedBytes, report);
  if (tlvs === null) return null;
  const encrypted =
    (flags & flagBits.encrypted) !== 0 ||
    tlvs.list.some(({ type }) => type >= tlv.firstEncryption && type <= tlv.lastEncryption);
  const signedEnd = bodyEnd + protectedBytes;
  const digest = await checkHash(tlvs.list, signedEnd, encrypted, hashRange, report);
  await checkKey(tlvs.list, hashRange, report);
  const signatures = signaturesOf(tlvs.list);
  if (signatures.length === 0) {
    report('mcuboot.unsigned', 'no TLV holds a signature', { offset: bodyEnd });
  }
  await checkTrailing(source, tlvs.end, report);
  const loadAddress = view.getUint32(4, true);
  return {
    version: versionAt(view, 20),
    headerSizeBytes: ownBytes,
    imageSizeBytes,
    signedEnd,
    end: tlvs.end,
    ramAddress: (flags & flagBits.ramLoad) === 0 ? null : loadAddress,
    flashAddress: (flags & flagBits.romFixed) === 0 ? null : loadAddress,
    hash: hexOf(tlvs.list, ...hashTypes.keys()),
    keyHash: hexOf(tlvs.list, tlv.keyHash),
    securityCounter: counterOf(tlvs.list),
    dependencies: tlvs.list.flatMap(dependencyOf),
    encrypted,
    compressed: (flags & flagBits.compressed) !== 0,
    signatures,
    isPure: tlvs.list.some(({ type }) => type === tlv.pureSignature),
    digest,
    vendorId: hexOf(tlvs.list, tlv.vendorId),
    classId: hexOf(tlvs.list, tlv.classId),
  };
}

async function checkHash(
  list: readonly Tlv[],
  end: number,
  encrypted: boolean,
  hashRange: HashRange,
  report: Report,
): Promise<McubootImage['digest']> {
  const hashes = list.filter(({ type }) => hashTypes.has(type));
  const isPure = list.some(({ type }) => type === tlv.pureSignature);
  if (encrypted) {
    report('mcuboot.encrypted', 'the hash covers the content before it was encrypted', {
      offset: 16,
    });
  } else if (hashes.length === 0 && !isPure) {
    report('mcuboot.no-hash', 'no TLV holds a hash', { offset: end });
  }
  // Each further one would cost a pass over the whole image; the boot loader looks at one.
  const [first, second] = hashes;
  if (second !== undefined) {
    report('mcuboot.tlv', 'a second TLV holds a hash', { offset: second.offset - 4 });
  }
  if (first === undefined) return null;
  const algorithm = hashTypes.get(first.type) ?? 'sha256';
  const stored = hexText(first.bytes);
  if (first.bytes.length !== hashSizes[algorithm]) {
    report('mcuboot.tlv', `size of the ${algorithm} TLV`, {
      offset: first.offset - 2,
      expected: String(hashSizes[algorithm]),
      found: String(first.bytes.length),
    });
    return null;
  }
  if (encrypted) return { algorithm, value: stored };
  const computed = await hashRange(algorithm, 0, end);
  if (computed !== stored) {
    report('mcuboot.hash', `${algorithm} of header, image and protected TLVs`, {
      offset: first.offset,
      expected: stored,
      found: computed,
    });
  }
  return { algorithm, value: computed };
}

async function checkKey(list: readonly Tlv[], hashRange: HashRange, report: Report): Promise<void> {
  const named = list.find(({ type }) => type === tlv.keyHash);
  const whole = list.find(({ type }) => type === tlv.publicKey);
  const part = named ?? whole;
  if (part === undefined) return;
  const keyHash =
    named === undefined
      ? await hashRange('sha256', part.offset, part.offset + part.bytes.length)
      : hexText(named.bytes);
  const key = knownSampleKey(keyHash);
  if (key !== null) {
    const found = keyHash;
    report('mcuboot.sample-key', `the key is MCUboot's ${key}`, { offset: part.offset, found });
  }
}

/** The 16 bytes that end a slot (MCUboot, "Image trailer"), for writes of 8 bytes and of more. */
const trailerMagics: readonly (readonly number[])[] = [
  [0x77, 0xc2, 0x95, 0xf3, 0x60, 0xd2, 0xef, 0x7f, 0x35, 0x52, 0x50, 0x0f, 0x2c, 0xb6, 0x79, 0x80],
  [0x2d, 0xe1, 0x5d, 0x29, 0x41, 0x0b, 0x8d, 0x77, 0x67, 0x9c, 0x11, 0x0f, 0x1f, 0x8a],
];
const trailerBytes = 512;
const windowBytes = 1024 * 1024;

/** Behind the TLVs only erased flash and the trailer of the slot have a meaning. */
async function checkTrailing(source: ByteSource, start: number, report: Report): Promise<void> {
  const tail = await source.read(Math.max(start, source.sizeBytes - 16), 16);
  const hasTrailer = trailerMagics.some((magic) => {
    const from = tail.length - magic.length;
    return tail.length === 16 && magic.every((byte, index) => tail[from + index] === byte);
  });
  const end = hasTrailer ? Math.max(start, source.sizeBytes - trailerBytes) : source.sizeBytes;
  for (let at = start; at < end; ) {
    const bytes = await source.read(at, Math.min(windowBytes, end - at));
    const wrong = bytes.findIndex((byte) => byte !== 0xff && byte !== 0);
    if (wrong >= 0) {
      report('mcuboot.trailing', `${source.sizeBytes - start} bytes follow the TLVs`, {
        offset: at + wrong,
        expected: 'FF, 00 or a slot trailer',
        found: hexByte(bytes[wrong] ?? 0),
      });
      return;
    }
    if (bytes.length === 0) return;
    at += bytes.length;
  }
}

/** Each signature belongs to the key that the last TLV before it names (`bootutil_img_validate`). */
function signaturesOf(list: readonly Tlv[]): McubootSignature[] {
  const signatures: McubootSignature[] = [];
  let key: McubootSignature['key'] = null;
  for (const { type, offset, bytes } of list) {
    const algorithm = signatureTypes.get(type);
    if (type === tlv.keyHash) key = { type: 'hash', bytes };
    else if (type === tlv.publicKey) key = { type: 'whole', bytes };
    else if (algorithm !== undefined) {
      signatures.push({ algorithm, offset, bytes, key });
      key = null;
    }
  }
  return signatures;
}

function counterOf(list: readonly Tlv[]): number | null {
  const counter = list.find(
    ({ type, bytes, isProtected }) =>
      isProtected && type === tlv.securityCounter && bytes.length === 4,
  );
  return counter === undefined ? null : viewOf(counter.bytes).getUint32(0, true);
}

/** `image_dependency`: image number, three bytes of padding, least version. */
function dependencyOf({ type, bytes, isProtected }: Tlv): ImageDependency[] {
  if (!isProtected || type !== tlv.dependency || bytes.length < 12) return [];
  return [{ imageNumber: bytes[0] ?? 0, minVersion: versionAt(viewOf(bytes), 4) }];
}

/** The version in its 8 bytes of an MCUboot header, as `major.minor.revision+build`. */
export function versionAt(view: DataView, at: number): string {
  const [major, minor] = [view.getUint8(at), view.getUint8(at + 1)];
  return `${major}.${minor}.${view.getUint16(at + 2, true)}+${view.getUint32(at + 4, true)}`;
}

function hexOf(list: readonly Tlv[], ...wanted: readonly number[]): string | null {
  const found = list.find(({ type }) => wanted.includes(type));
  return found === undefined ? null : hexText(found.bytes);
}

/**
 * Whether the version of the header is the declared one; null when they cannot be compared: the
 * declared one has another form, or the header holds the zeros of a build that set none.
 */
export function sameVersion(headerVersion: string, declared: string): boolean | null {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?(?:\+(\d+))?(?:-.*)?$/.exec(declared.trim());
  if (match === null || headerVersion === '0.0.0+0') return null;
  const [, major, minor, revision = '0', build] = match;
  const [triple, headerBuild] = headerVersion.split('+');
  if (build !== undefined && build !== headerBuild) return false;
  return triple === [major, minor, revision].map(Number).join('.');
}
