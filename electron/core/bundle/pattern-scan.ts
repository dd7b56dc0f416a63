import type { FoundCertificate } from '../../../shared/domain/identity/examined-file.ts';
import type { Report } from '../../../shared/formats/report.ts';
import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';
import {
  certificateAnchors,
  type CertificateMatcher,
  readCertificate,
} from './certificate-patterns.ts';
import { debugAnchors } from './debug-patterns.ts';
import { lookAheadBytes, lookBehindBytes, type Matcher } from './pattern.ts';
import { secretAnchors } from './secret-patterns.ts';

const bufferBytes = 512 * 1024;
/** Most scripts and images of boot loaders fit. */
const firstBufferBytes = 32 * 1024;
const anchorBytes = 4;
/** So many hits of a rule are kept with their place; further ones are counted. */
const keptPerRule = 5;
/** What looks like a certificate is parsed so many times; no firmware holds more. */
const mostCertificates = 2000;

/**
 * How far the window may move when it ends with a pair of bytes: 0 when an anchor may end there.
 * Source: S. Wu, U. Manber, "A fast algorithm for multi-pattern searching", 1994, for patterns and
 * blocks of four and two bytes.
 */
const moves = new Uint8Array(65_536).fill(anchorBytes - 1);
/** Whether an anchor begins with this pair. */
const begins = new Uint8Array(65_536);
const matchers = new Map<number, Matcher>();
const certificateMatchers = new Map<number, CertificateMatcher>();

function addAnchor(text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  const pairs = [0, 1, 2].map((at) => bytes.readUInt16BE(at));
  for (const [at, pair] of pairs.entries()) moves[pair] = Math.min(moves[pair] ?? 0, 2 - at);
  begins[pairs[0] ?? 0] = 1;
  return bytes.readUInt32BE(0);
}

for (const [text, matcher] of [...secretAnchors, ...debugAnchors])
  matchers.set(addAnchor(text), matcher);
for (const [text, matcher] of certificateAnchors) {
  certificateMatchers.set(addAnchor(text), matcher);
}

interface Hit {
  readonly offset: number;
  readonly member: string | undefined;
  readonly found: string;
}

type Hits = Map<BundleRuleId, { readonly kept: Hit[]; count: number }>;

function keep(hits: Hits, rule: BundleRuleId, hit: Hit): void {
  const entry = hits.get(rule) ?? { kept: [], count: 0 };
  entry.count += 1;
  if (entry.kept.length < keptPerRule) entry.kept.push(hit);
  hits.set(rule, entry);
}

/**
 * Searches streamed content for secrets, of which only redacted excerpts are kept, for traces of
 * debug builds and for certificates.
 */
export class PatternScan {
  readonly #certificates: Map<string, FoundCertificate> | null;
  readonly #pieceCertificates = new Map<string, FoundCertificate>();
  #certificateLooks = 0;
  #bytes = Buffer.allocUnsafe(firstBufferBytes);
  readonly #hits: Hits = new Map();
  readonly #pieceHits: Hits = new Map();
  #filled = 0;
  /** First place in the buffer where an anchor may still begin. */
  #next = 0;
  /** Offset in the piece of the first byte of the buffer. */
  #base = 0;

  /** Certificates are looked for only where someone asks for them. */
  constructor(options: { readonly certificates: boolean } = { certificates: false }) {
    this.#certificates = options.certificates ? new Map() : null;
  }

