import type { FoundCertificate } from '../../../shared/domain/identity/examined-file.ts';
import { type TextHit, TextScan } from './content-scan.ts';
import type { FindingList } from './finding-list.ts';
import { SecretScan } from './secret-scan.ts';

/** What was found in content that was searched. */
export interface SearchResult {
  /** Each text with its first place, or null when it is nowhere; none of what could not be searched. */
  readonly texts: ReadonlyMap<string, TextHit | null>;
  readonly certificates: readonly FoundCertificate[];
}

/** Searches content for texts, such as the declared version, and for secrets while it is read. */
export class TextSearch {
  readonly #secrets: SecretScan;
  readonly #texts: ReadonlyMap<string, TextScan>;

  /** Without texts, only secrets are searched. */
  constructor(texts: Iterable<string>, options: { readonly certificates: boolean }) {
    this.#secrets = new SecretScan(options);
    this.#texts = new Map(Array.from(texts, (text) => [text, new TextScan(text)]));
  }

  readonly push = (bytes: Uint8Array): void => {
    for (const scan of this.#texts.values()) scan.push(bytes);
    this.#secrets.push(bytes);
  };

  /** Takes content in which no version can be found. */
  readonly pushCompressed = (bytes: Uint8Array): void => this.#secrets.push(bytes);

  /** Ends one piece of content; a text that spans two pieces is none. */
  readonly endPiece = (member?: string): void => {
    for (const scan of this.#texts.values()) scan.endPiece(member);
    this.#secrets.endPiece(member);
  };

  /** Tells the secrets; answers what else was found. */
  finish(findings: FindingList): SearchResult {
    this.#secrets.tell(findings.add);
    if (this.#secrets.hasUnreadCertificates) {
      const detail = 'more than 2000 places look like a certificate';
      findings.add('identity.certificates-unread', detail);
    }
    return {
      texts: new Map(Array.from(this.#texts, ([text, scan]) => [text, scan.hit])),
      certificates: this.#secrets.certificates,
    };
  }
}
