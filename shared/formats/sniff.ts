import { looksLikeCortexM } from './cortex-m.ts';
import { looksLikeDetools } from './detools-sniff.ts';
import { looksLikeHpatchLite } from './hpatchlite-header.ts';
import { decodeUtf8 } from './text.ts';

/** Bytes of the beginning that {@link sniff} wants to see. */
export const sniffHeadBytes = 4096;
/** Bytes of the end that {@link sniff} wants to see. */
export const sniffTailBytes = 512;

type Signature = readonly [id: string, offset: number, hex: string];

const signatures: readonly Signature[] = [
  ['elf', 0, '7f454c46'],
  ['mcuboot', 0, '3db8f396'],
  ['uf2', 0, '5546320a57515d9e'],
  ['uimage', 0, '27051956'],
  ['fit', 0, 'd00dfeed'],
  ['zip', 0, '504b0304'],
  ['zip', 0, '504b0506'],
  ['zip', 0, '504b0708'],
  ['rar', 0, '526172211a0700'],
  ['rar', 0, '526172211a070100'],
  ['gzip', 0, '1f8b08'],
  ['xz', 0, 'fd377a585a00'],
  ['zstd', 0, '28b52ffd'],
  // pzstd and seekable files begin with a skippable frame.
  ['zstd', 0, '502a4d18'],
  ['bsdiff40', 0, '4253444946463430'],
  ['bsdiff43', 0, '454e44534c45592f4253444946463433'],
  ['vcdiff', 0, 'd6c3c4'],
  ['hdiff', 0, '4844494646'],
  ['android-payload', 0, '43724155'],
  ['pac', 0, '420050005f0052003100'],
  ['pac', 0, '420050005f0052003200'],
  ['tar', 257, '7573746172'],
];

const signatureBytes = signatures.map(
  ([id, offset, hex]) =>
    [
      id,
      offset,
      Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16)),
    ] as const,
);

/**
 * Tells the format from the content: `head` holds the first {@link sniffHeadBytes} bytes, `tail`
 * the last 512 when they matter. The name plays no part; `unknown` means no recogniser fits.
 */
export function sniff(head: Uint8Array, tail?: Uint8Array): string {
  for (const [id, offset, bytes] of signatureBytes) {
    if (bytes.every((byte, index) => head[offset + index] === byte)) return id;
  }
  if (isOldTar(head)) return 'tar';
  if (isEspImage(head)) return 'esp-image';
  const text = asText(head);
  if (text !== null) {
    const record = text.replace(/^\uFEFF/, '').trimStart();
    if (/^S[0-9][0-9A-Fa-f]{6}/.test(record)) return 's-record';
    if (/^:[0-9A-Fa-f]{10}/.test(record)) return 'intel-hex';
    return looksLikePython(text) ? 'python' : 'text';
  }
  if (looksLikeCortexM(head)) return 'cortex-m';
  if (isMpy(head)) return 'mpy';
  if (looksLikeHpatchLite(head)) return 'hpatchlite';
  if (looksLikeDetools(head)) return 'detools';
  // A zip that something was put in front of still ends with its central directory.
  if (tail !== undefined && endsLikeZip(tail)) return 'zip';
  return 'unknown';
}

/** MicroPython bytecode: "M", version 3 to 6, feature flags, small-int bits. */
function isMpy(head: Uint8Array): boolean {
  const version = head[1] ?? 0;
  const smallIntBits = head[3] ?? 0;
  return (
    head[0] === 0x4d && version >= 3 && version <= 6 && smallIntBits >= 15 && smallIntBits < 65
  );
}

function endsLikeZip(tail: Uint8Array): boolean {
  const at = tail.length - 22;
  return at >= 0 && [0x50, 0x4b, 5, 6].every((byte, index) => tail[at + index] === byte);
}

/** ESP image header: E9, 1..16 segments, flash mode 0..5, entry point in a code region. */
function isEspImage(head: Uint8Array): boolean {
  const segments = head[1] ?? 0;
  const entryTop = head[7] ?? 0;
  const hasEntry = entryTop === 0x40 || entryTop === 0x42 || entryTop === 0x4f || entryTop === 0x20;
  return (
    head.length >= 24 &&
    head[0] === 0xe9 &&
    segments >= 1 &&
    segments <= 16 &&
    (head[2] ?? 0xff) <= 5 &&
    (hasEntry || hasExtendedHeader(head))
  );
}

/** A chip id below 64, four reserved zeros and the flag of the hash: an entry point that was damaged stands out. */
function hasExtendedHeader(head: Uint8Array): boolean {
  return (
    (head[12] ?? 0xff) < 64 &&
    [13, 19, 20, 21, 22].every((at) => head[at] === 0) &&
    (head[23] ?? 2) < 2
  );
}

/** A v7 tar has no magic: its header checksum must be right. */
function isOldTar(head: Uint8Array): boolean {
  if (head.length < 512 || head[0] === 0) return false;
  let sum = 8 * 0x20;
  for (let index = 0; index < 512; index += 1) {
    if (index < 148 || index >= 156) sum += head[index] ?? 0;
  }
  const field = String.fromCharCode(...head.subarray(148, 156)).replace(/[\0 ]+/g, '');
  return /^[0-7]{3,6}$/.test(field) && Number.parseInt(field, 8) === sum;
}

/** The head as text when it is UTF-8 without control characters, else null. */
function asText(head: Uint8Array): string | null {
  if (head.length === 0) return null;
  for (const byte of head) {
    if (byte < 0x20 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13) return null;
    if (byte === 0x7f) return null;
  }
  return decodeUtf8(head, true);
}

function looksLikePython(text: string): boolean {
  return /^(#!.*python|import \w|from [\w.]+ import |def \w+\(|class \w+[(:]|@\w+|if __name__)/m.test(
    text,
  );
}
