import { expect, test } from 'vitest';
import type { Finding, InspectReport } from '../../shared/domain/finding.ts';
import { applyPolicy, type FindingPolicy, policyFaults } from '../../shared/domain/policy.ts';
import { applyWaivers } from '../../shared/domain/waiver.ts';
import { type BundleRuleId, bundleRules } from '../../shared/messages/bundle-rules.ts';
import { findingOf, waiverOf } from '../support/findings.ts';

const reportWith = (...findings: Finding[]): InspectReport => ({
  verdict: 'pass',
  files: [{ name: 'a.bin', sizeBytes: 1, sha256: 'a'.repeat(64), format: 'unknown', findings }],
});

/** Verdict of a rule under a policy. */
function under(policy: FindingPolicy, rule: BundleRuleId): string | undefined {
  return applyPolicy(reportWith(findingOf(rule)), policy).files[0]?.findings[0]?.verdict;
}

test('the closest key decides: the rule, then the longest prefix, then the layer', () => {
  const policy: FindingPolicy = {
    'hygiene.*': 'block',
    'secret.*': 'warn',
    'secret.wifi': 'allow',
  };
  expect(under(policy, 'elf.symbols')).toBe('block');
  expect(under(policy, 'secret.token')).toBe('warn');
  expect(under(policy, 'secret.private-key')).toBe('warn');
  expect(under(policy, 'secret.wifi')).toBe('pass');
  expect(under(policy, 'zip.no-members')).toBe('warn');
});

test('a layer is named by what it is about, not by how its rules begin', () => {
  expect(under({ 'image.*': 'block' }, 'image.dirty-build')).toBe('warn');
  expect(under({ 'image.*': 'block' }, 'esp.chip-unknown')).toBe('block');
});

test('a finding shows what the rule says by itself and what the policy made of it', () => {
  const { verdict, files } = applyPolicy(reportWith(findingOf('file.opaque')), {
    'file.*': 'block',
  });
  expect(verdict).toBe('block');
  expect(files[0]?.findings[0]).toMatchObject({
    verdict: 'block',
    policy: { own: 'could-not-check', set: 'block', pattern: 'file.*' },
  });
});

test('what is in order has no severity to set', () => {
  expect(under({ 'container.*': 'block' }, 'file.hash')).toBe('pass');
  expect(policyFaults({ 'file.hash': 'block' })).toMatchObject([
    { key: 'file.hash', why: expect.stringContaining('in order') as string },
  ]);
});

test('a newer policy starts from the rule, not from what an older one made of it', () => {
  const once = applyPolicy(reportWith(findingOf('secret.wifi')), { 'secret.wifi': 'block' });
  const again = applyPolicy(once, { 'secret.*': 'allow' });
  expect(again.files[0]?.findings[0]).toMatchObject({ verdict: 'pass', policy: { own: 'warn' } });
  const without = applyPolicy(again, {});
  expect(without.files[0]?.findings[0]).toEqual(findingOf('secret.wifi'));
  expect(without.verdict).toBe('warn');
});

test.each([
  ['a rule that does not exist', { 'secret.wlan': 'warn' }, /no rule has this id.*secret\.wifi/],
  ['a prefix of nothing', { 'sekret.*': 'warn' }, /container\.\*/],
  ['lowering an empty file', { 'file.empty': 'warn' }, /file\.empty cannot be lowered to "warn"/],
  ['allowing an archive bomb', { 'zip.bomb': 'allow' }, /zip\.bomb cannot be lowered/],
  ['lowering a size', { 'file.too-large': 'warn' }, /cannot be lowered/],
  ['lowering damage by a prefix', { 'tar.*': 'warn' }, /tar\.damaged, .* cannot be lowered/],
  ['lowering a whole layer', { 'container.*': 'allow' }, /and \d+ more cannot be lowered/],
  ['allowing what was not checked', { 'file.opaque': 'allow' }, /never a pass/],
  ['allowing it by a prefix', { 'uimage.rest': 'allow' }, /never a pass/],
] as const)('%s is refused with the reason', (_what, policy, why) => {
  expect(policyFaults(policy)).toMatchObject([
    { key: Object.keys(policy)[0], why: expect.stringMatching(why) as string },
  ]);
});

test('a pattern may lower the rest once its firm rules are named themselves', () => {
  const policy: FindingPolicy = {
    'file.*': 'warn',
    'file.empty': 'block',
    'file.too-large': 'block',
    'file.type-not-allowed': 'block',
    'file.all-ff': 'block',
    'file.all-00': 'block',
  };
  expect(policyFaults(policy)).toEqual([]);
  expect(under(policy, 'file.type-mismatch')).toBe('warn');
  expect(under(policy, 'file.empty')).toBe('block');
});

test('every rule can be raised, and no rule that must hold can be lowered', () => {
  for (const [rule, { verdict, waivable }] of Object.entries(bundleRules)) {
    if (verdict === 'pass') continue;
    expect(policyFaults({ [rule]: 'block' }), rule).toEqual([]);
    const faults = policyFaults({ [rule]: 'allow' });
    const mayBeLowered = waivable && verdict !== 'could-not-check';
    expect(faults.length, rule).toBe(mayBeLowered ? 0 : 1);
  }
});

test('a record of another origin that lowers a firm rule is not obeyed', () => {
  expect(under({ 'file.empty': 'allow' }, 'file.empty')).toBe('block');
  expect(under({ 'file.opaque': 'allow' }, 'file.opaque')).toBe('could-not-check');
});

test('what could not be checked stays unchecked, whatever policy and waiver make of it', () => {
  for (const policy of [{}, { 'file.opaque': 'warn' }, { 'file.opaque': 'block' }] as const) {
    const judged = applyPolicy(reportWith(findingOf('file.opaque')), policy);
    const waived = applyWaivers(judged, [waiverOf('file.opaque')]);
    expect(waived.verdict).toBe('could-not-check');
  }
});
