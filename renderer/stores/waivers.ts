import type { Input } from '../../shared/contract/contract.ts';
import { call } from '../rpc/client.ts';
import { useBundleDrafts } from './bundle-drafts.ts';
import { useStudio } from './studio.ts';

/** Accepts the findings of a rule for exactly one file, and judges again what is shown. @throws ProblemError */
export async function waive(draft: Input<'waivers.add'>): Promise<void> {
  await call('waivers.add', draft);
  await judgeAgain();
}

/** Takes a waiver back, and judges again what is shown. @throws ProblemError */
export async function takeBack(input: Input<'waivers.remove'>): Promise<void> {
  await call('waivers.remove', input);
  await judgeAgain();
}

const judgeAgain = async (): Promise<void> => {
  await Promise.all([useBundleDrafts.getState().judgeAgain(), useStudio.getState().refresh()]);
};
