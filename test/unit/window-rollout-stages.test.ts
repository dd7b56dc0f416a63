import { describe, expect, test } from 'vitest';
import { planDraftSchema } from '../../shared/domain/plan.ts';
import type { PlanStop, StageStatus } from '../../shared/domain/plan-stages.ts';
import {
  paceOf,
  proposedStage,
  proposedStages,
  proposedStopRules,
  sizesOf,
} from '../../renderer/views/rollout/stage-choices.ts';
import {
  finishedText,
  gateText,
  logText,
  stageParts,
  stopText,
} from '../../renderer/views/rollout/stage-text.ts';

describe('what a person chooses', () => {
  test('what is proposed is what the engine takes', () => {
    const paced = paceOf({ stages: proposedStages, stopRules: proposedStopRules });
    if (!('pace' in paced)) throw new Error(paced.missing);
    const shape = planDraftSchema.pick({ stages: true, stopRules: true });
    const { stages, stopRules } = shape.parse(paced.pace);
    expect(stages?.map(({ upToPercent }) => upToPercent)).toEqual([5, 25, undefined]);
    expect(stages?.[0]).toMatchObject({ soakMinutes: 60, successPercent: 95, hold: false });
    expect(stopRules).toEqual({ failurePercent: 10, minFinished: 20, silentAfterMinutes: 60 });
    expect(paceOf({ stages: null, stopRules: null })).toEqual({ pace: {} });
  });

  test.each([
    [[{ ...proposedStage, size: '' as const }, proposedStage], 'Stage 1: give its size'],
    [[{ ...proposedStage, size: 0 }, proposedStage], 'Stage 1: the stages up to it must reach'],
    [
      [{ ...proposedStage, size: 5, soakMinutes: '' as const }, proposedStage],
      'Stage 1: say how many minutes',
    ],
    [
      [{ ...proposedStage, size: 5, finishedPercent: 0 }, proposedStage],
      'Stage 1: say how many percent must have finished',
    ],
    [
      [{ ...proposedStage, size: 5 }, { ...proposedStage, size: 5 }, proposedStage],
      'Stage 2: the stages up to it must reach more than 5 %',
    ],
  ])('stages %#: %s', (stages, why) => {
    expect(paceOf({ stages, stopRules: null })).toMatchObject({
      missing: expect.stringContaining(why),
    });
  });

  test.each([
    [{ ...proposedStopRules, failurePercent: '' as const }, 'give a share or a number'],
    [{ ...proposedStopRules, failurePercent: 0 }, 'a limit of 0'],
    [{ ...proposedStopRules, minFinished: '' as const }, 'how many devices must have finished'],
  ])('stop rules %#', (stopRules, why) => {
    expect(paceOf({ stages: null, stopRules })).toMatchObject({
      missing: expect.stringContaining(why),
    });
  });

  test('sizes follow the scope; none while one is missing', () => {
    expect(sizesOf(proposedStages, 1000)).toEqual([50, 200, 750]);
    const counted = [{ ...proposedStage, size: 30, unit: 'count' as const }, proposedStage];
    expect(sizesOf(counted, 1000)).toEqual([30, 970]);
    expect(sizesOf([{ ...proposedStage, size: '' }, proposedStage], 10)).toBeNull();
  });
});

const stage: StageStatus = {
  stage: 1,
  state: 'open',
  devices: 200,
  notUpgraded: 10,
  upgrading: 5,
  upgraded: 180,
  failed: 2,
  silent: 1,
  accepted: 3,
  openedAt: null,
  openedBy: null,
  gateMetAt: null,
  soakLeftMs: null,
};
const stop: PlanStop = {
  at: '2026-01-01T00:00:00.000Z',
  rule: 'failurePercent',
  limit: 10,
  stage: 2,
  failed: 3,
  silent: 1,
  finished: 30,
  devices: [],
  resumed: null,
};

test('a stage says what became of its devices, and its gate how far it is; never rounded up', () => {
  expect(finishedText(stage)).toBe('180 of 200 upgraded, 2 failed, 1 silent, 3 accepted');
  expect(stageParts(stage)).toContainEqual({ state: 'failed', count: 5 });
  const rule = { soakMinutes: 0, successPercent: 98.5, finishedPercent: 95, hold: false };
  expect(gateText(rule, stage)).toBe(
    '98.3 % of the finished upgraded (gate 98.5 %), 93 % finished (gate 95 %).',
  );
  const untouched = { ...stage, upgraded: 0, failed: 0, silent: 0, accepted: 0 };
  expect(gateText(rule, untouched)).toContain('– of the finished upgraded');
});

test('a stop names its rule and its numbers; a line of the log is a sentence', () => {
  expect(stopText(stop)).toBe(
    '4 failures (3 failed, 1 silent) among 30 finished devices in stage 2: 13.3 %, and the plan stops at 10 %.',
  );
  expect(stopText({ ...stop, rule: 'failureCount', limit: 1, stage: null })).toContain(
    'in the whole plan, and the plan stops at 1 failure.',
  );
  const line = { at: stop.at, componentId: 'APP', code: 'E7', detail: null };
  expect(logText({ ...line, event: 'downloadFailed' })).toBe('APP: Download failed: E7');
  expect(logText({ ...line, event: 'heardAgain', componentId: null, code: null })).toBe(
    'Heard from again',
  );
});
