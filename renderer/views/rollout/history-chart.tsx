import 'uplot/dist/uPlot.min.css';
import { useComputedColorScheme } from '@mantine/core';
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from 'react';
import uPlot from 'uplot';
import type { HistoryPoint } from '../../../shared/domain/plan.ts';
import { clockText, countText } from '../../widgets/format-text.ts';
import { chartOptions, sizeOf } from './history-chart-options.ts';
import { endOfChart, failedLine, type StackedSeries, stackedSeries } from './history-series.ts';
import classes from './live-plan.module.css';
import { deviceStateTitles, stackedStates } from './status-text.ts';

/**
 * Devices by state over time as stacked bands. It takes the keyboard: left and right move along
 * the time axis, and what is under the cursor is told as text below.
 */
export function HistoryChart(props: {
  readonly history: readonly HistoryPoint[];
  readonly isActive: boolean;
}) {
  const { history, isActive } = props;
  const scheme = useComputedColorScheme();
  const hostRef = useRef<HTMLDivElement>(null);
  const plotRef = useRef<uPlot | null>(null);
  const [cursor, setCursor] = useState<number | null>(null);
  const series = useMemo(
    () => stackedSeries(history, isActive ? Date.now() : endOfChart(history)),
    [history, isActive],
  );
  const latest = useRef(series);
  latest.current = series;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the colours come with the scheme
  useEffect(() => {
    const host = hostRef.current;
    if (!host) return undefined;
    const plot = new uPlot(chartOptions(host, setCursor), dataOf(latest.current), host);
    plotRef.current = plot;
    const observer = new ResizeObserver(() => plot.setSize(sizeOf(host)));
    observer.observe(host);
    return () => {
      observer.disconnect();
      plot.destroy();
      plotRef.current = null;
    };
  }, [scheme]);
  useEffect(() => plotRef.current?.setData(dataOf(series)), [series]);

  const lastIndex = series[0].length - 1;
  const shown = Math.min(cursor ?? lastIndex, lastIndex);
  const move = (event: KeyboardEvent): void => {
    const steps: Record<string, number> = { ArrowLeft: shown - 1, ArrowRight: shown + 1 };
    const ends: Record<string, number> = { Home: 0, End: lastIndex };
    const target = steps[event.key] ?? ends[event.key];
    const plot = plotRef.current;
    if (target === undefined || !plot) return;
    event.preventDefault();
    const index = Math.max(0, Math.min(lastIndex, target));
    plot.setCursor({ left: plot.valToPos(series[0][index] ?? 0, 'x'), top: 0 });
    setCursor(index);
  };
  return (
    <>
      <div
        ref={hostRef}
        className={`${classes.toned} ${classes.chart}`}
        role="slider"
        tabIndex={0}
        aria-label="Devices by state over time"
        aria-valuemin={0}
        aria-valuemax={lastIndex}
        aria-valuenow={shown}
        aria-valuetext={pointText(series, shown)}
        onKeyDown={move}
        data-testid="history-chart"
      />
      <div className={classes.readout} data-testid="history-readout">
        <span>{pointText(series, shown)}</span>
      </div>
    </>
  );
}

const dataOf = (series: StackedSeries): uPlot.AlignedData =>
  [...series, failedLine(series)] as unknown as uPlot.AlignedData;

/** The counts at one point in words, for example `14:05:09: 12 upgraded, 3 upgrading, 0 failed`. */
function pointText(series: StackedSeries, index: number): string {
  const [times, ...tops] = series;
  const time = times[index];
  if (time === undefined) return '';
  const counts = stackedStates.flatMap((state, at) => {
    const below = at === 0 ? 0 : (tops[at - 1]?.[index] ?? 0);
    const count = (tops[at]?.[index] ?? 0) - below;
    if (count === 0 && state === 'noUpdateRequired') return [];
    return [`${countText(count)} ${deviceStateTitles[state].toLowerCase()}`];
  });
  return `${clockText(new Date(time * 1000).toISOString())}: ${counts.join(', ')}`;
}
