import type { Evidence } from '../../../shared/formats/report.ts';
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

/** Whether a version text is a numbered version at all: a bare "1" is a build system's default. */
const numbered = /\d+\.\d+/;

/** Compares the declared version with the one of the image's own descriptor. */
export function compareVersions(declared: string, described: string): DescribedVersion['relation'] {
  const plain = described.replace(/^[vV](?=\d)/, '');
  if (plain === declared.replace(/^[vV](?=\d)/, '')) return 'same';
  return !numbered.test(described) || containsVersion(described, declared) ? 'unclear' : 'other';
}

function containsVersion(text: string, version: string): boolean {
  for (let at = text.indexOf(version); at >= 0; at = text.indexOf(version, at + 1)) {
    const before = text.slice(0, at);
    const after = text.slice(at + version.length);
    if (!/[\d.]$/.test(before) && !/^(\d|\.\d)/.test(after)) return true;
  }
  return false;
}

/**
 * Tells whether the content is of the declared version: the image's own descriptor decides; where
 * it has none or is unclear, the text of the content. `hit` is where the text was found, null when
 * nowhere, undefined when it was not searched.
 */
export function checkVersion(
  declared: string,
  described: DescribedVersion | undefined,
  hit: number | null | undefined,
  findings: FindingList,
): VersionSearch {
  if (described?.relation === 'same') {
    findings.add('identity.version-found', described.detail, described.evidence);
    return 'found';
  }
  if (described?.relation === 'other') {
    findings.add('identity.version-differs', described.detail, described.evidence);
    // The mismatch is told: a second finding that nothing was found would only repeat it.
    return 'not-searched';
  }
  if (hit === undefined) return 'not-searched';
  if (hit === null) return 'not-found';
  findings.add('identity.version-found', `"${declared}" is in the content`, { offset: hit });
  return 'found';
}
