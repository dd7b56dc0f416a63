import type { Evidence } from '../../../shared/formats/report.ts';
import type { TextHit } from './content-scan.ts';
import type { FindingList } from './finding-list.ts';

/** The version that an image's own descriptor carries. */
export interface DescribedVersion {
  /** What carries which version, as a sentence. */
  readonly detail: string;
  readonly evidence: Evidence;
  /** `unclear` when it is no numbered version or a longer text around the declared one. */
  readonly relation: 'same' | 'other' | 'unclear';
}

/** Whether the declared version was searched for and found. */
export type VersionSearch = 'found' | 'not-found' | 'not-searched';

/** What is known about the version of a file. */
interface VersionEvidence {
  /** Version that the image's own descriptor carries. */
  readonly described: DescribedVersion | undefined;
  /** Those of images in an archive, each with its path. */
  readonly inMembers: readonly DescribedVersion[];
  /** Where the text was found, null when nowhere, undefined when it was not searched. */
  readonly hit: TextHit | null | undefined;
}

/**
 * Tells whether the content is of the declared version: the image's own descriptor decides; where
 * it has none or is unclear, the text of the content. An archive may hold images of other versions
 * besides the one that was declared.
 */
export function checkVersion(
  declared: string,
  { described, inMembers, hit }: VersionEvidence,
  findings: FindingList,
): VersionSearch {
  const same = [described, ...inMembers].find((version) => version?.relation === 'same');
  if (same !== undefined) {
    findings.add('identity.version-found', same.detail, same.evidence);
    return 'found';
  }
  const inMember = inMembers.find(({ relation }) => relation === 'other');
  const other = described?.relation === 'other' ? described : hit ? undefined : inMember;
  if (other !== undefined) {
    findings.add('identity.version-differs', other.detail, other.evidence);
    // The mismatch is told: a second finding that nothing was found would only repeat it.
    return 'not-searched';
  }
  if (hit === undefined) return 'not-searched';
  if (hit === null) return 'not-found';
  const where = hit.member === undefined ? 'the content' : `"${hit.member}"`;
  findings.add('identity.version-found', `"${declared}" is in ${where}`, { ...hit });
  return 'found';
}
