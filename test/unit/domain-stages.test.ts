import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import { stagesSchema, stopRulesSchema } from '../../shared/domain/plan-stages.ts';
import {
  brokenRule,
  dealStages,
  isGateMet,
  judgeStage,
  type StageRule,
  type StageTally,
  stageFaults,
  stageSizes,
} from '../../shared/domain/stages.ts';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const rule = (fields: Partial<StageRule> = {}): StageRule => ({
  soakMinutes: 60,
  successPercent: 90,
  finishedPercent: 50,
  hold: false,
  ...fields,
});
const upTo = (...percents: (number | null)[]): StageRule[] =>
  percents.map((upToPercent) => (upToPercent === null ? rule() : rule({ upToPercent })));
const tally = (fields: Partial<StageTally> = {}): StageTally => ({
  devices: 100,
  upgraded: 0,
  failed: 0,
  silent: 0,
  accepted: 0,
  noUpdateRequired: 0,
  ...fields,
});

describe('sizes and cohorts', () => {
  test.each([
    [upTo(5, 25, null), 10_000, [500, 2000, 7500]],
    [upTo(5, 25, 100), 10, [1, 2, 7]],
    // 7 % of 10,000 as a product of floating-point numbers is a little more than 700.
    [upTo(7, null), 10_000, [700, 9300]],
    [[rule({ upToCount: 10 }), rule({ upToPercent: 5 }), rule()], 1000, [10, 40, 950]],
    [[rule({ upToCount: 500 }), rule()], 100, [100, 0]],
    [upTo(null), 3, [3]],
  ])('%j over %i devices', (stages, total, sizes) => {
    expect(stageSizes(stages, total)).toEqual(sizes);
  });

  test('each stage takes its size, whatever the ids; the same ids and seed give the same stages', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 12 }), { maxLength: 300 });
    const percents = fc.uniqueArray(fc.integer({ min: 1, max: 99 }), {
      minLength: 1,
      maxLength: 5,
    });
    fc.assert(
      fc.property(ids, fc.string(), percents, (deviceIds, seed, some) => {
        const stages = upTo(...some.toSorted((a, b) => a - b), null);
        const places = dealStages(deviceIds, seed, stages, sha256);
        const sizes = stages.map((_, at) => [...places.values()].filter((s) => s === at).length);
        expect(sizes).toEqual(stageSizes(stages, deviceIds.length));
        const again = dealStages(deviceIds.toReversed(), seed, stages, sha256);
        expect(new Map([...again].sort())).toEqual(new Map([...places].sort()));
      }),
    );
  });

  test('a further device moves at most one device across each border', () => {
    const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2, maxLength: 200 });
    fc.assert(
      fc.property(ids, fc.string(), (deviceIds, seed) => {
        const stages = upTo(5, 25, 60, null);
        const before = dealStages(deviceIds.slice(1), seed, stages, sha256);
        const after = dealStages(deviceIds, seed, stages, sha256);
        const crossed = [...before].reduce(
          (sum, [id, stage]) => sum + Math.abs((after.get(id) ?? 9) - stage),
          0,
        );
        expect(crossed).toBeLessThanOrEqual(stages.length - 1);
      }),
    );
  });

  test('another seed deals anew, and the rule can be followed with sha256sum', () => {
    const ids = Array.from({ length: 1000 }, (_, at) => `DEV-${at}`);
    const stages = upTo(10, null);
    const firstOf = (seed: string): string[] =>
      [...dealStages(ids, seed, stages, sha256)].flatMap(([id, stage]) => (stage === 0 ? id : []));
    const both = firstOf('one').filter((id) => firstOf('two').includes(id));
    expect(both.length).toBeGreaterThan(0);
    expect(both.length).toBeLessThan(30);
    const byHand = ids.toSorted((a, b) => (sha256(`one\n${a}`) < sha256(`one\n${b}`) ? -1 : 1));
    expect(new Set(firstOf('one'))).toEqual(new Set(byHand.slice(0, 100)));
  });
});

describe('what is written down', () => {
  test.each([
    [[], 'Too small'],
    [[{ upToPercent: 5 }], 'the last stage takes the rest'],
    [[{}, {}], 'either as a percentage or as a number'],
    [[{ upToPercent: 5, upToCount: 5 }, {}], 'either as a percentage or as a number'],
    [[{ upToPercent: 25 }, { upToPercent: 25 }, {}], 'must reach more than 25 %'],
    [[{ upToCount: 25 }, { upToCount: 5 }, {}], 'must reach more than 25 devices'],
    [[{ upToPercent: 100 }, {}], 'none is left for the next stage'],
    [[{ upToPercent: 5, soak: 3 }, {}], 'Unrecognized key'],
  ])('%j is refused', (stages, why) => {
    const result = stagesSchema.safeParse(stages);
    expect(result.error?.issues.map(({ message }) => message).join()).toContain(why);
  });

  test('a fault names its stage, stop rules name at least one limit', () => {
    expect(stageFaults(upTo(30, 20, null))).toMatchObject([{ stage: 1 }]);
    expect(stopRulesSchema.safeParse({ silentAfterMinutes: 5 }).success).toBe(false);
    expect(stopRulesSchema.parse({ failureCount: 1 })).toEqual({
      failureCount: 1,
      minFinished: 20,
    });
  });

  test('a plan of earlier times stays as it was, to the byte', () => {
    const old = { name: 'p', productId: 'P', releaseId: 'r', components: [component] };
    const keys = Object.keys(planDraftSchema.parse(old));
    expect(keys).not.toContain('stages');
    expect(keys).not.toContain('stopRules');
  });
});

