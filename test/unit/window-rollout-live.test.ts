import { describe, expect, test } from 'vitest';
import type { HistoryPoint, PlanStatus } from '../../shared/domain/plan.ts';
import {
  endOfChart,
  failedLine,
  stackedSeries,
  thin,
} from '../../renderer/views/rollout/history-series.ts';
import {
  componentsText,
  statePartsOf,
  successRateText,
} from '../../renderer/views/rollout/status-text.ts';

const counts = { notUpgraded: 0, upgrading: 0, upgraded: 0, failed: 0, noUpdateRequired: 0 };
const status = (changes: Partial<PlanStatus>): PlanStatus => ({
  planId: 'p',
  state: 'upgrading',
  counts,
  successRate: null,
  failureReasons: [],
  skipped: [],
  ...changes,
});
const point = (atMs: number, changes: Partial<HistoryPoint>): HistoryPoint => ({
  ...counts,
  atMs,
  ...changes,
});

test('the parts of the bar add up to all devices', () => {
  const parts = statePartsOf({ ...counts, notUpgraded: 1, upgraded: 2, failed: 1 });
  expect(parts.map(({ title, count, percent }) => [title, count, percent])).toEqual([
    ['Upgraded', 2, 50],
    ['Upgrading', 0, 0],
    ['Failed', 1, 25],
    ['Not upgraded', 1, 25],
  ]);
  expect(statePartsOf(counts).map((part) => part.percent)).toEqual([0, 0, 0, 0]);
});

test('the success rate is never rounded up over a failure', () => {
  expect(successRateText(status({}))).toBe('No device has finished yet');
  expect(
    successRateText(
      status({ successRate: 9999 / 10_000, counts: { ...counts, upgraded: 9999, failed: 1 } }),
    ),
  ).toBe('99.9 % of 10,000 finished');
  expect(successRateText(status({ successRate: 1, counts: { ...counts, upgraded: 20 } }))).toBe(
    '100 % of 20 finished',
  );
});

test('the share is told while a device downloads and only then', () => {
  const component = {
    componentId: 'STM32',
    fromVersion: '1.0.0',
    toVersion: '1.1.0',
    packageType: 'full' as const,
    progress: 0.999,
  };
  const downloading = { ...component, state: 'downloading' as const };
  const upgrading = { ...component, componentId: 'EC600N', state: 'upgrading' as const };
  expect(componentsText([downloading])).toBe('Downloading 99 %');
  expect(componentsText([upgrading])).toBe('Upgrading');
  expect(componentsText([upgrading, downloading])).toBe(
    'EC600N: Upgrading; STM32: Downloading 99 %',
  );
});

describe('the chart over time', () => {
  test('stacks the states and holds the last counts until now', () => {
    const series = stackedSeries(
      [
        point(1000, { notUpgraded: 10 }),
        point(3000, { notUpgraded: 4, upgrading: 1, upgraded: 3, failed: 2 }),
      ],
      5000,
    );
    expect(series).toEqual([
      [1, 3, 5],
      [0, 3, 3],
      [0, 3, 3],
      [0, 4, 4],
      [0, 6, 6],
      [10, 10, 10],
    ]);
  });

  test('marks where devices have failed, and only there', () => {
    const series = stackedSeries(
      [point(1000, { notUpgraded: 9 }), point(2000, { upgraded: 8, failed: 1 })],
      2000,
    );
    expect(failedLine(series)).toEqual([null, 9]);
  });

  test('leaves room at its end to see the last counts', () => {
    const history = [point(0, { notUpgraded: 2 }), point(100_000, { upgraded: 2 })];
    expect(stackedSeries(history, endOfChart(history))[0]).toEqual([0, 100, 104]);
    expect(endOfChart(history.slice(0, 1))).toBe(1000);
  });

  test('has no band without a history, and does not go back in time', () => {
    expect(stackedSeries([], 5000)).toEqual([[], [], [], [], [], []]);
    expect(stackedSeries([point(9000, { failed: 1 })], 5000)[0]).toEqual([9]);
  });

  test('draws a long rollout with few points, its ends among them', () => {
    const thinned = thin(Array.from({ length: 36_001 }, (_, at) => at));
    expect([thinned.length, thinned[0], thinned.at(-1)]).toEqual([600, 0, 36_000]);
    expect(new Set(thinned).size).toBe(600);
    expect(thin([1, 2, 3])).toEqual([1, 2, 3]);
  });
});
