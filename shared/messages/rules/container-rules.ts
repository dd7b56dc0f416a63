import { type BundleRule, block, pass } from './rule.ts';

/** Rules of scripts, and the one that every container and image shares. */
export const containerRules = {
  'container.integrity': pass('Container is whole'),
  'script.not-text': block('The script is not text', 'Save it as UTF-8 text.'),
  'script.conflict': block('Merge conflict in the script', 'Resolve the conflict marked there.'),
} as const satisfies Record<string, BundleRule>;
