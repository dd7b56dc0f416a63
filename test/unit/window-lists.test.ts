import { expect, test } from 'vitest';
import { filterLog, logText } from '../../renderer/app/dock/log-filter.ts';
import { withJob, withLog } from '../../renderer/stores/event-lists.ts';
import { deltaRows } from '../../renderer/views/delta/delta-rows.ts';
import { versionProblem } from '../../renderer/views/releases/version-problem.ts';
import {
  fileTypeProblem,
  iccidPrefixProblem,
} from '../../renderer/views/settings/setting-rules.ts';
import {
  countsText,
  fileVerdict,
  groupFindings,
  layerFindings,
  reportCounts,
  reportSentence,
  worstFilesFirst,
} from '../../renderer/widgets/finding-groups.ts';
import { nextSort, sortRows } from '../../renderer/widgets/sort-rows.ts';
import type { LogEntry } from '../../shared/contract/contract.ts';
import type { Finding, InspectReport, Verdict } from '../../shared/domain/finding.ts';
import type { Job } from '../../shared/domain/job.ts';
import type { VersionPackage } from '../../shared/domain/product.ts';

const entry = (seq: number, change: Partial<LogEntry> = {}): LogEntry => ({
  seq,
  at: '2026-01-01T00:00:00.000Z',
  level: 'info',
  room: 'bundle',
  message: `entry ${seq}`,
  ...change,
});
const finding = (rule: string, verdict: Verdict, detail = ''): Finding => ({
  rule,
  verdict,
  title: rule,
  detail,
  fix: '',
  waivable: false,
  evidence: {},
});

