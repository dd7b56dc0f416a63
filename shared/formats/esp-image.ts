import type { ImageIdentity } from '../domain/image-identity.ts';
import type { ByteSource } from './byte-source.ts';
import {
  fieldText,
  firstForeignByte,
  hexText,
  type ImageFacts,
  readRange,
  type StartHash,
  viewOf,
} from './image-facts.ts';
import { hexAddress, hexByte, type Report } from './report.ts';

/** Names of the chips by the identifier in the image header. */
export const chips: ReadonlyMap<number, string> = new Map([
  [0, 'ESP32'],
  [2, 'ESP32-S2'],
  [5, 'ESP32-C3'],
  [9, 'ESP32-S3'],
  [12, 'ESP32-C2'],
  [13, 'ESP32-C6'],
  [16, 'ESP32-H2'],
  [18, 'ESP32-P4'],
  [20, 'ESP32-C61'],
  [23, 'ESP32-C5'],
  [25, 'ESP32-H21'],
  [28, 'ESP32-H4'],
]);

const commonHeaderBytes = 8;
const extendedHeaderBytes = 24;
const segmentHeaderBytes = 8;
const checksumSeed = 0xef;
const sha256Bytes = 32;
const mostSegments = 16;
const descriptorMagic = 0xabcd_5432;
const descriptorBytes = 256;
const anyRevision = 0xffff;
const signatureSectorMagic = 0xe7;

interface EspSegment {
  readonly offset: number;
  readonly address: number;
  readonly sizeBytes: number;
}

/**
 * Reads an ESP8266 or ESP32 application image: every segment lies in the file, the XOR checksum
 * and the appended SHA-256 are right, the chip and its revisions are known and the entry point is in
 * a segment.
 * Returns null after a blocking report. Source: ESP-IDF, esp_app_format.h and
 * esp_app_desc.h; esptool documentation, "Firmware Image Format".
 */
export async function readEspImage(
  source: ByteSource,
  report: Report,
  startHash: StartHash,
  wantedChip?: string,
): Promise<ImageFacts | null> {
  const head = await source.read(0, extendedHeaderBytes);
  if (head.length < extendedHeaderBytes) {
    report('esp.truncated', 'the header is not whole', { offset: head.length });
    return null;
  }
  const view = viewOf(head);
  const isEsp8266 = hasShortHeader(view);
  const entry = view.getUint32(4, true);
  const chipId = view.getUint16(12, true);
  const headerBytes = isEsp8266 ? commonHeaderBytes : extendedHeaderBytes;
  const segments = await readSegments(source, head[1] ?? 0, headerBytes, report);
  if (segments === null) return null;
  const end = await checkChecksum(source, segments, headerBytes, report);
  if (end === null) return null;
  const hashFlag = isEsp8266 ? 0 : (head[23] ?? 0);
  // Any other value would hide a wrong SHA-256 from us, but not from the boot loader.
  if (hashFlag > 1) {
    report('esp.damaged', 'the flag of the appended SHA-256', {
      offset: 23,
      expected: '0 or 1',
      found: String(hashFlag),
    });
    return null;
  }
  const hashed = hashFlag === 1;
  if (hashed && !(await checkSha256(source, end, report, startHash))) return null;
  if (!segments.some(({ address, sizeBytes }) => entry >= address && entry < address + sizeBytes)) {
    report('esp.entry', `no segment holds ${hexAddress(entry)}`, {
      offset: 4,
      found: hexAddress(entry),
    });
  }
  const revisions = isEsp8266 ? '' : checkRevisions(view, report);
  if (revisions === null) return null;
  const chip = isEsp8266 ? 'ESP8266' : chips.get(chipId);
  checkChip(chip, chipId, wantedChip, revisions, report);
  const signed = await checkRest(source, end + (hashed ? sha256Bytes : 0), report);
  const { version, ...identity } = await readDescriptor(source, segments, report);
  return {
    summary: `ESP image: ${segments.length} segments, checksum${hashed ? ' and SHA-256 are' : ' is'} right`,
    segments: segments
      .filter(({ address, sizeBytes }) => address > 0 && sizeBytes > 0)
      .map(({ address, sizeBytes }) => ({ start: address, sizeBytes })),
    ...(version === undefined ? {} : { version }),
    identity: { ...identity, ...(signed === null ? {} : { signed }) },
    compressed: false,
  };
}