const component = {
  componentId: 'APP',
  componentType: 'mcu',
  targetVersion: '1.1.0',
  fullPackageId: 'x',
  deltas: [],
};

describe('the gate of a stage', () => {
  test.each([
    ['nobody has finished', tally(), false],
    ['too few have finished', tally({ upgraded: 49 }), false],
    ['enough have finished well', tally({ upgraded: 45, failed: 5 }), true],
    ['too many failed', tally({ upgraded: 44, failed: 6 }), false],
    ['silent devices are failures', tally({ upgraded: 44, silent: 6 }), false],
    ['accepted ones are not', tally({ upgraded: 44, failed: 4, accepted: 2 }), true],
    ['only accepted ones have finished', tally({ accepted: 100 }), false],
    ['those that need nothing do not count', tally({ noUpdateRequired: 80, upgraded: 10 }), true],
    ['nobody is due', tally({ noUpdateRequired: 100 }), true],
  ])('%s', (_, counted, isMet) => {
    expect(isGateMet(rule(), counted)).toBe(isMet);
  });

  test('it soaks, starts over when the gate is lost, and holds where a person has to decide', () => {
    const good = tally({ upgraded: 100 });
    const minute = 60_000;
    expect(judgeStage(rule(), tally(), null, 5)).toMatchObject({ step: 'wait', gateMetMs: null });
    const met = judgeStage(rule(), good, null, 5);
    expect(met).toEqual({ step: 'soak', gateMetMs: 5, soakLeftMs: 60 * minute });
    const at = (nowMs: number) => judgeStage(rule(), good, 5, nowMs);
    expect(at(5 + 59 * minute)).toMatchObject({ step: 'soak', soakLeftMs: minute });
    expect(at(5 + 60 * minute)).toMatchObject({ step: 'open-next', soakLeftMs: 0 });
    const lost = tally({ upgraded: 50, failed: 50 });
    expect(judgeStage(rule(), lost, 5, 9)).toMatchObject({ step: 'wait', gateMetMs: null });
    const held = judgeStage(rule({ hold: true, soakMinutes: 0 }), good, null, 5);
    expect(held).toMatchObject({ step: 'hold', gateMetMs: 5 });
    // A kill may have forgotten a few seconds: what is in the future has just happened.
    expect(judgeStage(rule(), good, 900, 5)).toMatchObject({ step: 'soak', gateMetMs: 5 });
  });
});

describe('stop rules', () => {
  const share = { failurePercent: 10, minFinished: 20 };
  test.each([
    ['too few have finished', share, [tally({ failed: 19 })], null],
    ['the share is not reached', share, [tally({ upgraded: 91, failed: 9 })], null],
    [
      'the share is reached',
      share,
      [tally({ upgraded: 18, failed: 2 })],
      { stage: null, failed: 2 },
    ],
    [
      'silent ones count',
      share,
      [tally({ upgraded: 18, silent: 2 })],
      { stage: null, silent: 2, failed: 0, finished: 20 },
    ],
    ['accepted ones do not', share, [tally({ upgraded: 18, accepted: 50 })], null],
    [
      'a bad stage is not hidden by a good one',
      share,
      [tally({ upgraded: 1000 }), tally({ upgraded: 10, failed: 10 })],
      { rule: 'failurePercent', limit: 10, stage: 1, failed: 10, finished: 20 },
    ],
    [
      'small stages add up',
      share,
      [tally({ upgraded: 9, failed: 1 }), tally({ upgraded: 8, failed: 2 })],
      { stage: null, failed: 3 },
    ],
    ['a number below it', { failureCount: 3, minFinished: 20 }, [tally({ failed: 2 })], null],
    [
      'a number over all stages, without a sample',
      { failureCount: 3, minFinished: 20 },
      [tally({ failed: 2 }), tally({ silent: 1 })],
      { rule: 'failureCount', limit: 3, stage: null, failed: 2, silent: 1 },
    ],
  ])('%s', (_, rules, tallies, found) => {
    const result = brokenRule(rules, tallies);
    if (found === null) expect(result).toBeNull();
    else expect(result).toMatchObject(found);
  });
});
