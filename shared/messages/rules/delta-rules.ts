import type { Finding } from '../../domain/finding.ts';
import { type BundleRule, block, pass, unchecked, warn } from './rule.ts';

/** Rules about delta packages. */
const deltaRules = {
  'delta.proven': pass('The delta rebuilds its target'),
  'delta.device': block(
    'The device cannot apply the delta',
    'Publish the full package, or correct what slipway.yaml says under delta:.',
  ),
  'delta.not-proven': block(
    'The delta does not rebuild its target',
    'Get the delta between exactly these two versions, or publish the full package.',
  ),
  'delta.saving': warn(
    'The delta saves too little',
    'Publish the full package: it needs no particular version on the device.',
  ),
  'delta.foreign': unchecked(
    'The vendor’s delta could not be checked',
    'Try it on a device with exactly the source version before it is published.',
  ),
} as const satisfies Record<string, BundleRule>;

/** A finding of one of these rules. */
export function deltaFinding(
  rule: keyof typeof deltaRules,
  detail: string,
  evidence: Finding['evidence'] = {},
): Finding {
  const { verdict, title, fix, waivable } = deltaRules[rule];
  return { rule, verdict, title, detail, fix, waivable, evidence };
}
