import type {
  Finding,
  InspectedFile,
  InspectReport,
  Verdict,
} from '../../shared/domain/finding.ts';
import { bySeverity, countedVerdict, worstVerdict } from '../../shared/domain/verdict.ts';
import { layerOfRule, type RuleLayer, ruleLayers } from '../../shared/messages/bundle-rules.ts';
import { pluralText } from './format-text.ts';

/** Findings of one rule with one verdict, in the order in which they were found. */
export interface FindingGroup {
  readonly rule: string;
  readonly verdict: Verdict;
  readonly title: string;
  readonly fix: string;
  readonly waivable: boolean;
  /** What policy and waivers made of the rule for this file; the same for all its findings. */
  readonly policy: Finding['policy'];
  readonly waived: Finding['waived'];
  readonly voidWaiver: Finding['voidWaiver'];
  readonly findings: readonly Finding[];
}

/** How many findings of each kind there are; what is waived is counted apart, unless it stays unchecked. */
export type FindingCounts = Readonly<Record<Verdict | 'waived', number>>;

/** What one layer of validation told of a file. */
export interface LayerFindings {
  readonly layer: RuleLayer;
  readonly groups: readonly FindingGroup[];
  readonly counts: FindingCounts;
  /** The worst that counts; null when the layer told nothing at all, which is no pass. */
  readonly verdict: Verdict | null;
}

/** Findings by rule, the most severe rules first, waived ones behind those that are open. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.verdict} ${finding.rule} ${finding.waived?.waiverId ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const { rule, verdict, title, fix, waivable, policy, waived, voidWaiver } = first;
      return [{ rule, verdict, title, fix, waivable, policy, waived, voidWaiver, findings: group }];
    })
    .sort(
      (a, b) =>
        Number(a.waived !== undefined) - Number(b.waived !== undefined) ||
        bySeverity(a.verdict, b.verdict),
    );
}

/** All layers of validation with what they told, in their own order. */
export function layerFindings(findings: readonly Finding[]): readonly LayerFindings[] {
  return ruleLayers.map((layer) => {
    const own = findings.filter(({ rule }) => layerOfRule(rule) === layer);
    return {
      layer,
      groups: groupFindings(own),
      counts: countFindings(own),
      verdict: own.length === 0 ? null : worstVerdict(own.map(countedVerdict)),
    };
  });
}

/** Counts findings by what they count for. */
export function countFindings(findings: readonly Finding[]): FindingCounts {
  const counts = { pass: 0, warn: 0, block: 0, 'could-not-check': 0, waived: 0 };
  for (const finding of findings) {
    const counted = countedVerdict(finding);
    const isWaived = finding.waived !== undefined && counted === 'pass';
    counts[isWaived ? 'waived' : counted] += 1;
  }
  return counts;
}

/** Counts in words, the worst first, for example `1 blocked, 2 warnings, 4 passed`. */
export function countsText(counts: FindingCounts): string {
  const parts = [
    [counts.block, `${counts.block} blocked`],
    [counts.warn, pluralText(counts.warn, 'warning')],
    [counts['could-not-check'], `${counts['could-not-check']} not checked`],
    [counts.waived, `${counts.waived} waived`],
    [counts.pass, `${counts.pass} passed`],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([, text]) => text)
    .join(', ');
}

/** The verdict about one file: its most severe finding, waivers counted. */
export const fileVerdict = (file: Pick<InspectedFile, 'findings'>): Verdict =>
  worstVerdict(file.findings.map(countedVerdict));

/** The files of a report with their places in it, the worst first. */
export function worstFilesFirst(
  report: InspectReport,
): readonly { readonly file: InspectedFile; readonly index: number }[] {
  return report.files
    .map((file, index) => ({ file, index }))
    .sort((a, b) => bySeverity(fileVerdict(a.file), fileVerdict(b.file)));
}

/** How many findings of each kind a report has. */
export const reportCounts = (report: InspectReport): FindingCounts =>
  countFindings(report.files.flatMap((file) => file.findings));

/** What a report means for the package, in one sentence. */
export function reportSentence(report: InspectReport): string {
  const counts = reportCounts(report);
  if (report.verdict === 'block') {
    const open = report.files
      .flatMap(({ findings }) => findings)
      .filter((finding) => countedVerdict(finding) === 'block');
    const way = open.every(({ waivable }) => waivable) ? 'to correct or waive' : 'to correct';
    return `${pluralText(counts.block, 'blocking finding')} ${way} before a version package can be made.`;
  }
  if (report.verdict === 'warn')
    return `${pluralText(counts.warn, 'warning')} to read before you make the version package.`;
  if (report.verdict === 'could-not-check')
    return `${pluralText(counts['could-not-check'], 'part')} could not be checked: compare the SHA-256 with its origin.`;
  return counts.waived > 0 ? 'Every check passed or is waived.' : 'Every check passed.';
}
