import { type PlanSchedule, isPushTime, planTimes, scheduleFault } from './plan-schedule.ts';
import type { PlanDraft } from './plan.ts';

/** What a plan asks of a device when it says nothing else (Quectel console, upgrade strategy). */
export const defaultStrategy = { minRsrpDbm: -113, minBatteryPercent: 30 } as const;

/** Languages that the texts of a manual plan must be in. */
export const mandatoryLanguages = ['zh', 'en'] as const;

/** Least length of an appointed window in milliseconds. */
export const minAppointmentMs = 3_600_000;

/** Why a device of an open plan is not given its job yet, in the order in which they are looked at. */
export const holdReasons = [
  'suspended',
  'ended',
  'notStarted',
  'outsidePushPeriod',
  'lowBattery',
  'weakSignal',
  'confirmation',
  'appointment',
] as const;
export type HoldReason = (typeof holdReasons)[number];

/** Why a device waits, in words with its figures. */
export interface Hold {
  readonly reason: HoldReason;
  readonly detail: string;
}

/** What a device last said about itself; null when it never did. */
export interface DeviceSignals {
  /** 0..100. */
  readonly batteryPercent: number | null;
  readonly rsrpDbm: number | null;
}

/** What the user of a device said about a manual plan. */
export interface Consent {
  readonly given: 'confirmed' | 'appointed' | null;
  /** The appointed window in milliseconds since 1970. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
}

type Strategy = Pick<PlanDraft, 'minRsrpDbm' | 'minBatteryPercent'>;

/** Why a plan cannot be carried out as written, or null. */
export function planFault(
  plan: Pick<PlanDraft, 'mode' | 'components' | 'upgradeTexts' | keyof PlanSchedule>,
): string | null {
  const missing = mandatoryLanguages.filter((language) => !plan.upgradeTexts?.[language]?.trim());
  if (plan.mode === 'manual' && missing.length > 0)
    return `A manual plan tells users what it brings: the upgrade text in ${missing.join(' and ')} is missing.`;
  const twice = plan.components.find(
    ({ componentId }, index) =>
      plan.components.findIndex((other) => other.componentId === componentId) !== index,
  );
  if (twice) return `${twice.componentId} is in the upgrade sequence twice.`;
  return scheduleFault(plan);
}

/** Why a plan gives no device a job at this time, whatever the device; null when it does. */
export function planHold(plan: PlanDraft, nowMs: number): Hold | null {
  const { startMs } = planTimes(plan);
  if (startMs !== null && nowMs < startMs)
    return {
      reason: 'notStarted',
      detail: `the plan starts ${plan.plannedTime?.start.replace('T', ' ')} ${plan.timeZone}`,
    };
  if (!isPushTime(plan, nowMs))
    return {
      reason: 'outsidePushPeriod',
      detail: `pushed ${plan.pushPeriod?.from} to ${plan.pushPeriod?.to} ${plan.timeZone} only`,
    };
  return null;
}

/** Why the strategy of a plan holds a device; one that never told a value is not held for it. */
export function strategyHold(plan: Strategy, signals: DeviceSignals): Hold | null {
  const { batteryPercent, rsrpDbm } = signals;
  const { minBatteryPercent, minRsrpDbm } = strategyOf(plan);
  if (batteryPercent !== null && batteryPercent < minBatteryPercent)
    return {
      reason: 'lowBattery',
      detail: `battery ${batteryPercent} % < ${minBatteryPercent} %`,
    };
  if (rsrpDbm !== null && rsrpDbm < minRsrpDbm)
    return { reason: 'weakSignal', detail: `RSRP ${rsrpDbm} dBm < ${minRsrpDbm} dBm` };
  return null;
}

/** Why a manual plan waits for the user of a device; a window that has passed is to be confirmed anew. */
export function consentHold(plan: PlanDraft, consent: Consent, nowMs: number): Hold | null {
  const { given, fromMs, toMs } = consent;
  if (plan.mode === 'silent' || given === 'confirmed') return null;
  if (given === null || fromMs === null || toMs === null)
    return { reason: 'confirmation', detail: 'not confirmed yet' };
  if (nowMs < fromMs)
    return { reason: 'appointment', detail: `appointed for ${new Date(fromMs).toISOString()}` };
  if (nowMs >= toMs)
    return {
      reason: 'confirmation',
      detail: 'its window has passed',
    };
  return null;
}

/** The limits of a plan, with what counts when it gives none. */
export function strategyOf(plan: Strategy): Required<{ [K in keyof Strategy]: number }> {
  return {
    minRsrpDbm: plan.minRsrpDbm ?? defaultStrategy.minRsrpDbm,
    minBatteryPercent: plan.minBatteryPercent ?? defaultStrategy.minBatteryPercent,
  };
}

/** Why a window cannot be appointed, or null: it lies in the plan's time and lasts an hour or more. */
export function appointmentFault(
  plan: PlanSchedule,
  fromMs: number,
  toMs: number,
  nowMs: number,
): string | null {
  const { startMs, endMs } = planTimes(plan);
  if (toMs - fromMs < minAppointmentMs) return 'A window lasts an hour or more.';
  if (startMs !== null && fromMs < startMs) return 'The window begins before the plan starts.';
  if (endMs !== null && toMs > endMs) return 'The window ends after the plan.';
  if (toMs <= nowMs) return 'The window has passed.';
  return null;
}
