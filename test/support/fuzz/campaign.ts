import fc from 'fast-check';
import { mutate, mutationPlans, type MutationPlan } from './mutations.ts';
import type { FuzzSubject } from './fuzz-subject.ts';

/** Milliseconds of processor time that a reader may take for one case: a busy machine is not its fault. */
export const usualBudgetMs = 100;
/** A case that took longer is timed again, since garbage may have been collected. */
const doubtfulMs = 20;

/** What came out of feeding one reader with mutated bytes. */
export interface CampaignResult {
  readonly cases: number;
  readonly slowestMs: number;
  /** Distinct rules or outcomes that the cases led to. */
  readonly outcomes: readonly string[];
  /** The smallest case that failed, with why; null when all went well. */
  readonly failure: { readonly why: string; readonly base64: string } | null;
}

/** Feeds a reader with mutated bytes: every case must end without an error within its time. */
export async function runCampaign(
  subject: FuzzSubject,
  cases: number,
  seed: number,
  onCase?: (index: number) => void,
): Promise<CampaignResult> {
  const outcomes = new Set<string>();
  const { budgetMs = usualBudgetMs } = subject;
  let slowestMs = 0;
  let index = 0;
  const bytesOf = (plan: MutationPlan): Buffer => mutate(plan, subject.seeds, subject.repair);
  const property = fc.asyncProperty(mutationPlans, async (plan) => {
    const bytes = bytesOf(plan);
    const elapsedMs = await timeOf(subject, bytes, outcomes);
    slowestMs = Math.max(slowestMs, elapsedMs);
    if (elapsedMs > budgetMs) throw new Error(`took ${elapsedMs.toFixed(0)} ms`);
    onCase?.(index++);
  });
  const details = await fc.check(property, { numRuns: cases, seed });
  const { counterexample, errorInstance } = details;
  const why = errorInstance instanceof Error ? (errorInstance.stack ?? '') : String(errorInstance);
  const failure = counterexample && {
    why,
    base64: bytesOf(counterexample[0]).toString('base64'),
  };
  return { cases: details.numRuns, slowestMs, outcomes: [...outcomes].sort(), failure };
}

/** Milliseconds of processor time of one case. */
async function timeOf(subject: FuzzSubject, bytes: Buffer, outcomes: Set<string>): Promise<number> {
  let bestMs = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 4 && bestMs > doubtfulMs; attempt += 1) {
    const before = process.cpuUsage();
    for (const outcome of await subject.read(Buffer.from(bytes))) outcomes.add(outcome);
    const { user, system } = process.cpuUsage(before);
    bestMs = Math.min(bestMs, (user + system) / 1000);
  }
  return bestMs;
}
