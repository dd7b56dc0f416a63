import type { PlanDraftInput } from '../../../shared/domain/plan.ts';
import { stageFaults, stageSizes } from '../../../shared/domain/stages.ts';

/** A number field; empty while nothing is typed. */
export type NumberText = number | '';

/** One stage as a person types it; the size of the last one does not count. */
export interface StageForm {
  readonly size: NumberText;
  readonly unit: 'percent' | 'count';
  readonly successPercent: NumberText;
  readonly finishedPercent: NumberText;
  readonly soakMinutes: NumberText;
  readonly hold: boolean;
}

/** Stop rules as a person types them; an empty field is a rule that is not there. */
export interface StopForm {
  readonly failurePercent: NumberText;
  readonly minFinished: NumberText;
  readonly failureCount: NumberText;
  readonly silentAfterMinutes: NumberText;
}

/** How a plan goes about its devices: null means all at once, or without stop rules. */
export interface PaceForm {
  readonly stages: readonly StageForm[] | null;
  readonly stopRules: StopForm | null;
}

/** A further stage, as it is proposed. */
export const proposedStage: StageForm = {
  size: '',
  unit: 'percent',
  successPercent: 95,
  finishedPercent: 90,
  soakMinutes: 60,
  hold: false,
};

/** 5, 25 and 100 percent, an hour of soak between them. */
export const proposedStages: readonly StageForm[] = [
  { ...proposedStage, size: 5 },
  { ...proposedStage, size: 25 },
  proposedStage,
];

export const proposedStopRules: StopForm = {
  failurePercent: 10,
  minFinished: 20,
  failureCount: '',
  silentAfterMinutes: 60,
};

type Pace = Pick<PlanDraftInput, 'stages' | 'stopRules'>;

/** Stages and stop rules as the engine takes them, or what is still wrong. */
export function paceOf(form: PaceForm): { readonly pace: Pace } | { readonly missing: string } {
  const stages = form.stages?.map((stage, at, all) => toRule(stage, at === all.length - 1));
  for (const [at, stage] of (stages ?? []).entries()) {
    const fault = numberFault(stage);
    if (fault) return { missing: `Stage ${at + 1}: ${fault}` };
  }
  const [first] = stageFaults((stages ?? []).map(withNumbers));
  if (first) return { missing: `Stage ${first.stage + 1}: ${first.fault}.` };
  const stop = form.stopRules;
  const rules = stop && {
    ...filled('failurePercent', stop.failurePercent),
    ...filled('minFinished', stop.minFinished),
    ...filled('failureCount', stop.failureCount),
    ...filled('silentAfterMinutes', stop.silentAfterMinutes),
  };
  const fault = rules && stopFault(rules);
  if (fault) return { missing: fault };
  return {
    pace: {
      ...(stages ? { stages: stages.map(withNumbers) } : {}),
      ...(rules ? { stopRules: rules } : {}),
    },
  };
}

/** How many of `total` devices each stage takes; null while a size is missing. */
export function sizesOf(stages: readonly StageForm[], total: number): readonly number[] | null {
  const rules = stages.map((stage, at) => withNumbers(toRule(stage, at === stages.length - 1)));
  return stageFaults(rules).length > 0 ? null : stageSizes(rules, total);
}

type TypedRule = ReturnType<typeof toRule>;

function toRule(stage: StageForm, isLast: boolean) {
  const { size, unit, ...rest } = stage;
  const isSized = !isLast && size !== '';
  return {
    ...rest,
    ...(isSized && unit === 'percent' ? { upToPercent: size } : {}),
    ...(isSized && unit === 'count' ? { upToCount: size } : {}),
  };
}

const withNumbers = ({ successPercent, finishedPercent, soakMinutes, ...rest }: TypedRule) => ({
  ...rest,
  successPercent: Number(successPercent),
  finishedPercent: Number(finishedPercent),
  soakMinutes: Number(soakMinutes),
});

function numberFault({ successPercent, finishedPercent, soakMinutes }: TypedRule): string | null {
  if (successPercent === '') return 'say how many percent must be upgraded.';
  if (finishedPercent === '' || finishedPercent <= 0)
    return 'say how many percent must have finished, more than 0.';
  return soakMinutes === '' ? 'say how many minutes it soaks; 0 for none.' : null;
}

type Rules = NonNullable<Pace['stopRules']>;

function stopFault(rules: Rules): string | null {
  const { failurePercent, failureCount, minFinished } = rules;
  if (failurePercent === undefined && failureCount === undefined)
    return 'Stop rules: give a share or a number of failures.';
  if (failurePercent === 0 || failureCount === 0)
    return 'Stop rules: a limit of 0 would stop the plan before it begins.';
  return failurePercent !== undefined && minFinished === undefined
    ? 'Stop rules: say how many devices must have finished before the share counts.'
    : null;
}

const filled = <Key extends string>(key: Key, value: NumberText): { [K in Key]?: number } =>
  value === '' ? {} : ({ [key]: value } as { [K in Key]?: number });
