import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Finding, InspectReport } from '../../shared/domain/finding.ts';
import { reportOf } from '../../shared/domain/verdict.ts';
import { htmlReport } from '../../shared/report/html-report.ts';
import { reportFormatOf } from '../../shared/report/report-formats.ts';
import { reportText } from '../../shared/report/report-text.ts';
import { visibleText } from '../../shared/report/visible-text.ts';

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
const reportWith = (name: string, ...findings: Finding[]): InspectReport =>
  reportOf([{ name, sizeBytes: 7, sha256, format: 'unknown', findings }]);

/** Tags in the order in which they stand, without their attributes. */
const tagsOf = (page: string): string[] => page.match(/<\/?[a-z][a-z0-9]*/g) ?? [];

test('findings stand under their layers with evidence and fix, and could-not-check is no pass', () => {
  const page = htmlReport(
    reportWith(
      'app.bin',
      finding('secret.token', { verdict: 'warn' }),
      finding('zip.crc', {
        evidence: { offset: 4096, member: 'fw.bin', expected: '1', found: '2' },
      }),
      finding('file.opaque', { verdict: 'could-not-check' }),
      finding('file.hash', { verdict: 'pass' }),
    ),
    subject,
  );
  expect(page.match(/<h3>\w+/g)).toEqual(['<h3>Container', '<h3>Hygiene']);
  const words = page
    .slice(page.indexOf('<main>'))
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ');
  expect(words).toContain('Member fw.bin Offset 0x1000 Expected 1 Found 2');
  expect(words).toMatch(/✕ Blocked Title of zip.crc .* \? Not checked .* ✓ Pass .* ! Warning/);
  expect(words.match(/Fix: Do this\./g)).toHaveLength(3);
  const counts = page.match(/<tr><th scope="row">Container.*?<\/tr>/)?.[0] ?? '';
  expect(counts.match(/>\d+</g)).toEqual(['>1<', '>0<', '>1<', '>1<']);
});

test('waivers are told with who, why and when, void ones too, and the policy with its key', () => {
  const who = { waiverId: 'w', name: 'Ada <Author>', at: '2026-01-01T00:00:00Z' };
  const page = htmlReport(
    reportWith(
      'app.bin',
      finding('zip.crc', { waived: { ...who, reason: 'known & harmless' } }),
      finding('tar.damaged', { voidWaiver: { ...who, sha256: 'ef'.repeat(32) } }),
      finding('elf.symbols', {
        verdict: 'pass',
        policy: { own: 'warn', set: 'allow', pattern: 'hygiene.*' },
      }),
    ),
    subject,
  );
  expect(page).toContain(
    '<bdi>Ada &lt;Author&gt;</bdi> on 2026-01-01T00:00:00Z: <bdi>known &amp; harmless',
  );
  expect(page).toContain('1 of the findings is waived.');
  expect(page).toMatch(/Void here: .* for other bytes, SHA-256 <code>(ef){32}/);
  expect(page).toContain('Policy: Warning by itself, “hygiene.*: allow”.');
});

test('the page loads nothing and runs nothing', () => {
  const page = htmlReport(reportWith('app.bin', finding('zip.crc')), subject);
  expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  expect(page).not.toMatch(
    /<(script|img|link|iframe|object|base|form)\b|url\(|@import|javascript:|\son\w+=/i,
  );
});

test('hostile names and texts add no tag, no attribute and nothing unseen', () => {
  const harmless = tagsOf(htmlReport(attacked('x'), subject));
  const evil = fc.oneof(
    fc.string({ minLength: 1, unit: 'binary' }),
    fc.constantFrom(
      '</title><script>alert(1)</script>',
      '"><img src=x onerror=alert(1)>',
      `' autofocus onfocus='alert(1)`,
      '</style><style>*{display:none}',
      '<!--',
      '&lt;b&gt;',
      '\u202Egnp.exe',
      '\ud800',
      'a\u0000b\u001b[2J',
    ),
  );
  fc.assert(
    fc.property(evil, (text) => {
      const page = htmlReport(attacked(text), { ...subject, title: text });
      expect(tagsOf(page)).toEqual(harmless);
      expect(page).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}]/u);
    }),
  );
});

/** A report in which every text that can come from outside is the given one. */
function attacked(text: string): InspectReport {
  const evidence = { member: text, expected: text, found: text };
  const waived = { waiverId: 'w', reason: text, name: text, at: '2026-01-01T00:00:00Z' };
  return reportOf([
    {
      name: text,
      sizeBytes: 1,
      sha256,
      format: text,
      findings: [finding('zip.crc', { title: text, detail: text, fix: text, evidence, waived })],
    },
  ]);
}

test('the JSON report is the report itself', () => {
  const report = reportWith('app.bin', finding('zip.crc'));
  expect(JSON.parse(reportText('json', report, subject))).toEqual(report);
});

test('the end of a file name tells the format', () => {
  expect(['a.sarif', 'a.SARIF.JSON', 'a.html', 'a.json', 'a.txt'].map(reportFormatOf)).toEqual([
    'sarif',
    'sarif',
    'html',
    'json',
    null,
  ]);
});

test('what cannot be seen is spelled out', () => {
  expect(visibleText('a\u202eb\u0007\nc\ud800é😀')).toBe('a<U+202E>b<U+0007> c<U+D800>é😀');
});
