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

/**
 * The history as bands on top of each other. Counts hold until they change, so the last ones reach
 * to `untilMs` (milliseconds since 1970) while the plan is active.
 */
export function stackedSeries(
  history: readonly HistoryPoint[],
  untilMs: number | null,
): StackedSeries {
  const points = [...thin(history)];
  const last = points.at(-1);
  if (last && untilMs !== null && untilMs > last.atMs) points.push({ ...last, atMs: untilMs });
  const below = points.map(() => 0);
  const tops = stackedStates.map((state) =>
    points.map((point, index) => {
      below[index] = (below[index] ?? 0) + point[state];
      return below[index] as number;
    }),
  );
  return [points.map((point) => point.atMs / 1000), ...tops];
}