/** The ESP8266 has no extended header: its first segment, loaded to RAM or flash, begins at offset 8. */
function hasShortHeader(view: DataView): boolean {
  const address = view.getUint32(8, true);
  return address >= 0x3ff0_0000 && address < 0x4100_0000;
}

function checkChip(
  chip: string | undefined,
  chipId: number,
  wantedChip: string | undefined,
  revisions: string,
  report: Report,
): void {
  const evidence = { offset: 12, found: chip ?? `chip id ${chipId}` };
  if (chip === undefined) report('esp.chip-unknown', `chip id ${chipId}`, evidence);
  else if (wantedChip !== undefined && !isChip(wantedChip, chip)) {
    report('esp.chip-wrong', `it is for ${chip}`, { ...evidence, expected: wantedChip });
  } else report('esp.chip', `${chip}${revisions}`, evidence);
}

/**
 * The revisions of the chip that the image runs on, as a text; null after a blocking report. Builds
 * before ESP-IDF 4.4 tell none.
 */
function checkRevisions(view: DataView, report: Report): string | null {
  const [lowest, highest] = [view.getUint16(15, true), view.getUint16(17, true)];
  if (highest === 0) return '';
  const text = (revision: number) => `${Math.floor(revision / 100)}.${revision % 100}`;
  if (lowest > highest) {
    report('esp.revision', `from ${text(lowest)} to ${text(highest)}`, {
      offset: 15,
      expected: `at most ${text(highest)}`,
      found: text(lowest),
    });
    return null;
  }
  const upTo = highest === anyRevision ? ' and newer' : ` to ${text(highest)}`;
  return `, chip revision ${text(lowest)}${upTo}`;
}

/** Whether the wanted chip, perhaps with its memory variant or module name, is of this kind. */
function isChip(wanted: string, chip: string): boolean {
  const plain = (text: string) => text.toLowerCase().replace(/[^a-z0-9]/g, '');
  const [all, kind] = [plain(wanted), plain(chip)];
  if (!all.includes('esp')) return false;
  const name = all.slice(all.indexOf('esp'));
  const longest = [...chips.values(), 'ESP8266']
    .map(plain)
    .filter((candidate) => name.startsWith(candidate))
    .sort((a, b) => b.length - a.length)[0];
  return longest === undefined || longest === kind;
}

async function readSegments(
  source: ByteSource,
  count: number,
  headerBytes: number,
  report: Report,
): Promise<readonly EspSegment[] | null> {
  if (count < 1 || count > mostSegments) {
    report('esp.damaged', `${count} segments`, {
      offset: 1,
      expected: `1 to ${mostSegments}`,
      found: String(count),
    });
    return null;
  }
  const segments: EspSegment[] = [];
  let offset = headerBytes;
  for (let index = 0; index < count; index += 1) {
    const header = await source.read(offset, segmentHeaderBytes);
    if (header.length < segmentHeaderBytes) {
      report('esp.truncated', `the file ends before segment ${index + 1} of ${count}`, { offset });
      return null;
    }
    const view = viewOf(header);
    const sizeBytes = view.getUint32(4, true);
    const end = offset + segmentHeaderBytes + sizeBytes;
    if (end > source.sizeBytes) {
      report('esp.truncated', `segment ${index + 1} of ${count} reaches beyond the end`, {
        offset: offset + 4,
        expected: `${end} bytes`,
        found: `${source.sizeBytes} bytes`,
      });
      return null;
    }
    segments.push({
      offset: offset + segmentHeaderBytes,
      address: view.getUint32(0, true),
      sizeBytes,
    });
    offset = end;
  }
  return segments;
}