test('log entries are kept once and in order, whether the tail or the events came first', () => {
  const log = withLog([entry(3)], [entry(1), entry(2), entry(3)]);
  expect(log.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  expect(withLog(log, [entry(4)]).map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
  expect(withLog(log, [entry(3)])).toHaveLength(3);
  const many = withLog(
    [],
    Array.from({ length: 2500 }, (_entry, index) => entry(index + 1)),
  );
  expect(many).toHaveLength(2000);
  expect(many[0]?.seq).toBe(501);
});

test('a job replaces itself, a new one comes first, and old ones fall out', () => {
  const job = (id: string, done: number) => ({ id, done }) as Job;
  const jobs = withJob([job('b', 0), job('a', 0)], job('a', 5));
  expect(jobs.map(({ id, done }) => `${id}${done}`)).toEqual(['b0', 'a5']);
  expect(withJob(jobs, job('c', 0))[0]?.id).toBe('c');
  const full = Array.from({ length: 200 }, (_job, index) => job(`j${index}`, 0));
  expect(withJob(full, job('new', 0)).map(({ id }) => id)).not.toContain('j199');
});

test('the log is filtered by least level, room and text, data included', () => {
  const log = [
    entry(1, { level: 'debug' }),
    entry(2, { room: 'cloud', data: { port: 4711 } }),
    entry(3, { level: 'error', message: 'Disk full' }),
  ];
  const all = { level: 'debug', room: null, text: '' } as const;
  expect(filterLog(log, all)).toHaveLength(3);
  expect(filterLog(log, { ...all, level: 'info' }).map(({ seq }) => seq)).toEqual([2, 3]);
  expect(filterLog(log, { ...all, room: 'cloud' }).map(({ seq }) => seq)).toEqual([2]);
  expect(filterLog(log, { ...all, text: ' DISK ' }).map(({ seq }) => seq)).toEqual([3]);
  expect(filterLog(log, { ...all, text: '4711' }).map(({ seq }) => seq)).toEqual([2]);
  expect(logText(log).split('\n')[2]).toBe('2026-01-01T00:00:00.000Z error bundle Disk full');
});

test('findings are grouped by rule, the worst first, and one rule keeps its verdicts apart', () => {
  const groups = groupFindings([
    finding('hash', 'pass'),
    finding('crc', 'block', 'line 1'),
    finding('old', 'warn'),
    finding('crc', 'block', 'line 2'),
    finding('opaque', 'could-not-check'),
  ]);
  expect(groups.map(({ rule }) => rule)).toEqual(['crc', 'old', 'opaque', 'hash']);
  expect(groups[0]?.findings.map(({ detail }) => detail)).toEqual(['line 1', 'line 2']);
});

test('a report is told in one sentence about its worst verdict', () => {
  const file = { name: 'a', sizeBytes: 1, sha256: '', format: '' };
  const report: InspectReport = {
    verdict: 'block',
    files: [{ ...file, findings: [finding('a', 'block'), finding('b', 'warn')] }],
  };
  expect(reportSentence(report)).toMatch(/^1 blocking finding to correct/);
  expect(reportCounts(report).warn).toBe(1);
  const passed = { ...file, name: 'fine', findings: [] };
  const files = [passed, ...report.files];
  expect(worstFilesFirst({ ...report, files }).map(({ index }) => index)).toEqual([1, 0]);
  expect(fileVerdict({ findings: [] })).toBe('pass');
  expect(reportSentence({ ...report, verdict: 'pass' })).toBe('Every check passed.');
});

test('findings stand under their layers, and a layer that told nothing is no pass', () => {
  const layers = layerFindings([
    finding('zip.crc', 'block'),
    finding('file.hash', 'pass'),
    finding('file.opaque', 'could-not-check'),
    finding('secret.token', 'warn'),
  ]);
  expect(layers.map(({ layer, verdict }) => [layer, verdict])).toEqual([
    ['container', 'block'],
    ['image', null],
    ['identity', null],
    ['hygiene', 'warn'],
  ]);
  expect(countsText(layers[0]?.counts ?? reportCounts({ verdict: 'pass', files: [] }))).toBe(
    '1 blocked, 1 not checked, 1 passed',
  );
});

test('a waiver takes the weight of a finding away, but what is not checked stays so', () => {
  const waived = { waiverId: 'w', reason: 'known', name: 'Ada', at: '2026-01-01T00:00:00Z' };
  const file = {
    name: 'a',
    sizeBytes: 1,
    sha256: '',
    format: '',
    findings: [
      { ...finding('zip.crc', 'block'), waived },
      { ...finding('file.opaque', 'could-not-check'), waived },
      finding('secret.token', 'warn'),
    ],
  };
  expect(fileVerdict(file)).toBe('warn');
  expect(reportCounts({ verdict: 'warn', files: [file] })).toEqual({
    block: 0,
    warn: 1,
    'could-not-check': 1,
    waived: 1,
    pass: 0,
  });
  const [first, ...rest] = groupFindings(file.findings);
  expect(first?.rule).toBe('secret.token');
  expect(rest.map((group) => group.waived?.name)).toEqual(['Ada', 'Ada']);
  const sentence = (...findings: Finding[]) =>
    reportSentence({ verdict: 'block', files: [{ ...file, findings }] });
  expect(sentence({ ...finding('a', 'block'), waivable: true })).toMatch(/to correct or waive/);
  expect(sentence(finding('a', 'block'))).not.toMatch(/waive/);
});

test('rows are sorted by numbers in their texts, and rows without a value come last', () => {
  const rows = ['1.9', null, '1.10', '1.2'];
  const sorted = (descending: boolean) =>
    sortRows(rows, { columnId: 'v', descending }, (row) => row);
  expect(sorted(false)).toEqual(['1.2', '1.9', '1.10', null]);
  expect(sorted(true)).toEqual(['1.10', '1.9', '1.2', null]);
  expect(sortRows(rows, undefined, (row) => row)).toBe(rows);
  const ascending = nextSort(undefined, 'v');
  expect(nextSort(ascending, 'v').descending).toBe(true);
  expect(nextSort({ columnId: 'v', descending: false }, 'w')).toEqual({
    columnId: 'w',
    descending: false,
  });
});

test('delta rows pair each source with its own delta and its share of the full image', () => {
  const pkg = (change: Partial<VersionPackage>) => change as VersionPackage;
  const file = (sizeBytes: number) => [{ sizeBytes }] as VersionPackage['files'];
  const target = pkg({
    releaseId: 'r3',
    componentId: 'MCU',
    targetVersion: '3',
    files: file(100),
  });
  const one = pkg({ id: 'p1', targetVersion: '1', createdAt: '2026-01-01' });
  const two = pkg({ id: 'p2', targetVersion: '2', createdAt: '2026-01-02' });
  const delta = pkg({
    packageType: 'delta',
    releaseId: 'r3',
    componentId: 'MCU',
    sourceVersion: '1',
    files: file(25),
  });
  const foreign = { ...delta, componentId: 'MODULE', sourceVersion: '2' };
  const rows = deltaRows(target, [one, two], [delta, foreign]);
  expect(rows.map(({ source, ratio }) => [source.id, ratio])).toEqual([
    ['p2', null],
    ['p1', 0.25],
  ]);
});

test('versions, file types and SIM prefixes are refused with the reason', () => {
  expect(versionProblem('', [])).toBeNull();
  expect(versionProblem('1.0', ['1.0'])).toMatch(/exists/);
  expect(versionProblem('1 0', [])).toMatch(/Letters/);
  expect(versionProblem('v'.repeat(65), [])).toMatch(/64/);
  expect(fileTypeProblem('rbl', [])).toMatch(/dot/);
  expect(fileTypeProblem('.BIN', [])).toMatch(/already/);
  expect(fileTypeProblem('.r-bl', [])).toMatch(/letters/);
  expect(fileTypeProblem('.rbl', ['.RBL'])).toMatch(/already/);
  expect(fileTypeProblem('.rbl', [])).toBeNull();
  expect(iccidPrefixProblem('898602', [])).toMatch(/898603 or 898611/);
  expect(iccidPrefixProblem('89860', [])).toMatch(/898603 or 898611/);
  expect(iccidPrefixProblem('898603x', [])).toMatch(/Digits/);
  expect(iccidPrefixProblem(`898611${'0'.repeat(15)}`, [])).toMatch(/20 digits/);
  expect(iccidPrefixProblem('898603', ['898603'])).toMatch(/already/);
  expect(iccidPrefixProblem('8986031', ['898603'])).toMatch(/covers/);
  expect(iccidPrefixProblem('8986111', ['898603'])).toBeNull();
});
