import type { ByteSource } from './byte-source.ts';
import { knownSampleKey } from './mcuboot-sample-keys.ts';
import { type Report, hexByte } from './report.ts';

export type McubootHash = 'sha256' | 'sha384' | 'sha512';

/** Hash of the bytes of the image from `start` up to `end`, in lower-case hexadecimal. */
export type HashRange = (algorithm: McubootHash, start: number, end: number) => Promise<string>;

/** What the header and the TLVs of an image say. */
export interface McubootImage {
  /** `major.minor.revision+build`. */
  readonly version: string;
  readonly imageSizeBytes: number;
  /** The hash that its TLV holds, lower-case hexadecimal, or null when there is none. */
  readonly hash: string | null;
  /** Lower-case hexadecimal, or null when no key is named. */
  readonly keyHash: string | null;
  readonly securityCounter: number | null;
  /** Other images that this one needs, as "image 1 >= 1.2.0+0". */
  readonly dependencies: readonly string[];
  readonly encrypted: boolean;
  /** Name of the TLV of the signature, or null. */
  readonly signature: string | null;
  readonly vendorId: string | null;
  readonly classId: string | null;
}

interface Tlv {
  readonly type: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

const headerBytes = 32;
const tlvInfoBytes = 4;
const protectedMagic = 0x6908;
const plainMagic = 0x6907;
const encryptedFlags = 0x0c;
const hashTypes: ReadonlyMap<number, McubootHash> = new Map([
  [0x10, 'sha256'],
  [0x11, 'sha384'],
  [0x12, 'sha512'],
]);
const hashSizes: Readonly<Record<McubootHash, number>> = { sha256: 32, sha384: 48, sha512: 64 };
const signatureTypes: ReadonlyMap<number, string> = new Map([
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
    (flags & encryptedFlags) !== 0 ||
    tlvs.list.some(({ type }) => type >= tlv.firstEncryption && type <= tlv.lastEncryption);
  const image: McubootImage = {
    version: versionAt(view, 20),
    imageSizeBytes,
    hash: hexOf(tlvs.list, ...hashTypes.keys()),
    keyHash: hexOf(tlvs.list, tlv.keyHash),
    securityCounter: counterOf(tlvs.list),
    dependencies: tlvs.list.flatMap(dependencyOf),
    encrypted,
    signature: signatureOf(tlvs.list),
    vendorId: hexOf(tlvs.list, tlv.vendorId),
    classId: hexOf(tlvs.list, tlv.classId),
  };
  await checkHash(tlvs.list, bodyEnd + protectedBytes, encrypted, hashRange, report);
  await checkKey(tlvs.list, hashRange, report);
  if (image.signature === null) {
    report('mcuboot.unsigned', 'no TLV holds a signature', { offset: bodyEnd });
  } else {
    report('mcuboot.signature', `${image.signature}: the public key of the product is not known`);
  }
  await checkTrailing(source, tlvs.end, report);
  return image;
}

async function readTlvs(
  source: ByteSource,
  start: number,
  protectedBytes: number,
  report: Report,
): Promise<{ readonly list: readonly Tlv[]; readonly end: number } | null> {
  const list: Tlv[] = [];
  let at = start;
  for (const magic of protectedBytes > 0 ? [protectedMagic, plainMagic] : [plainMagic]) {
    if (at + tlvInfoBytes > source.sizeBytes) {
      report('mcuboot.truncated', `the TLVs should begin at offset ${at}`, {
        offset: source.sizeBytes,
        expected: `at least ${at + tlvInfoBytes} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    const info = viewOf(await source.read(at, tlvInfoBytes));
    const found = info.getUint16(0, true);
    const size = info.getUint16(2, true);
    if (found !== magic) {
      report('mcuboot.tlv', 'no TLVs stand where the sizes in the header say', {
        offset: at,
        expected: hexWord(magic),
        found: hexWord(found),
      });
      return null;
    }
    if (size < tlvInfoBytes || (magic === protectedMagic && size !== protectedBytes)) {
      report('mcuboot.tlv', 'size of the TLVs', {
        offset: at + 2,
        expected: magic === protectedMagic ? String(protectedBytes) : `at least ${tlvInfoBytes}`,
        found: String(size),
      });
      return null;
    }
    if (at + size > source.sizeBytes) {
      report('mcuboot.truncated', `the TLVs should end at offset ${at + size}`, {
        offset: source.sizeBytes,
        expected: `at least ${at + size} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    if (!addTlvs(await source.read(at, size), at, list, report)) return null;
    at += size;
  }
  return { list, end: at };
}

function addTlvs(area: Uint8Array, base: number, list: Tlv[], report: Report): boolean {
  const view = viewOf(area);
  let at = tlvInfoBytes;
  while (at < area.length) {
    const size = at + 4 <= area.length ? view.getUint16(at + 2, true) : area.length;
    if (at + 4 + size > area.length) {
      report('mcuboot.tlv', 'a TLV reaches beyond the end of the TLVs', {
        offset: base + at,
        expected: `at most ${Math.max(0, area.length - at - 4)} bytes`,
        found: `${size} bytes`,
      });
      return false;
    }
    const type = view.getUint16(at, true);
    list.push({ type, offset: base + at + 4, bytes: area.subarray(at + 4, at + 4 + size) });
    at += 4 + size;
  }
  return true;
}

async function checkHash(
  list: readonly Tlv[],
  end: number,
  encrypted: boolean,
  hashRange: HashRange,
  report: Report,
): Promise<void> {
  if (encrypted) {
    report('mcuboot.encrypted', 'the hash covers the content before it was encrypted', {
      offset: 16,
    });
    return;
  }
  const hashes = list.filter(({ type }) => hashTypes.has(type));
  const isPure = list.some(({ type }) => type === tlv.pureSignature);
  if (hashes.length === 0 && !isPure) {
    report('mcuboot.no-hash', 'no TLV holds a hash', { offset: end });
  }
  // Each further one would cost a pass over the whole image; the boot loader looks at one.
  const [first, second] = hashes;
  if (second !== undefined) {
    report('mcuboot.tlv', 'a second TLV holds a hash', { offset: second.offset - 4 });
  }
  if (first === undefined) return;
  const algorithm = hashTypes.get(first.type) ?? 'sha256';
  const stored = hex(first.bytes);
  if (first.bytes.length !== hashSizes[algorithm]) {
    report('mcuboot.tlv', `size of the ${algorithm} TLV`, {
      offset: first.offset - 2,
      expected: String(hashSizes[algorithm]),
      found: String(first.bytes.length),
    });
    return;
  }
  const computed = await hashRange(algorithm, 0, end);
  if (computed !== stored) {
    report('mcuboot.hash', `${algorithm} of header, image and protected TLVs`, {
      offset: first.offset,
      expected: stored,
      found: computed,
    });
  }
}

async function checkKey(list: readonly Tlv[], hashRange: HashRange, report: Report): Promise<void> {
  const named = list.find(({ type }) => type === tlv.keyHash);
  const whole = list.find(({ type }) => type === tlv.publicKey);
  const part = named ?? whole;
  if (part === undefined) return;
  const keyHash =
    named === undefined
      ? await hashRange('sha256', part.offset, part.offset + part.bytes.length)
      : hex(named.bytes);
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

function signatureOf(list: readonly Tlv[]): string | null {
  const name = list
    .map(({ type }) => signatureTypes.get(type))
    .find((found) => found !== undefined);
  return name ?? null;
}

function counterOf(list: readonly Tlv[]): number | null {
  const counter = list.find(
    ({ type, bytes }) => type === tlv.securityCounter && bytes.length === 4,
  );
  return counter === undefined ? null : viewOf(counter.bytes).getUint32(0, true);
}

/** `image_dependency`: image number, three bytes of padding, least version. */
function dependencyOf({ type, bytes }: Tlv): string[] {
  if (type !== tlv.dependency || bytes.length < 12) return [];
  return [`image ${bytes[0]} >= ${versionAt(viewOf(bytes), 4)}`];
}

function versionAt(view: DataView, at: number): string {
  const [major, minor] = [view.getUint8(at), view.getUint8(at + 1)];
  return `${major}.${minor}.${view.getUint16(at + 2, true)}+${view.getUint32(at + 4, true)}`;
}

function hexOf(list: readonly Tlv[], ...wanted: readonly number[]): string | null {
  const found = list.find(({ type }) => wanted.includes(type));
  return found === undefined ? null : hex(found.bytes);
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, hexByte).join('').toLowerCase();
}

function hexWord(value: number): string {
  return hexByte(value >>> 8) + hexByte(value & 0xff);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
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
