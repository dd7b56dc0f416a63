import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  appointmentFault,
  consentHold,
  planFault,
  planHold,
  strategyHold,
} from '../../shared/domain/plan-strategy.ts';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import { choosePackage } from '../../shared/domain/scope.ts';
import { makePlan } from '../support/cloud.ts';

const hourMs = 3_600_000;
const timed = makePlan('full', {
  timeZone: 'UTC',
  plannedTime: { start: '2026-05-01T10:00', end: '2026-05-02T10:00' },
  pushPeriod: { from: '08:00', to: '18:00' },
});
const startMs = Date.parse('2026-05-01T10:00Z');

test('a device is held for what it told, and only for that', () => {
  const plan = makePlan('full');
  expect(strategyHold(plan, { batteryPercent: 12, rsrpDbm: null })).toEqual({
    reason: 'lowBattery',
    detail: 'battery 12 % < 30 %',
  });
  expect(strategyHold(plan, { batteryPercent: 30, rsrpDbm: -114 })?.detail).toBe(
    'RSRP -114 dBm < -113 dBm',
  );
  expect(strategyHold(plan, { batteryPercent: null, rsrpDbm: null })).toBeNull();
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: -140, max: -44 }), (b, r) => {
      const held = strategyHold(
        { minBatteryPercent: 50, minRsrpDbm: -100 },
        { batteryPercent: b, rsrpDbm: r },
      );
      expect(held === null).toBe(b >= 50 && r >= -100);
    }),
  );
});

test('nothing is pushed before the start or outside the push period', () => {
  expect(planHold(timed, startMs - 1)?.reason).toBe('notStarted');
  expect(planHold(timed, startMs)).toBeNull();
  expect(planHold(timed, startMs + 8 * hourMs)?.detail).toBe('pushed 08:00 to 18:00 UTC only');
  expect(planHold(makePlan('full'), 0)).toBeNull();
});

test('a manual plan waits for its user, or for the appointed window', () => {
  const plan = { ...timed, mode: 'manual' as const };
  const none = { given: null, fromMs: null, toMs: null };
  const appointed = { given: 'appointed', fromMs: 1000, toMs: 2000 } as const;
  expect(consentHold(timed, none, 0)).toBeNull();
  expect(consentHold(plan, none, 0)?.reason).toBe('confirmation');
  expect(consentHold(plan, { ...none, given: 'confirmed' }, 0)).toBeNull();
  expect(consentHold(plan, appointed, 999)?.reason).toBe('appointment');
  expect(consentHold(plan, appointed, 1000)).toBeNull();
  expect(consentHold(plan, appointed, 2000)?.reason).toBe('confirmation');
});

test('a window is an hour or more, inside the plan', () => {
  const fault = (fromMs: number, toMs: number) => appointmentFault(timed, fromMs, toMs, startMs);
  expect(fault(startMs, startMs + hourMs)).toBeNull();
  expect(fault(startMs, startMs + hourMs - 1)).toMatch(/an hour/);
  expect(fault(startMs - 1, startMs + hourMs)).toMatch(/before the plan/);
  expect(fault(startMs + 23.5 * hourMs, startMs + 24.5 * hourMs)).toMatch(/after the plan/);
  expect(appointmentFault(timed, startMs, startMs + hourMs, startMs + hourMs)).toMatch(/passed/);
});

test('a manual plan has its texts in Chinese and English', () => {
  const manual = { ...makePlan('full'), mode: 'manual' as const };
  expect(planFault(manual)).toMatch(/zh and en/);
  expect(planFault({ ...manual, upgradeTexts: { zh: '新', en: ' ' } })).toMatch(/ en is/);
  expect(planFault({ ...manual, upgradeTexts: { zh: '新', en: 'New', de: 'Neu' } })).toBeNull();
});

test('limits are those of the console', () => {
  const refused = (changes: object) =>
    !planDraftSchema.safeParse({ ...makePlan('full'), ...changes }).success;
  expect(refused({})).toBe(false);
  expect(refused({ minRsrpDbm: -114 })).toBe(true);
  expect(refused({ minBatteryPercent: 29 })).toBe(true);
  expect(refused({ retries: 6 })).toBe(true);
  expect(refused({ plannedTime: { start: 'tomorrow', end: '2026-05-02T10:00' } })).toBe(true);
  expect(refused({ pushPeriod: { from: '24:00', to: '02:00' } })).toBe(true);
  expect(refused({ upgradeTexts: { English: 'x' } })).toBe(true);
});

test('a device without its delta gets the full package unless the plan says no', () => {
  const deltas = [{ sourceVersion: '1.0.0', packageId: 'delta' }];
  const component = { ...timed.components[0], deltas } as (typeof timed.components)[number];
  const none = { fallbackToFull: false };
  expect(choosePackage(component, '1.0.00')?.packageType).toBe('full');
  expect(choosePackage(component, '1.0.00', none)).toBeNull();
  expect(choosePackage(component, '1.0.0', none)?.packageType).toBe('delta');
  expect(choosePackage({ ...component, deltas: [] }, '0.9', none)?.packageType).toBe('full');
});
