import { instantOf, isLocalTime, isTimeZone, localTimeOf } from './local-time.ts';
import type { PlanDraft } from './plan.ts';

/** When a plan may push: its zone, planned time and daily push period. */
export type PlanSchedule = Pick<PlanDraft, 'timeZone' | 'plannedTime' | 'pushPeriod'>;

/** The start and end of a plan as instants, in milliseconds since 1970; null where it has none. */
export interface PlanTimes {
  readonly startMs: number | null;
  readonly endMs: number | null;
}

const noTimes: PlanTimes = { startMs: null, endMs: null };
/** Asked for once per device, and dear to compute. */
const knownTimes = new WeakMap<PlanSchedule, PlanTimes>();

/** Why a schedule cannot be carried out, or null when it can. */
export function scheduleFault(schedule: PlanSchedule): string | null {
  const { timeZone, plannedTime, pushPeriod } = schedule;
  if (timeZone === undefined)
    return plannedTime || pushPeriod ? 'The time zone of the planned time is missing.' : null;
  if (!isTimeZone(timeZone)) return `${timeZone} is not a time zone of the IANA database.`;
  for (const local of plannedTime ? [plannedTime.start, plannedTime.end] : [])
    if (!isLocalTime(local)) return `${local} is no day and minute of the calendar.`;
  const { startMs, endMs } = planTimes(schedule);
  if (startMs !== null && endMs !== null && endMs <= startMs)
    return 'The planned time ends before it starts.';
  if (pushPeriod && pushPeriod.from === pushPeriod.to)
    return 'The push period begins and ends at the same minute.';
  return null;
}

/** The planned time of a schedule without a fault ({@link scheduleFault}). */
export function planTimes(schedule: PlanSchedule): PlanTimes {
  const { timeZone, plannedTime } = schedule;
  if (timeZone === undefined || plannedTime === undefined) return noTimes;
  const known = knownTimes.get(schedule);
  if (known) return known;
  const times = {
    startMs: instantOf(plannedTime.start, timeZone, 'start'),
    endMs: instantOf(plannedTime.end, timeZone, 'end'),
  };
  knownTimes.set(schedule, times);
  return times;
}

/** How many minutes of a day the push period is open. */
export function dailyMinutes({ from, to }: NonNullable<PlanSchedule['pushPeriod']>): number {
  const minuteOf = (time: string): number => 60 * Number(time.slice(0, 2)) + Number(time.slice(3));
  return (minuteOf(to) - minuteOf(from) + 24 * 60) % (24 * 60);
}

/**
 * Whether the daily push period is open: the wall clock of the zone is at or after `from` and before
 * `to`, over midnight when `to` is the earlier one. An hour that comes twice is open both times.
 */
export function isPushTime(schedule: PlanSchedule, nowMs: number): boolean {
  const { timeZone, pushPeriod } = schedule;
  if (timeZone === undefined || pushPeriod === undefined) return true;
  const time = localTimeOf(nowMs, timeZone).slice(11);
  const { from, to } = pushPeriod;
  return from < to ? from <= time && time < to : from <= time || time < to;
}
