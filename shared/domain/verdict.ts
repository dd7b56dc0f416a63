import type { Finding, InspectedFile, InspectReport, Verdict } from './finding.ts';

const severity: Record<Verdict, number> = { pass: 0, 'could-not-check': 1, warn: 2, block: 3 };

/** Rank of a verdict: the higher, the more severe. */
export const severityOf = (verdict: Verdict): number => severity[verdict];

/** The most severe verdict of a list; `pass` when the list is empty. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>(
    (worst, v) => (severity[v] > severity[worst] ? v : worst),
    'pass',
  );
}

/** Orders verdicts from the most to the least severe, for `sort`. */
export const bySeverity = (a: Verdict, b: Verdict): number => severity[b] - severity[a];

/**
 * What a finding counts for: a waiver takes its weight away, but what could not be checked
 * stays unchecked, whatever the policy made of it.
 */
export function countedVerdict({ verdict, waived, policy }: Finding): Verdict {
  if (waived === undefined) return verdict;
  return (policy?.own ?? verdict) === 'could-not-check' ? 'could-not-check' : 'pass';
}

/** The report of these files: its verdict is the worst of what their findings count for. */
export function reportOf(files: readonly InspectedFile[]): InspectReport {
  const findings = files.flatMap((file) => file.findings);
  return { verdict: worstVerdict(findings.map(countedVerdict)), files: [...files] };
}
