import type { Verdict } from '../../domain/finding.ts';

/** What the user reads about a rule; where and what exactly stands in the finding's own detail. */
export interface BundleRule {
  readonly verdict: Verdict;
  readonly title: string;
  readonly fix: string;
  readonly waivable: boolean;
}

/** A rule that stops the release. */
export const block = (title: string, fix: string, waivable = false): BundleRule => ({
  verdict: 'block',
  title,
  fix,
  waivable,
});
/** A rule that a person must look at. */
export const warn = (title: string, fix: string): BundleRule => ({
  verdict: 'warn',
  title,
  fix,
  waivable: true,
});
/** A rule that tells what was found in order. */
export const pass = (title: string): BundleRule => ({
  verdict: 'pass',
  title,
  fix: '',
  waivable: false,
});
/** A rule that tells what could not be checked: never a pass. */
export const unchecked = (title: string, fix: string): BundleRule => ({
  verdict: 'could-not-check',
  title,
  fix,
  waivable: true,
});

/** What to do about an image that its own reader refuses. */
export const rebuildImage = 'Export the image again from the build and do not edit it by hand.';
/** What to do about a broken archive. */
export const repack = 'Make the archive again with a current tool and check it on your machine.';
/** What to do about a vendor's package that its own reader refuses. */
export const rebuildPackage = 'Make the package again with the tool of its maker.';
/** What to do about a damaged or cut file. */
export const copyAgain =
  'Copy or download the file again; compare its SHA-256 with the one at its origin.';

/** What to do about an image whose signing went wrong. */
export const signAgain = 'Sign the image again with imgtool, and do not edit it afterwards.';
/** What to do about a secret in a file. */
export const revoke = 'Take it out of the build and revoke it: who has the file can use it.';
