import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import Ajv from 'ajv-draft-04';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Finding, InspectReport } from '../../shared/domain/finding.ts';
import { reportOf } from '../../shared/domain/verdict.ts';
import { sarifReport } from '../../shared/report/sarif-report.ts';

const schemaPath = createRequire(import.meta.url).resolve(
  '@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json',
);
// The official schema is written for older validators: its patterns are not of Unicode.
const ajv = new Ajv({ strict: false, unicodeRegExp: false, allErrors: true });
addFormats(ajv);
const isSarif = ajv.compile(JSON.parse(readFileSync(schemaPath, 'utf8')) as object);

const sha256 = 'ab'.repeat(32);
const subject = { title: 'SENSOR-1 STM32 1.1.0', toolVersion: '0.1.0', at: '2026-01-02T03:04:05Z' };
const finding = (rule: string, changes: Partial<Finding> = {}): Finding => ({
  rule,
  verdict: 'block',
  title: `Title of ${rule}`,
  detail: 'where and what',
  fix: 'Do this.',
  waivable: true,
  evidence: {},
  ...changes,
});
const reportWith = (...findings: Finding[]): InspectReport =>
  reportOf([{ name: 'app.bin', sizeBytes: 7, sha256, format: 'unknown', findings }]);

function runOf(report: InspectReport) {
  // What a CI system reads is the text.
  const log = JSON.parse(JSON.stringify(sarifReport(report, subject))) as ReturnType<
    typeof sarifReport
  >;
  isSarif(log);
  expect(isSarif.errors ?? []).toEqual([]);
  return log.runs[0];
}

test('each verdict has its level, and what passed is left out', () => {
  const run = runOf(
    reportWith(
      finding('zip.crc'),
      finding('image.dirty-build', { verdict: 'warn' }),
      finding('file.opaque', { verdict: 'could-not-check' }),
      finding('file.hash', { verdict: 'pass' }),
    ),
  );
  expect(run.results.map(({ ruleId, level }) => `${ruleId} ${level}`)).toEqual([
    'zip.crc error',
    'image.dirty-build warning',
    'file.opaque note',
  ]);
  expect(run.properties.verdict).toBe('block');
  expect(run.results[0]?.suppressions).toEqual([]);
});

test('rules carry layer, help and severity, once for all their results', () => {
  const twice = [finding('zip.crc', { detail: 'one' }), finding('zip.crc', { detail: 'two' })];
  const run = runOf(reportWith(...twice, finding('secret.token', { verdict: 'warn', fix: '' })));
  const { rules } = run.tool.driver;
  expect(rules.map(({ id, properties }) => `${id} ${properties.layer}`)).toEqual([
    'zip.crc container',
    'secret.token hygiene',
  ]);
  expect(rules[0]).toMatchObject({
    help: { text: 'Do this.' },
    defaultConfiguration: { level: 'error' },
  });
  expect(rules[1]?.help.text).toBe('Title of secret.token');
  expect(run.results.map(({ ruleIndex }) => ruleIndex)).toEqual([0, 0, 1]);
  for (const { ruleId, ruleIndex } of run.results) expect(rules[ruleIndex]?.id).toBe(ruleId);
});

test('a place in the file is a byte offset, a place in a member names the member', () => {
  const run = runOf(
    reportWith(
      finding('zip.crc', { evidence: { offset: 4096 } }),
      finding('secret.token', { evidence: { offset: 12, member: 'etc/conf', found: 'ghp_…' } }),
    ),
  );
  expect(run.results[0]?.locations).toEqual([
    {
      physicalLocation: {
        artifactLocation: { uri: 'app.bin', index: 0 },
        region: { byteOffset: 4096 },
      },
    },
  ]);
  expect(run.results[1]?.locations).toEqual([
    {
      physicalLocation: { artifactLocation: { uri: 'app.bin', index: 0 } },
      logicalLocations: [{ fullyQualifiedName: 'etc/conf', kind: 'member' }],
    },
  ]);
  expect(run.results[1]?.properties).toMatchObject({ memberOffset: 12, found: 'ghp_…' });
});

test('one fingerprint is bound to the bytes, the other outlives them', () => {
  const findings = [finding('zip.crc'), finding('zip.crc'), finding('tar.damaged')];
  const first = runOf(reportWith(...findings)).results;
  const next = runOf(
    reportOf([{ ...reportWith(...findings).files[0]!, sha256: 'cd'.repeat(32) }]),
  ).results;
  const prints = (results: typeof first) => results.map((result) => result.fingerprints);
  const partial = (results: typeof first) => results.map((result) => result.partialFingerprints);
  expect(new Set(partial(first).map((print) => JSON.stringify(print))).size).toBe(3);
  expect(partial(next)).toEqual(partial(first));
  for (const [index, print] of prints(first).entries())
    expect(prints(next)[index]).not.toEqual(print);
});

test('waivers and allowed findings are suppressions with their reasons; a void waiver is none', () => {
  const who = { waiverId: 'w', name: 'Ada Author', at: '2026-01-01T00:00:00Z' };
  const run = runOf(
    reportWith(
      finding('zip.crc', { waived: { ...who, reason: 'known and harmless' } }),
      finding('elf.symbols', {
        verdict: 'pass',
        policy: { own: 'warn', set: 'allow', pattern: 'hygiene.*' },
      }),
      finding('tar.damaged', { voidWaiver: { ...who, sha256: 'ef'.repeat(32) } }),
    ),
  );
  expect(run.results.map(({ level, suppressions }) => [level, suppressions])).toEqual([
    [
      'error',
      [
        {
          kind: 'external',
          status: 'accepted',
          justification: 'known and harmless (Ada Author, 2026-01-01T00:00:00Z)',
        },
      ],
    ],
    [
      'warning',
      [
        {
          kind: 'external',
          status: 'accepted',
          justification: 'The policy of the product says "hygiene.*: allow".',
        },
      ],
    ],
    ['error', [expect.objectContaining({ status: 'rejected' })]],
  ]);
});

/** No system has a file that is called like a folder's own entries. */
const isFileName = (name: string): boolean => name !== '.' && name !== '..';

test('whatever files are called and findings say, the log is valid and every name is a reference', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('C:\\x', 'http://evil/', 'a/../b', '\ud800', '\u202egnp.exe', ''),
  );
  fc.assert(
    fc.property(text.filter(isFileName), text, text, fc.nat(), (name, detail, member, offset) => {
      const report = reportOf([
        {
          name,
          sizeBytes: 1,
          sha256,
          format: 'unknown',
          findings: [finding('zip.crc', { detail, evidence: { offset, member, found: detail } })],
        },
      ]);
      const [artifact] = runOf(report).artifacts;
      const url = new URL(artifact?.location.uri ?? '', 'file:///bundle/');
      expect(url.href).toMatch(/^file:\/\/\/bundle\/[^/?#]*$/);
    }),
  );
});
