import { X509Certificate } from 'node:crypto';

/** Bytes around an anchor that have the shape of a certificate. */
export interface CertificateMatch {
  readonly der: Buffer;
  readonly start: number;
  /** First byte after it. */
  readonly end: number;
}

/** Tells what begins around an anchor at `at`, looking at nothing beyond `end`. */
export type CertificateMatcher = (
  bytes: Buffer,
  at: number,
  end: number,
) => CertificateMatch | null;

/** Four bytes that every certificate of a kind contains: the PEM label, and version 3 in DER (RFC 5280). */
export const certificateAnchors: readonly (readonly [string, CertificateMatcher])[] = [
  ['CERT', pemCertificate],
  ['\x03\x02\x01\x02', derCertificate],
];

const largestBytes = 16 * 1024;
const longestPemBytes = 20 * 1024;
const longestSubject = 100;
const pemBegin = '-----BEGIN ';
const pemLabel = 'CERTIFICATE-----';

/** `at` lies behind the headers of two sequences, of two to four bytes each, and one tag. */
function derCertificate(bytes: Buffer, at: number, end: number): CertificateMatch | null {
  if (bytes[at - 1] !== 0xa0 || bytes[at + 4] !== 0x02) return null;
  for (const start of [at - 9, at - 8, at - 7]) {
    if (start < 0 || bytes[start] !== 0x30) continue;
    const outer = contentOf(bytes, start);
    const inner = outer && contentOf(bytes, outer.start);
    if (!outer || !inner || outer.end > end || outer.end - start > largestBytes) continue;
    if (bytes[outer.start] !== 0x30 || inner.start !== at - 1 || inner.end > outer.end) continue;
    return { der: bytes.subarray(start, outer.end), start, end: outer.end };
  }
  return null;
}

/** Where the content of the element at `at` lies; lengths of one to three bytes. */
function contentOf(bytes: Buffer, at: number): { start: number; end: number } | null {
  const first = bytes[at + 1] ?? 0;
  if (first < 0x80) return { start: at + 2, end: at + 2 + first };
  if (first === 0x81) return { start: at + 3, end: at + 3 + (bytes[at + 2] ?? 0) };
  if (first !== 0x82 || at + 4 > bytes.length) return null;
  return { start: at + 4, end: at + 4 + bytes.readUInt16BE(at + 2) };
}

function pemCertificate(bytes: Buffer, at: number, end: number): CertificateMatch | null {
  const start = at - pemBegin.length;
  const from = at + pemLabel.length;
  if (start < 0 || bytes.toString('latin1', start, from) !== pemBegin + pemLabel) return null;
  const limit = Math.min(end, from + longestPemBytes);
  const length = bytes.subarray(from, limit).indexOf('-----');
  if (length < 0) return null;
  // Line ends may be escaped, and the lines string literals of a program.
  const text = bytes
    .toString('latin1', from, from + length)
    .split(/\\r|\\n|[\r\n"']/)
    .map((line) => line.replace(/[\s\\]+/g, ''))
    .filter((line) => !/^[+,]?$/.test(line))
    .join('');
  return { der: Buffer.from(text, 'base64'), start, end: from + length };
}

/** Subject and end of validity, ISO 8601; null for bytes that only look like a certificate. */
export function readCertificate(
  der: Buffer,
): { subject: string; notAfter: string; fingerprint: string } | null {
  try {
    const { subject, validTo, fingerprint256: fingerprint } = new X509Certificate(der);
    return { subject: readable(subject), notAfter: new Date(validTo).toISOString(), fingerprint };
  } catch {
    // Nearly every such run of bytes is a piece of something else.
    return null;
  }
}

/** The common name, or the whole name on one line. */
function readable(subject: string): string {
  const name = /^CN=(.+)$/m.exec(subject)?.[1] ?? subject.replaceAll('\n', ', ');
  return name.replace(/\p{Cc}/gu, '?').slice(0, longestSubject) || 'a certificate without a name';
}
