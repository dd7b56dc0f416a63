import { dayTimePattern, isLocalTime } from '../../../shared/domain/local-time.ts';
import { defaultStrategy, mandatoryLanguages } from '../../../shared/domain/plan-strategy.ts';
import type { PlanDraft } from '../../../shared/domain/plan.ts';

/** A text that users read about a manual plan. */
export interface UpgradeText {
  readonly language: string;
  readonly text: string;
}

/** How and when a plan is carried out, as a person fills it in; empty texts mean "not given". */
export interface PlanOptions {
  readonly mode: 'silent' | 'manual';
  readonly texts: readonly UpgradeText[];
  readonly timeZone: string;
  /** Local times as `2026-05-01T22:00`. */
  readonly start: string;
  readonly end: string;
  /** Times of day as `22:00`. */
  readonly pushFrom: string;
  readonly pushTo: string;
  readonly retries: number;
  readonly minRsrpDbm: number;
  readonly minBatteryPercent: number;
  readonly fallbackToFull: boolean;
  readonly allowNeverReported: boolean;
  /** Component ids in the order in which devices take them; those that are missing come last. */
  readonly sequence: readonly string[];
}

/** The options of a plan that nobody has touched, in the time zone of this machine. */
export const emptyOptions: PlanOptions = {
  mode: 'silent',
  texts: mandatoryLanguages.map((language) => ({ language, text: '' })),
  timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
  start: '',
  end: '',
  pushFrom: '',
  pushTo: '',
  retries: 5,
  ...defaultStrategy,
  fallbackToFull: true,
  allowNeverReported: false,
  sequence: [],
};

type OptionFields = Pick<
  PlanDraft,
  | 'mode'
  | 'upgradeTexts'
  | 'timeZone'
  | 'plannedTime'
  | 'pushPeriod'
  | 'retries'
  | 'minRsrpDbm'
  | 'minBatteryPercent'
  | 'fallbackToFull'
  | 'allowNeverReported'
>;

/** The fields of a plan that the options mean, or why they mean none yet. */
export function optionFields(
  options: PlanOptions,
): { readonly fields: OptionFields } | { readonly missing: string } {
  const { start, end, pushFrom, pushTo, timeZone, texts } = options;
  if ((start === '') !== (end === '')) return { missing: 'Give the plan both a start and an end.' };
  if ((pushFrom === '') !== (pushTo === ''))
    return { missing: 'Give the push period both a beginning and an end.' };
  if ([start, end].some((text) => text !== '' && !isLocalTime(text)))
    return { missing: 'Write start and end like 2026-05-01 22:00.' };
  if ([pushFrom, pushTo].some((text) => text !== '' && !dayTimePattern.test(text)))
    return { missing: 'Write the push period like 22:00.' };
  const written = texts.filter(({ language, text }) => language !== '' && text.trim() !== '');
  const isTimed = start !== '' || pushFrom !== '';
  return {
    fields: {
      mode: options.mode,
      retries: options.retries,
      minRsrpDbm: options.minRsrpDbm,
      minBatteryPercent: options.minBatteryPercent,
      fallbackToFull: options.fallbackToFull,
      ...(options.allowNeverReported ? { allowNeverReported: true } : {}),
      ...(isTimed ? { timeZone } : {}),
      ...(start === '' ? {} : { plannedTime: { start, end } }),
      ...(pushFrom === '' ? {} : { pushPeriod: { from: pushFrom, to: pushTo } }),
      ...(options.mode === 'silent' || written.length === 0
        ? {}
        : {
            upgradeTexts: Object.fromEntries(
              written.map(({ language, text }) => [language, text.trim()]),
            ),
          }),
    },
  };
}

/** The order with the component at `index` one place earlier or later. */
export function moved(ids: readonly string[], index: number, by: -1 | 1): readonly string[] {
  const id = ids[index];
  const other = ids[index + by];
  if (id === undefined || other === undefined) return ids;
  return ids.with(index, other).with(index + by, id);
}