  /** Each certificate once, at the first place where it was found. */
  get certificates(): readonly FoundCertificate[] {
    return [...(this.#certificates?.values() ?? [])];
  }

  /** Whether there was more that looked like a certificate than was looked at. */
  get hasUnreadCertificates(): boolean {
    return this.#certificateLooks > mostCertificates;
  }

  push(chunk: Uint8Array): void {
    this.#makeRoom(this.#filled + chunk.length + 1);
    // Records come in pieces of 32 bytes, too small to make views of.
    if (chunk.length < bufferBytes - this.#filled) {
      this.#bytes.set(chunk, this.#filled);
      this.#filled += chunk.length;
      return;
    }
    for (let at = 0; at < chunk.length; ) {
      const part = chunk.subarray(at, at + bufferBytes - this.#filled);
      this.#bytes.set(part, this.#filled);
      this.#filled += part.length;
      at += part.length;
      if (this.#filled === bufferBytes) this.#scan(this.#filled - lookAheadBytes);
    }
  }

  #makeRoom(sizeBytes: number): void {
    if (sizeBytes <= this.#bytes.length || this.#bytes.length === bufferBytes) return;
    const grown = Buffer.allocUnsafe(
      Math.min(bufferBytes, Math.max(sizeBytes, 2 * this.#bytes.length)),
    );
    this.#bytes.copy(grown, 0, 0, this.#filled);
    this.#bytes = grown;
  }

  /** Ends one piece of content (the file, or the named member of an archive). */
  endPiece(member?: string): void {
    this.#scan(this.#filled);
    for (const [rule, { kept, count }] of this.#pieceHits) {
      for (const hit of kept) keep(this.#hits, rule, { ...hit, member });
      const entry = this.#hits.get(rule);
      if (entry !== undefined) entry.count += count - kept.length;
    }
    this.#pieceHits.clear();
    for (const [fingerprint, certificate] of this.#pieceCertificates) {
      if (!this.#certificates?.has(fingerprint))
        this.#certificates?.set(fingerprint, { ...certificate, member });
    }
    this.#pieceCertificates.clear();
    this.#filled = 0;
    this.#next = 0;
    this.#base = 0;
  }

  /** Tells what was found; offsets are those in the member, where there is one. */
  tell(report: Report): void {
    for (const [rule, { kept, count }] of this.#hits) {
      for (const [index, { offset, member, found }] of kept.entries()) {
        const where = member === undefined ? '' : `"${member}": `;
        const more = index === kept.length - 1 ? count - kept.length : 0;
        const detail = `${where}offset ${offset}: ${found}${more > 0 ? ` (and ${more} more)` : ''}`;
        report(rule, detail, { offset, found, ...(member === undefined ? {} : { member }) });
      }
    }
  }

  /** Looks at every anchor that begins before `limit`, then keeps what later bytes may need. */
  #scan(limit: number): void {
    const bytes = this.#bytes;
    const end = this.#filled;
    const last = Math.min(end, limit + anchorBytes - 1);
    let at = this.#next + anchorBytes - 1;
    while (at < last) {
      const move = moves[((bytes[at - 1] as number) << 8) | (bytes[at] as number)] as number;
      if (move > 0) {
        at += move;
        continue;
      }
      if (begins[((bytes[at - 3] as number) << 8) | (bytes[at - 2] as number)] === 1) {
        const matchEnd = this.#look(at - 3, end);
        at = Math.max(at, matchEnd + anchorBytes - 2);
      }
      at += 1;
    }
    const next = at - (anchorBytes - 1);
    const dropped = Math.min(Math.max(0, next - lookBehindBytes), end);
    bytes.copyWithin(0, dropped, end);
    this.#next = next - dropped;
    this.#filled = end - dropped;
    this.#base += dropped;
  }

  /** First byte after what is found around the anchor, or 0 when there is none. */
  #look(at: number, end: number): number {
    const anchor = this.#bytes.readUInt32BE(at);
    const match = matchers.get(anchor)?.(this.#bytes, at, end) ?? null;
    if (match === null) return this.#lookForCertificate(anchor, at, end);
    const { rule, found, start } = match;
    keep(this.#pieceHits, rule, { found, offset: this.#base + start, member: undefined });
    return match.end;
  }

  #lookForCertificate(anchor: number, at: number, end: number): number {
    if (this.#certificates === null) return 0;
    const match = certificateMatchers.get(anchor)?.(this.#bytes, at, end) ?? null;
    if (match === null) return 0;
    this.#certificateLooks += 1;
    const isLooked = this.#certificateLooks <= mostCertificates;
    const certificate = isLooked ? readCertificate(match.der) : null;
    if (certificate === null) return 0;
    const { subject, notAfter, fingerprint } = certificate;
    if (!this.#pieceCertificates.has(fingerprint)) {
      const offset = this.#base + match.start;
      this.#pieceCertificates.set(fingerprint, { subject, notAfter, offset, member: undefined });
    }
    return match.end;
  }
}
