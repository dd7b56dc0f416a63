import type { Finding } from '../../shared/domain/finding.ts';
import type { Waiver } from '../../shared/domain/waiver.ts';
import { type BundleRuleId, bundleRules } from '../../shared/messages/bundle-rules.ts';
import { hash } from './records.ts';

/** A finding of a rule as the rule tells it by itself. */
export function findingOf(rule: BundleRuleId): Finding {
  return { rule, ...bundleRules[rule], detail: 'here', evidence: {} };
}

/** A waiver of a rule for the image of `fullPackage`, changed as a test needs it. */
export function waiverOf(rule: string, changes: Partial<Waiver> = {}): Waiver {
  return {
    id: `waiver-${rule}`,
    productId: 'SENSOR-1',
    version: '1.1.0',
    sha256: hash('a'),
    fileName: 'sensor.bin',
    rule,
    reason: 'the image carries no text',
    name: 'Bea Smith',
    at: '2026-01-03T00:00:00.000Z',
    removed: null,
    ...changes,
  };
}
