import type { Verdict } from './finding.ts';

const severity: Record<Verdict, number> = { pass: 0, 'could-not-check': 1, warn: 2, block: 3 };

/** The most severe verdict of a list; `pass` when the list is empty. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  return verdicts.reduce<Verdict>(
    (worst, v) => (severity[v] > severity[worst] ? v : worst),
    'pass',
  );
}

/** Orders verdicts from the most to the least severe, for `sort`. */
export const bySeverity = (a: Verdict, b: Verdict): number => severity[b] - severity[a];
