import type { BundleRuleId } from '../../../shared/messages/bundle-rules.ts';

/** Bytes before and after an anchor that a matcher may look at. */
export const lookBehindBytes = 128;
export const lookAheadBytes = 20 * 1024;

/** What was found at an anchor, described without any value that is secret. */
export interface PatternMatch {
  readonly rule: BundleRuleId;
  /** Redacted excerpt. */
  readonly found: string;
  readonly start: number;
  /** First byte after it. */
  readonly end: number;
}

/** Tells what begins around an anchor at `at`, looking at nothing beyond `end`. */
export type Matcher = (bytes: Buffer, at: number, end: number) => PatternMatch | null;
