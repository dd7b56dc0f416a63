/** When a stage of a plan lets the next one open. */
export interface StageRule {
  /** The stages up to this one reach so many percent of the plan's devices. */
  readonly upToPercent?: number | undefined;
  /** The stages up to this one reach so many devices. */
  readonly upToCount?: number | undefined;
  /** Minutes in which the gate has to stay met. */
  readonly soakMinutes: number;
  /** Share of the finished devices that must be upgraded, 0..100. */
  readonly successPercent: number;
  /** Share of the stage's devices that must have finished, 0..100. */
  readonly finishedPercent: number;
  /** Whether a person opens the next stage. */
  readonly hold: boolean;
}

/** What stops a plan; a rule that is absent stops nothing. */
export interface StopRules {
  /** Stop at this share of failures among finished devices, 0..100. */
  readonly failurePercent?: number | undefined;
  /** How many devices must have finished before the share counts. */
  readonly minFinished: number;
  /** Stop at so many failures. */
  readonly failureCount?: number | undefined;
  /** Minutes after which a device that was given a job and is not heard from counts as a failure. */
  readonly silentAfterMinutes?: number | undefined;
}

/** Devices of one stage by what became of them. */
export interface StageTally {
  readonly devices: number;
  readonly upgraded: number;
  readonly failed: number;
  /** Given a job, not finished and not heard from in time. */
  readonly silent: number;
  /** Failed and silent devices that a person accepted; they are not among those. */
  readonly accepted: number;
  readonly noUpdateRequired: number;
}

/** What the newest open stage does: short of its gate, soaking, waiting for a person, or done. */
export type StageStep = 'wait' | 'soak' | 'hold' | 'open-next';

/** How the newest open stage stands; times are of a clock that never jumps, in milliseconds. */
export interface StageJudgement {
  readonly step: StageStep;
  /** Since when the gate has been met without a break, or null. */
  readonly gateMetMs: number | null;
  readonly soakLeftMs: number;
}

/** A stop rule that was broken, and by which numbers. */
export interface BrokenRule {
  readonly rule: 'failurePercent' | 'failureCount';
  readonly limit: number;
  /** Place of the stage that it was measured over, from 0, or null for the whole plan. */
  readonly stage: number | null;
  readonly failed: number;
  readonly silent: number;
  /** Upgraded, failed and silent devices, without those that were accepted before. */
  readonly finished: number;
}

const minuteMs = 60_000;
/** Keeps products of decimal fractions such as 7 % of 10,000 from landing beside whole numbers. */
const tolerance = 1e-9;

/** A plan without stages is one stage that takes everybody. */
export const singleStage: StageRule = {
  soakMinutes: 0,
  successPercent: 0,
  finishedPercent: 100,
  hold: false,
};

/** What is wrong with stages, each with its place from 0; the last stage takes the rest. */
export function stageFaults(
  stages: readonly StageRule[],
): { readonly stage: number; readonly fault: string }[] {
  const faults: { stage: number; fault: string }[] = [];
  let percent = 0;
  let count = 0;
  for (const [stage, { upToPercent, upToCount }] of stages.entries()) {
    const add = (fault: string): void => void faults.push({ stage, fault });
    if (stage === stages.length - 1) {
      if (upToCount !== undefined || (upToPercent ?? 100) !== 100)
        add('the last stage takes the rest: give it no size, or 100 percent');
      continue;
    }
    if ((upToPercent === undefined) === (upToCount === undefined))
      add('give its size either as a percentage or as a number of devices');
    else if (upToPercent !== undefined && upToPercent >= 100)
      add('it takes every device, so that none is left for the next stage');
    else if (upToPercent !== undefined && upToPercent <= percent)
      add(`the stages up to it must reach more than ${percent} % of the devices`);
    else if (upToCount !== undefined && upToCount <= count)
      add(`the stages up to it must reach more than ${count} devices`);
    percent = Math.max(percent, upToPercent ?? 0);
    count = Math.max(count, upToCount ?? 0);
  }
  return faults;
}

