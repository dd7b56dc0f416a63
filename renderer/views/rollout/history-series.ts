import type { HistoryPoint } from '../../../shared/domain/plan.ts';
import { stackedStates } from './status-text.ts';

const maxChartPoints = 600;

/** Times in seconds, then for each of {@link stackedStates} the number of devices up to the top of its band. */
export type StackedSeries = readonly [
  times: readonly number[],
  ...tops: readonly (readonly number[])[],
];

/** At most 600 points, evenly chosen, the first and the last always among them. */
export function thin<T>(points: readonly T[], most: number = maxChartPoints): readonly T[] {
  if (points.length <= most) return points;
  return Array.from({ length: most }, (_, index) => {
    const at = Math.round((index * (points.length - 1)) / (most - 1));
    return points[at] as T;
  });
}

/** The top of the failed devices' band where there are any: a band of one in 10,000 cannot be seen. */
export function failedLine([, ...tops]: StackedSeries): readonly (number | null)[] {
  const at = stackedStates.indexOf('failed');
  const below = tops[at - 1] ?? [];
  return (tops[at] ?? []).map((top, index) => (top > (below[index] ?? 0) ? top : null));
}

const endShare = 0.04;
const leastEndMs = 1000;

/** How far the chart of a plan that has ended reaches beyond its last counts, so that these can be seen; milliseconds since 1970. */
export function endOfChart(history: readonly HistoryPoint[]): number {
  const firstMs = history[0]?.atMs ?? 0;
  const lastMs = history.at(-1)?.atMs ?? 0;
  return lastMs + Math.max(leastEndMs, (lastMs - firstMs) * endShare);
}

/**
 * The history as bands on top of each other. Counts hold until they change, so the last ones reach
 * to `untilMs` (milliseconds since 1970).
 */
export function stackedSeries(history: readonly HistoryPoint[], untilMs: number): StackedSeries {
  const points = [...thin(history)];
  const last = points.at(-1);
  if (last && untilMs > last.atMs) points.push({ ...last, atMs: untilMs });
  const below = points.map(() => 0);
  const tops = stackedStates.map((state) =>
    points.map((point, index) => {
      below[index] = (below[index] ?? 0) + point[state];
      return below[index] as number;
    }),
  );
  return [points.map((point) => point.atMs / 1000), ...tops];
}
