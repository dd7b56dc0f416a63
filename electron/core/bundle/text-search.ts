import type { ContentEntropy } from '../../../shared/domain/finding.ts';
import { BlankScan } from './blank-scan.ts';
import { VersionScan } from './content-scan.ts';
import { EntropyScan } from './entropy-scan.ts';
import type { FindingList } from './finding-list.ts';
import { PatternScan } from './pattern-scan.ts';

/** Records come in pieces of some 32 bytes: each scan would spend more on the call than on them. */
const smallBytes = 4096;
const jointBytes = 64 * 1024;

/** What the search for texts and the measures of content found out besides findings. */
interface SearchResult {
  /** Where the version stands, null when nowhere, undefined when it was not searched. */
  readonly versionAt: number | null | undefined;
  readonly entropy: ContentEntropy | null;
}

/**
 * Searches content for the declared version, secrets and traces of debug builds while it is read,
 * and measures its padding, holes and entropy.
 */
export class TextSearch {
  readonly #patterns = new PatternScan();
  readonly #blank = new BlankScan();
  readonly #entropy = new EntropyScan();
  readonly #version: VersionScan | undefined;
  readonly #joint = new Uint8Array(jointBytes);
  #joined = 0;

  /** Without a version, none is searched. */
  constructor(version: string | undefined) {
    this.#version = version === undefined ? undefined : new VersionScan(version);
  }

  readonly push = (bytes: Uint8Array): void => {
    if (bytes.length >= smallBytes) {
      this.#flush();
      return this.#scan(bytes);
    }
    if (this.#joined + bytes.length > jointBytes) this.#flush();
    this.#joint.set(bytes, this.#joined);
    this.#joined += bytes.length;
  };

  /** Ends one piece of content; a text that spans two pieces is none. */
  readonly endPiece = (member?: string): void => {
    this.#flush();
    this.#version?.endPiece();
    this.#patterns.endPiece(member);
    this.#blank.endPiece(member);
    this.#entropy.endPiece(member);
  };

  /** Ends the content and tells what was found; padding only where it is a part of the image. */
  finish(findings: FindingList, tellsPadding: boolean): SearchResult {
    this.endPiece();
    this.#patterns.tell(findings.add);
    if (tellsPadding) this.#blank.tell(findings.add);
    return { versionAt: this.#version?.hit, entropy: this.#entropy.measured };
  }

  #flush(): void {
    if (this.#joined > 0) this.#scan(this.#joint.subarray(0, this.#joined));
    this.#joined = 0;
  }

  #scan(bytes: Uint8Array): void {
    this.#version?.push(bytes);
    this.#patterns.push(bytes);
    this.#blank.push(bytes);
    this.#entropy.push(bytes);
  }
}
