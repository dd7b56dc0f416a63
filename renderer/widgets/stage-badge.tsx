import type { ReleaseSummary } from '../../shared/contract/contract.ts';
import { type Tone, ToneBadge } from './tone-badge.tsx';

type Stage = ReleaseSummary['stage'];

/** The word of each stage of a release for people. */
export const stageWords: Record<Stage, string> = {
  draft: 'Draft',
  validated: 'Validated',
  benchTested: 'Bench-tested',
  rollingOut: 'Rolling out',
  done: 'Done',
  halted: 'Halted',
};

const stageTones: Record<Stage, Tone> = {
  draft: 'neutral',
  validated: 'good',
  benchTested: 'good',
  rollingOut: 'busy',
  done: 'good',
  halted: 'bad',
};

/** The stage of a release as icon and word. */
export function StageBadge({ stage }: { readonly stage: Stage }) {
  return <ToneBadge tone={stageTones[stage]} word={stageWords[stage]} />;
}
