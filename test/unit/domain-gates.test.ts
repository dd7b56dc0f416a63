import { expect, test } from 'vitest';
import { computeGates, type GateFacts } from '../../shared/domain/gates.ts';
import type { BundleRuleId } from '../../shared/messages/bundle-rules.ts';
import { findingOf, waiverOf } from '../support/findings.ts';
import { benchRun, deltaPackage, fullPackage, hash, sensorProduct } from '../support/records.ts';

const image = hash('a');

function gate(id: string, changes: Partial<GateFacts>) {
  const facts: GateFacts = {
    product: sensorProduct(1),
    packages: [fullPackage()],
    releasePackages: [fullPackage()],
    benchRuns: [benchRun(image, true)],
    at: '2026-01-03T00:00:00.000Z',
    waivers: [],
    scope: { full: 1, delta: 0, skipped: [] },
    unknownIds: [],
    ...changes,
  };
  const found = computeGates(facts).find((candidate) => candidate.id === id);
  if (!found) throw new Error(`no gate ${id}`);
  return found;
}

test('everything in order: every gate is open', () => {
  const ids = ['findings', 'waivers', 'deltas', 'bench', 'scope', 'china-telecom'];
  for (const id of ids) expect(gate(id, {}), id).toMatchObject({ passed: true });
});

test('a blocking finding closes its gate and is named', () => {
  const finding = {
    rule: 'image.empty',
    verdict: 'block' as const,
    title: 'Empty',
    detail: '',
    fix: '',
    waivable: false,
    evidence: {},
  };
  const [file] = fullPackage().report.files;
  if (!file) throw new Error('the record has no file');
  const blocked = fullPackage({
    report: { verdict: 'block', files: [{ ...file, findings: [finding] }] },
  });
  expect(gate('findings', { packages: [blocked] })).toMatchObject({
    passed: false,
    why: 'sensor.bin: image.empty',
  });
});

/** The full package with these findings, made by Ann Lee unless told otherwise. */
function packageWith(rules: readonly BundleRuleId[], author: string | undefined = 'Ann Lee') {
  const [file] = fullPackage().report.files;
  const findings = rules.map(findingOf);
  const report = { verdict: 'block' as const, files: [{ ...file!, findings }] };
  return { packages: [fullPackage({ report, ...(author ? { author } : {}) })] };
}

test('a blocking finding that another person waived is not open; the author cannot open it', () => {
  const facts = packageWith(['secret.private-key']);
  const waived = { ...facts, waivers: [waiverOf('secret.private-key')] };
  expect(gate('findings', waived)).toMatchObject({
    passed: true,
    why: '1 version packages, 1 blocking findings waived by another person.',
  });
  expect(gate('waivers', waived)).toMatchObject({
    passed: true,
    why: 'sensor.bin: secret.private-key by Bea Smith.',
  });
  const own = { ...facts, waivers: [waiverOf('secret.private-key', { name: 'ann  LEE' })] };
  expect(gate('findings', own).passed).toBe(false);
  expect(gate('waivers', own)).toMatchObject({
    passed: false,
    why: 'sensor.bin: secret.private-key is waived by Ann Lee, the author.',
  });
});

test.each([
  ['of another version', { version: '1.0.0' }],
  ['of another product', { productId: 'SENSOR-2' }],
  ['for other bytes', { sha256: hash('f') }],
  ['of another rule', { rule: 'secret.token' }],
])('a waiver %s opens nothing', (_what, changes) => {
  const waivers = [waiverOf('secret.private-key', changes)];
  expect(gate('findings', { ...packageWith(['secret.private-key']), waivers }).passed).toBe(false);
});

test('a warning waived by the author closes the gate of waivers, and so does an unknown author', () => {
  const waivers = [waiverOf('secret.wifi', { name: 'Ann Lee' })];
  const own = { ...packageWith(['secret.wifi']), waivers };
  expect(gate('findings', own).passed).toBe(true);
  expect(gate('waivers', own).passed).toBe(false);
  const unknown = { ...packageWith(['secret.wifi'], ''), waivers };
  expect(gate('waivers', unknown)).toMatchObject({
    passed: false,
    why: expect.stringContaining('author of the package is not recorded') as string,
  });
});

test('the policy of the product decides at the gate, also over what was recorded before it', () => {
  const facts = packageWith(['secret.wifi']);
  const strict = sensorProduct(1);
  const product = {
    ...strict,
    policy: { ...strict.policy, findings: { 'secret.*': 'block' as const } },
  };
  expect(gate('findings', facts).passed).toBe(true);
  expect(gate('findings', { ...facts, product })).toMatchObject({
    passed: false,
    why: 'sensor.bin: secret.wifi',
  });
  expect(gate('findings', { ...facts, product, waivers: [waiverOf('secret.wifi')] }).passed).toBe(
    true,
  );
});

test('a plan without packages passes no findings gate', () => {
  expect(gate('findings', { packages: [] }).passed).toBe(false);
});

test('a delta counts only when it rebuilds the full image of this release', () => {
  const good = deltaPackage(image);
  const other = deltaPackage(hash('f'));
  const releasePackages = [fullPackage()];
  expect(gate('deltas', { packages: [good], releasePackages }).passed).toBe(true);
  expect(gate('deltas', { packages: [other], releasePackages })).toMatchObject({
    passed: false,
    why: expect.stringContaining('1.0.0 to 1.1.0') as string,
  });
  expect(gate('deltas', { packages: [good], releasePackages: [good] }).passed).toBe(false);
});

test('the bench policy looks at exact hashes, also when only a delta is delivered', () => {
  const onlyDelta = { packages: [deltaPackage(image)], releasePackages: [fullPackage()] };
  expect(gate('bench', { benchRuns: [] }).passed).toBe(false);
  expect(gate('bench', { benchRuns: [benchRun(image, false)] }).passed).toBe(false);
  expect(gate('bench', { benchRuns: [benchRun(hash('9'), true)] }).passed).toBe(false);
  expect(gate('bench', { ...onlyDelta, benchRuns: [] }).passed).toBe(false);
  expect(gate('bench', onlyDelta).passed).toBe(true);
  expect(gate('bench', { product: sensorProduct(2) })).toMatchObject({
    passed: false,
    why: expect.stringContaining('1 of 2') as string,
  });
  expect(gate('bench', { product: sensorProduct(0), benchRuns: [] }).passed).toBe(true);
});

test('the scope is 1 to 10,000 devices and says how to split a larger one', () => {
  expect(gate('scope', { scope: { full: 0, delta: 0, skipped: [] } }).passed).toBe(false);
  expect(gate('scope', { scope: { full: 6000, delta: 4000, skipped: [] } }).passed).toBe(true);
  expect(gate('scope', { scope: { full: 6000, delta: 4001, skipped: [] } })).toMatchObject({
    passed: false,
    why: expect.stringContaining('2 plans') as string,
  });
});

test('devices on China Telecom SIMs are named', () => {
  const skipped = [{ reason: 'chinaTelecom' as const, count: 2, devices: ['D-1', 'D-2'] }];
  expect(gate('china-telecom', { scope: { full: 1, delta: 0, skipped } }).why).toBe(
    '2 excluded: D-1, D-2.',
  );
});

test('listed ids that are no device are named: one may be a misspelled blacklist entry', () => {
  expect(gate('scope', { unknownIds: ['D-l'] })).toMatchObject({
    passed: true,
    why: expect.stringContaining('D-l') as string,
  });
});
