import { VersionScan } from './content-scan.ts';
import type { FindingList } from './finding-list.ts';
import { SecretScan } from './secret-scan.ts';

/** Searches content for the declared version and for secrets while it is read. */
export class TextSearch {
  readonly #secrets = new SecretScan();
  readonly #version: VersionScan | undefined;

  /** Without a version, only secrets are searched. */
  constructor(version: string | undefined) {
    this.#version = version === undefined ? undefined : new VersionScan(version);
  }

  readonly push = (bytes: Uint8Array): void => {
    this.#version?.push(bytes);
    this.#secrets.push(bytes);
  };

  /** Ends one piece of content; a text that spans two pieces is none. */
  readonly endPiece = (member?: string): void => {
    this.#version?.endPiece();
    this.#secrets.endPiece(member);
  };

  /** Tells the secrets; answers where the version stands, null when nowhere, undefined when it was not searched. */
  finish(findings: FindingList): number | null | undefined {
    this.endPiece();
    this.#secrets.tell(findings.add);
    return this.#version?.hit;
  }
}
