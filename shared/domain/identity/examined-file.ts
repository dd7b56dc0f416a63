import type { Report } from '../../formats/report.ts';
import type { ContentEntropy } from '../finding.ts';
import type { ImageIdentity } from '../image-identity.ts';
import type { Component, Product } from '../product.ts';
import type { ReleaseHistory, ReleasedPackage } from '../release-history.ts';
import { fullPackages } from '../release-history.ts';

/** A certificate that lies in a file. Moments are ISO 8601. */
export interface FoundCertificate {
  readonly subject: string;
  readonly notAfter: string;
  readonly offset: number;
  readonly member: string | undefined;
}

/** Where a text stands: in the file, or in a member of it. */
export interface TextPlace {
  readonly offset: number;
  readonly member?: string;
}

/** A file as the identity rules see it: what it is, what was found inside, and where to tell. */
export interface ExaminedFile {
  readonly name: string;
  readonly sha256: string;
  readonly sizeBytes: number;
  /** Its first bytes in hex. */
  readonly head: string | undefined;
  readonly entropy: ContentEntropy | undefined;
  /** Of the image that says the rest, which may be the only one in an archive. */
  readonly format: string;
  readonly identity: ImageIdentity | undefined;
  readonly certificates: readonly FoundCertificate[];
  /** Searched text to its first place, or null; absent when it may stand where nothing can be searched. */
  readonly texts: ReadonlyMap<string, TextPlace | null>;
  readonly report: Report;
}

/** A text that only builds of another component contain. */
export interface ForeignText {
  readonly text: string;
  /** Product and component whose text it is. */
  readonly owner: string;
}

/** What files are compared with: the description, the records and today. */
export interface IdentityContext {
  readonly product: Product;
  readonly component: Component;
  /** Version that the files are to be released as. */
  readonly version: string | undefined;
  /** Packages of the product that were recorded before. */
  readonly history: ReleaseHistory;
  readonly foreignTexts: readonly ForeignText[];
  /** Moment of the check, ISO 8601. */
  readonly now: string;
}

/** Texts that must be searched in the content for the rules to compare. */
export function searchedTexts(context: IdentityContext | undefined): readonly string[] {
  if (context === undefined) return [];
  const own = context.component.productTexts ?? [];
  const last = context.version === undefined ? undefined : earlierPackages(context).at(-1);
  return [
    ...own,
    ...(own.length > 0 ? context.foreignTexts.map(({ text }) => text) : []),
    ...(last === undefined ? [] : [last.version]),
  ];
}

/** Full packages of the component under other versions than the declared one, oldest first. */
export function earlierPackages({
  history,
  component,
  version,
}: IdentityContext): readonly ReleasedPackage[] {
  return fullPackages(history, component.id).filter((pkg) => pkg.version !== version);
}
