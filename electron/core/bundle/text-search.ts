import type { FoundCertificate } from '../../../shared/domain/identity/examined-file.ts';
import { type TextHit, TextScan } from './content-scan.ts';
import type { FindingList } from './finding-list.ts';
import { PatternScan } from './pattern-scan.ts';

/** What was found in content that was searched. */
export interface SearchResult {
  /** Each text with its first place, or null when it is nowhere; none of what could not be searched. */
  readonly texts: ReadonlyMap<string, TextHit | null>;
  readonly certificates: readonly FoundCertificate[];
}

/** Searches content for texts, such as the declared version, and for secrets, certificates and debug traces while it is read. */
export class TextSearch {
  readonly #patterns: PatternScan;
  readonly #texts: ReadonlyMap<string, TextScan>;

  /** Without texts, only patterns are searched. */
  constructor(texts: Iterable<string>, options: { readonly certificates: boolean }) {
    this.#patterns = new PatternScan(options);
    this.#texts = new Map(Array.from(texts, (text) => [text, new TextScan(text)]));
  }

  readonly push = (bytes: Uint8Array): void => {
    for (const scan of this.#texts.values()) scan.push(bytes);
    this.#patterns.push(bytes);
  };

  /** Takes content in which no version can be found. */
  readonly pushCompressed = (bytes: Uint8Array): void => this.#patterns.push(bytes);

  /** Ends one piece of content; a text that spans two pieces is none. */
  readonly endPiece = (member?: string): void => {
    for (const scan of this.#texts.values()) scan.endPiece(member);
    this.#patterns.endPiece(member);
  };

  /** Tells what the patterns found; answers what else was found. */
  finish(findings: FindingList): SearchResult {
    this.#patterns.tell(findings.add);
    if (this.#patterns.hasUnreadCertificates) {
      const detail = 'more than 2000 places look like a certificate';
      findings.add('identity.certificates-unread', detail);
    }
    return {
      texts: new Map(Array.from(this.#texts, ([text, scan]) => [text, scan.hit])),
      certificates: this.#patterns.certificates,
    };
  }
}
