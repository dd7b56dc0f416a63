import type { Verdict } from '../../shared/domain/finding.ts';
import { type Tone, ToneBadge } from './tone-badge.tsx';

/** The word of each verdict for people. */
export const verdictWords: Record<Verdict, string> = {
  pass: 'Pass',
  warn: 'Warning',
  block: 'Blocked',
  'could-not-check': 'Not checked',
};

/** The tone of each verdict. */
export const verdictTones: Record<Verdict, Tone> = {
  pass: 'good',
  warn: 'warn',
  block: 'bad',
  'could-not-check': 'unknown',
};

/** A verdict as icon and word; `null` means that nothing has been checked yet. */
export function VerdictBadge({ verdict }: { readonly verdict: Verdict | null }) {
  if (verdict === null) return <ToneBadge tone="neutral" word="No files" />;
  return <ToneBadge tone={verdictTones[verdict]} word={verdictWords[verdict]} />;
}
