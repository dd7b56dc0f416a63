import type {
  Finding,
  InspectedFile,
  InspectReport,
  Verdict,
} from '../../shared/domain/finding.ts';
import { bySeverity, worstVerdict } from '../../shared/domain/verdict.ts';

/** Findings of one rule with one verdict, in the order in which they were found. */
export interface FindingGroup {
  readonly rule: string;
  readonly verdict: Verdict;
  readonly title: string;
  readonly fix: string;
  readonly waivable: boolean;
  readonly findings: readonly Finding[];
}

/** Findings by rule, the most severe rules first. */
export function groupFindings(findings: readonly Finding[]): readonly FindingGroup[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = `${finding.verdict} ${finding.rule}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()]
    .flatMap((group) => {
      const [first] = group;
      if (!first) return [];
      const { rule, verdict, title, fix, waivable } = first;
      return [{ rule, verdict, title, fix, waivable, findings: group }];
    })
    .sort((a, b) => bySeverity(a.verdict, b.verdict));
}

/** The verdict about one file: its most severe finding. */
export const fileVerdict = (file: Pick<InspectedFile, 'findings'>): Verdict =>
  worstVerdict(file.findings.map(({ verdict }) => verdict));

/** The files of a report with their places in it, the worst first. */
export function worstFilesFirst(
  report: InspectReport,
): readonly { readonly file: InspectedFile; readonly index: number }[] {
  return report.files
    .map((file, index) => ({ file, index }))
    .sort((a, b) => bySeverity(fileVerdict(a.file), fileVerdict(b.file)));
}

/** How many findings of a report have a verdict. */
export const countVerdict = (report: InspectReport, verdict: Verdict): number =>
  report.files.reduce(
    (sum, file) => sum + file.findings.filter((finding) => finding.verdict === verdict).length,
    0,
  );

/** What a report means for the package, in one sentence. */
export function reportSentence(report: InspectReport): string {
  const count = (verdict: Verdict, noun: string): string => {
    const found = countVerdict(report, verdict);
    return `${found} ${noun}${found === 1 ? '' : 's'}`;
  };
  if (report.verdict === 'block')
    return `${count('block', 'blocking finding')} to correct before a version package can be made.`;
  if (report.verdict === 'warn')
    return `${count('warn', 'warning')} to read before you make the version package.`;
  if (report.verdict === 'could-not-check')
    return `${count('could-not-check', 'part')} could not be checked: compare the SHA-256 with its origin.`;
  return 'Every check passed.';
}
