import fc from 'fast-check';
import { expect, test } from 'vitest';
import { rehearsal, sampleScope } from '../../shared/domain/dry-run.ts';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import { decideScope } from '../../shared/domain/scope.ts';
import { componentId, makeDevice, makePlan } from '../support/cloud.ts';

const plan = planDraftSchema.parse({ ...makePlan('full'), blacklist: ['dev-0'] });

test('whatever the fleet, each kind of device has its share of the sample, and no real id', () => {
  const kind = fc.record({
    transport: fc.constantFrom('http', 'mqtt', 'lwm2m'),
    version: fc.constantFrom('1.0.0', '1.0.5', '1.1.0'),
  });
  fc.assert(
    fc.property(fc.array(kind, { maxLength: 60 }), fc.integer({ min: 1, max: 30 }), (kinds, n) => {
      const devices = kinds.map(({ transport, version }, at) =>
        makeDevice(`dev-${at}`, { transport, versions: { [componentId]: version } }),
      );
      const decisions = decideScope(plan, devices, { chinaTelecomIccidPrefixes: [] });
      const chosen = devices.filter((_, at) => decisions[at]?.action !== 'skip');
      const sample = sampleScope(plan, devices, decisions, n);
      expect(sample).toHaveLength(Math.min(n, chosen.length));
      expect(new Set(sample.map(({ id }) => id)).size).toBe(sample.length);
      for (const transport of ['http', 'mqtt', 'lwm2m']) {
        const count = (all: readonly { transport: string }[]) =>
          all.filter((device) => device.transport === transport).length;
        const share = (count(chosen) * sample.length) / Math.max(1, chosen.length);
        expect(Math.abs(count(sample) - share)).toBeLessThanOrEqual(1);
      }
      for (const { id, versions } of sample) {
        expect(devices.some((device) => device.id === id)).toBe(false);
        expect(versions[componentId]).not.toBe('1.1.0');
      }
    }),
  );
});

test('a rehearsal has no lists, times, soak and holds, and keeps the stop rules', () => {
  const rule = { failurePercent: 5, minFinished: 20 };
  const staged = planDraftSchema.parse({
    ...plan,
    timeZone: 'UTC',
    plannedTime: { start: '2026-05-01T10:00', end: '2026-05-02T10:00' },
    stages: [{ upToCount: 1, soakMinutes: 90, hold: true }, {}],
    stopRules: rule,
  });
  const made = rehearsal(staged);
  expect(made).toMatchObject({ blacklist: [], stopRules: rule });
  expect(made.plannedTime).toBeUndefined();
  expect(made.stages?.map(({ soakMinutes, hold }) => [soakMinutes, hold])).toEqual([
    [0, false],
    [0, false],
  ]);
});
