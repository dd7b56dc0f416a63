import { expect, test } from 'vitest';
import type { InspectReport } from '../../shared/domain/finding.ts';
import {
  applyWaivers,
  isByAnother,
  unwaivableReason,
  waiverDraftSchema,
  waiversInForce,
} from '../../shared/domain/waiver.ts';
import { findingOf, waiverOf } from '../support/findings.ts';
import { hash } from '../support/records.ts';

const report = (sha256: string, name = 'sensor.bin'): InspectReport => ({
  verdict: 'block',
  files: [
    {
      name,
      sizeBytes: 1,
      sha256,
      format: 'unknown',
      findings: [
        findingOf('file.hash'),
        findingOf('identity.version-not-found'),
        findingOf('secret.private-key'),
        findingOf('file.empty'),
      ],
    },
  ],
});
const findingsOf = ({ files }: InspectReport) =>
  Object.fromEntries((files[0]?.findings ?? []).map((finding) => [finding.rule, finding]));

test('a waived finding keeps its verdict, shows who and why, and has no weight', () => {
  const waivers = [waiverOf('secret.private-key'), waiverOf('identity.version-not-found')];
  const [file] = report(hash('a')).files;
  const waivable = { ...file!, findings: file!.findings.slice(0, 3) };
  const judged = applyWaivers({ verdict: 'block', files: [waivable] }, waivers);
  expect(judged.verdict).toBe('pass');
  expect(findingsOf(judged)['secret.private-key']).toMatchObject({
    verdict: 'block',
    waived: { reason: 'the image carries no text', name: 'Bea Smith' },
  });
});

test('neither what is in order nor what must hold is waived', () => {
  const judged = applyWaivers(report(hash('a')), [waiverOf('file.empty'), waiverOf('file.hash')]);
  expect(judged).toEqual(report(hash('a')));
  expect(unwaivableReason('file.empty')).toMatch(/unusable or unsafe/);
  expect(unwaivableReason('file.hash')).toMatch(/in order/);
  expect(unwaivableReason('no.such')).toMatch(/no rule/);
  expect(unwaivableReason('file.opaque')).toBeNull();
});

test('one changed byte makes a waiver void, and that is told', () => {
  const judged = applyWaivers(report(hash('f')), [waiverOf('secret.private-key')]);
  expect(judged.verdict).toBe('block');
  const found = findingsOf(judged)['secret.private-key'];
  expect(found).toMatchObject({ voidWaiver: { sha256: hash('a'), name: 'Bea Smith' } });
  expect(found).not.toHaveProperty('waived');
});

test('a waiver for another file of the same package is no remnant of this one', () => {
  const [one] = report(hash('a')).files;
  const [other] = report(hash('f'), 'other.bin').files;
  const both: InspectReport = { verdict: 'block', files: [one!, other!] };
  const judged = applyWaivers(both, [waiverOf('secret.private-key')]);
  const found = judged.files[1]?.findings.find(({ rule }) => rule === 'secret.private-key');
  expect(found).toEqual(findingOf('secret.private-key'));
});

test('marks are taken off once the waiver is gone', () => {
  const marked = applyWaivers(report(hash('a')), [waiverOf('secret.private-key')]);
  expect(applyWaivers(marked, [])).toEqual(report(hash('a')));
});

test('a waiver is in force from when it was given to when it was taken back', () => {
  const taken = { at: '2026-01-05T00:00:00.000Z', name: 'Bea', reason: 'it was a mistake' };
  const waivers = [waiverOf('file.opaque', { removed: taken })];
  const inForce = (at?: string) => waiversInForce(waivers, 'SENSOR-1', '1.1.0', at).length;
  expect(inForce()).toBe(0);
  expect(inForce('2026-01-02T23:59:59.999Z')).toBe(0);
  expect(inForce('2026-01-03T00:00:00.000Z')).toBe(1);
  expect(inForce('2026-01-04T23:59:59.999Z')).toBe(1);
  expect(inForce('2026-01-05T00:00:00.000Z')).toBe(0);
  expect(waiversInForce([waiverOf('file.opaque')], 'SENSOR-1', '1.2.0')).toEqual([]);
  expect(waiversInForce([waiverOf('file.opaque')], 'OTHER', '1.1.0')).toEqual([]);
});

test.each([
  ['Bea Smith', 'bea  smith ', false],
  ['Zoë', 'Zoe\u0308', false],
  ['Bea Smith', 'Ann Lee', true],
  ['Bea Smith', undefined, false],
])('%s is another person than %s: %s', (name, author, expected) => {
  expect(isByAnother({ name }, author)).toBe(expected);
});

test('the waiver of another person is shown before the author’s own', () => {
  const waivers = [
    waiverOf('secret.private-key', { id: 'own', name: 'Ann Lee' }),
    waiverOf('secret.private-key', { id: 'other', name: 'Bea Smith' }),
  ];
  const waivedBy = (author: string) =>
    findingsOf(applyWaivers(report(hash('a')), waivers, author))['secret.private-key']?.waived
      ?.waiverId;
  expect(waivedBy('Ann Lee')).toBe('other');
  expect(waivedBy('Bea Smith')).toBe('own');
});

test('a reason explains something and a hash is a hash', () => {
  const { id: _id, at: _at, removed: _removed, ...draft } = waiverOf('file.opaque');
  expect(waiverDraftSchema.safeParse(draft).success).toBe(true);
  const bad = [
    { reason: 'ok' },
    { reason: '          ' },
    { name: ' ' },
    { sha256: 'A'.repeat(64) },
  ];
  for (const change of bad)
    expect(waiverDraftSchema.safeParse({ ...draft, ...change }).success).toBe(false);
});

test('a record with very many waivers and findings is marked in time', () => {
  const many = 30_000;
  const waivers = Array.from({ length: many }, (_, index) =>
    waiverOf('secret.private-key', { id: `${index}`, fileName: `f${index}`, sha256: `${index}` }),
  );
  const [file] = report(hash('f')).files;
  const findings = Array.from({ length: many }, () => findingOf('secret.private-key'));
  const startedMs = performance.now();
  const judged = applyWaivers({ verdict: 'block', files: [{ ...file!, findings }] }, waivers);
  expect(performance.now() - startedMs).toBeLessThan(5000);
  expect(judged.files[0]?.findings.every(({ voidWaiver }) => voidWaiver?.waiverId === '0')).toBe(
    true,
  );
});