/** How many of `total` devices each stage takes; a percentage is rounded up to whole devices. */
export function stageSizes(stages: readonly StageRule[], total: number): number[] {
  let reached = 0;
  return stages.map(({ upToPercent, upToCount }, place) => {
    const share = upToCount ?? Math.ceil((total * (upToPercent ?? 100)) / 100 - tolerance);
    const end = place === stages.length - 1 ? total : share;
    const size = Math.max(0, Math.min(total, end) - reached);
    reached += size;
    return size;
  });
}

/**
 * Deals devices to stages, always the same for the same ids and seed: devices are ordered by the
 * SHA-256 of the seed, a line feed and the id (hex, then id), and each stage takes the next ones.
 * So a further device moves at most one other device across each border between stages.
 */
export function dealStages(
  deviceIds: readonly string[],
  seed: string,
  stages: readonly StageRule[],
  sha256: (text: string) => string,
): Map<string, number> {
  const ranked = deviceIds
    .map((id) => ({ id, rank: sha256(`${seed}\n${id}`) }))
    .sort((one, other) => compare(one.rank, other.rank) || compare(one.id, other.id));
  const places = new Map<string, number>();
  let at = 0;
  for (const [stage, size] of stageSizes(stages, ranked.length).entries())
    for (const { id } of ranked.slice(at, (at += size))) places.set(id, stage);
  return places;
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

/** Whether enough devices of a stage have finished and enough of those are upgraded; accepted failures do not count against it. */
export function isGateMet(rule: StageRule, tally: StageTally): boolean {
  const due = tally.devices - tally.noUpdateRequired;
  if (due <= 0) return true;
  const judged = tally.upgraded + tally.failed + tally.silent;
  const finished = judged + tally.accepted;
  if (judged === 0 || 100 * finished < rule.finishedPercent * due - tolerance) return false;
  return 100 * tally.upgraded >= rule.successPercent * judged - tolerance;
}

/** How the newest open stage stands at `nowMs`; a gate that is no longer met starts over. */
export function judgeStage(
  rule: StageRule,
  tally: StageTally,
  gateMetMs: number | null,
  nowMs: number,
): StageJudgement {
  const soakMs = rule.soakMinutes * minuteMs;
  if (!isGateMet(rule, tally)) return { step: 'wait', gateMetMs: null, soakLeftMs: soakMs };
  const sinceMs = Math.min(gateMetMs ?? nowMs, nowMs);
  const soakLeftMs = Math.max(0, sinceMs + soakMs - nowMs);
  if (soakLeftMs > 0) return { step: 'soak', gateMetMs: sinceMs, soakLeftMs };
  return { step: rule.hold ? 'hold' : 'open-next', gateMetMs: sinceMs, soakLeftMs: 0 };
}

/** The first broken stop rule: the number over the whole plan, then the share over the plan, then over each open stage, the newest first. */
export function brokenRule(rules: StopRules, openStages: readonly StageTally[]): BrokenRule | null {
  const whole = openStages.map(measure).reduce(sum, { failed: 0, silent: 0, finished: 0 });
  const { failureCount, failurePercent, minFinished } = rules;
  if (failureCount !== undefined && whole.failed + whole.silent >= failureCount)
    return { rule: 'failureCount', limit: failureCount, stage: null, ...whole };
  if (failurePercent === undefined) return null;
  const stages = openStages.map((tally, stage) => ({ stage, ...measure(tally) })).reverse();
  for (const part of [{ stage: null, ...whole }, ...stages]) {
    const failures = part.failed + part.silent;
    const isBroken = 100 * failures >= failurePercent * part.finished - tolerance;
    if (failures > 0 && part.finished >= minFinished && isBroken)
      return { rule: 'failurePercent', limit: failurePercent, ...part };
  }
  return null;
}

type Measure = Pick<BrokenRule, 'failed' | 'silent' | 'finished'>;

const measure = ({ upgraded, failed, silent }: StageTally): Measure => ({
  failed,
  silent,
  finished: upgraded + failed + silent,
});

const sum = (one: Measure, other: Measure): Measure => ({
  failed: one.failed + other.failed,
  silent: one.silent + other.silent,
  finished: one.finished + other.finished,
});