/** The checksum is the last byte of a block of 16; returns the offset behind it. */
async function checkChecksum(
  source: ByteSource,
  segments: readonly EspSegment[],
  headerBytes: number,
  report: Report,
): Promise<number | null> {
  const last = segments.at(-1);
  const dataEnd = last === undefined ? headerBytes : last.offset + last.sizeBytes;
  const at = dataEnd + 15 - (dataEnd % 16);
  const [stored] = await source.read(at, 1);
  if (stored === undefined) {
    report('esp.truncated', 'the checksum is missing', { offset: source.sizeBytes });
    return null;
  }
  let sum = checksumSeed;
  for (const { offset, sizeBytes } of segments) {
    for await (const bytes of readRange(source, offset, offset + sizeBytes)) {
      for (const byte of bytes) sum ^= byte;
    }
  }
  if (sum === stored) return at + 1;
  report('esp.checksum', 'the XOR of all segments is another', {
    offset: at,
    expected: hexByte(sum),
    found: hexByte(stored),
  });
  return null;
}

async function checkSha256(
  source: ByteSource,
  end: number,
  report: Report,
  startHash: StartHash,
): Promise<boolean> {
  const stored = await source.read(end, sha256Bytes);
  if (stored.length < sha256Bytes) {
    report('esp.truncated', 'the SHA-256 that the header announces is missing', { offset: end });
    return false;
  }
  const hash = startHash('sha256');
  for await (const bytes of readRange(source, 0, end)) hash.update(bytes);
  const [expected, found] = [hexText(hash.digest()), hexText(stored)];
  if (expected === found) return true;
  report('esp.sha256', 'the appended SHA-256 is another', { offset: end, expected, found });
  return false;
}

/**
 * A signature or further images may follow: they are told, since nothing here checks them. Answers
 * whether it is signed, null when that cannot be said.
 */
async function checkRest(source: ByteSource, end: number, report: Report): Promise<boolean | null> {
  const foreign = await firstForeignByte(source, end);
  if (foreign === null) return false;
  const [byte] = await source.read(foreign, 1);
  if (foreign % 4096 === 0 && byte === signatureSectorMagic) {
    report('esp.signature', 'a Secure Boot signature sector', { offset: foreign });
    return true;
  }
  report('esp.rest', `${source.sizeBytes - end} bytes follow the image`, { offset: foreign });
  return null;
}

/** What the application descriptor says, which begins the segment of read-only data. */
async function readDescriptor(
  source: ByteSource,
  segments: readonly EspSegment[],
  report: Report,
): Promise<ImageIdentity> {
  for (const { offset, sizeBytes } of segments) {
    const bytes = await source.read(offset, Math.min(descriptorBytes, sizeBytes));
    if (bytes.length < descriptorBytes) continue;
    const view = viewOf(bytes);
    if (view.getUint32(0, true) !== descriptorMagic) continue;
    const text = (at: number, length: number) => fieldText(bytes.subarray(at, at + length));
    const [version, project] = [text(16, 32), text(48, 32)];
    const built = `${text(96, 16)} ${text(80, 16)}`.trim();
    const secureVersion = view.getUint32(4, true);
    const builtMs = Date.parse(`${built} UTC`);
    report(
      'esp.descriptor',
      `project "${project}", version "${version}", secure version ${secureVersion}, ` +
        `ESP-IDF ${text(112, 32)}, built ${built}`,
      { offset },
    );
    if (/-dirty\b/.test(version)) {
      report('image.dirty-build', `version "${version}"`, { offset: offset + 16, found: version });
    }
    return {
      version,
      securityCounter: secureVersion,
      ...(Number.isNaN(builtMs) ? {} : { builtAt: new Date(builtMs).toISOString() }),
    };
  }
  return {};
}

/** Whether the bytes begin like an application: its descriptor opens the first segment. */
export function hasEspDescriptor(bytes: Uint8Array): boolean {
  const at = extendedHeaderBytes + segmentHeaderBytes;
  return bytes.length >= at + 4 && viewOf(bytes).getUint32(at, true) === descriptorMagic;
}
