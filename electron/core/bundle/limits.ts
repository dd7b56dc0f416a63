import type { Report } from '../../../shared/formats/report.ts';

const freeUnpackedBytes = 1024 * 1024;
const mostUnpackedBytes = 1024 * 1024 * 1024;
const highestRatio = 200;
const mostMembers = 100_000;
const longestMs = 120_000;
/** So many archives may stand in each other; a .tar.gz counts as two. */
const deepestNesting = 5;

/** Whether content that unpacks to `unpackedBytes` from `packedBytes` is beyond any honest archive. */
export function isBomb(unpackedBytes: number, packedBytes: number): boolean {
  return (
    unpackedBytes > mostUnpackedBytes ||
    (unpackedBytes > freeUnpackedBytes && unpackedBytes > packedBytes * highestRatio)
  );
}

/** Ends the inspection of a file; the finding is told. */
export class InspectionEnd extends Error {}

/** What the archives of one file, those inside each other included, may cost together. */
export class Budget {
  readonly #report: Report;
  readonly #endsAtMs = performance.now() + longestMs;
  #unpackedBytes = 0;
  #members = 0;

  /** The report gets the finding about a limit that is reached. */
  constructor(report: Report) {
    this.#report = report;
  }

  /** @throws InspectionEnd */
  countMember(): void {
    this.#members += 1;
    if (this.#members > mostMembers) this.#end(`over ${mostMembers} members`);
    this.#checkTime();
  }

  /** @throws InspectionEnd */
  countUnpacked(sizeBytes: number): void {
    this.#unpackedBytes += sizeBytes;
    if (this.#unpackedBytes > mostUnpackedBytes) {
      this.#end(`over ${mostUnpackedBytes} bytes unpacked`);
    }
    this.#checkTime();
  }

  /** Whether an archive that stands in `depth` others is too deep to be opened. */
  isTooDeep(depth: number): boolean {
    return depth >= deepestNesting;
  }

  #checkTime(): void {
    if (performance.now() > this.#endsAtMs) this.#end(`over ${longestMs / 1000} seconds`);
  }

  #end(what: string): never {
    this.#report('archive.limit', `${what}: the rest was not inspected`);
    throw new InspectionEnd();
  }
}
