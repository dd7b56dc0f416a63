import { type BundleRule, pass } from './rule.ts';

/** The rule that every container and image shares. */
export const containerRules = {
  'container.integrity': pass('Container is whole'),
} as const satisfies Record<string, BundleRule>;
