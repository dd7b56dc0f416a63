import uPlot from 'uplot';
import type { DeviceState } from '../../../shared/domain/plan.ts';
import { clockText, countText, timeText } from '../../widgets/format-text.ts';
import { deviceStateTitles, stackedStates } from './status-text.ts';

const patternPx = 8;
const minuteSec = 60;
const daySec = 86_400;
const timeSteps = [1, 2, 5, 10, 15, 30]
  .concat([1, 2, 5, 10, 15, 30].map((minutes) => minutes * minuteSec))
  .concat([1, 2, 4, 8, 12, 24, 48, 168].map((hours) => hours * 60 * minuteSec));
const countSteps = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** Angle of the hatching of a band, so that bands differ without colour; null for a plain one. */
const hatchings: Readonly<Record<DeviceState, 'rising' | 'falling' | 'level' | null>> = {
  upgraded: null,
  noUpdateRequired: 'level',
  upgrading: 'rising',
  failed: 'falling',
  notUpgraded: null,
};

/** The room that the chart has, in CSS pixels. */
export const sizeOf = (host: HTMLElement): { width: number; height: number } => ({
  width: Math.max(200, host.clientWidth),
  height: Math.max(100, host.clientHeight),
});

/** How the stacked bands are drawn, with the colours that the host's style has at this moment. */
export function chartOptions(
  host: HTMLElement,
  onCursor: (index: number | null) => void,
): uPlot.Options {
  const style = getComputedStyle(host);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const axis = {
    stroke: color('ink'),
    grid: { stroke: color('line'), width: 1 },
    ticks: { stroke: color('line'), width: 1 },
    font: `12px ${style.fontFamily}`,
  };
  const stepped = uPlot.paths.stepped?.({ align: 1 });
  const paths = stepped ? { paths: stepped } : {};
  return {
    ...sizeOf(host),
    padding: [12, 34, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { x: { time: true }, y: { range: (_plot, _min, max) => [0, Math.max(1, max)] } },
    axes: [
      { ...axis, values: timeLabels, incrs: timeSteps, space: 80, size: 34 },
      {
        ...axis,
        values: (_plot, splits) => splits.map(countText),
        incrs: countSteps,
        size: 60,
      },
    ],
    series: [
      {},
      ...stackedStates.map((state) => ({
        label: deviceStateTitles[state],
        width: 0,
        fill: bandFill(color(state), state),
        points: { show: false },
        ...paths,
      })),
      {
        label: 'Where devices have failed',
        stroke: color('failed'),
        width: 2,
        dash: [4, 2],
        points: { show: false },
        spanGaps: false,
        ...paths,
      },
    ],
    bands: stackedStates.slice(1).map((_state, index) => ({ series: [index + 2, index + 1] })),
    hooks: { setCursor: [(plot) => onCursor(plot.cursor.idx ?? null)] },
  };
}

function timeLabels(
  _plot: uPlot,
  splits: readonly number[],
  _axis: number,
  _space: number,
  stepSec: number,
): string[] {
  return splits.map((sec) => {
    const iso = new Date(sec * 1000).toISOString();
    if (stepSec >= daySec) return timeText(iso).slice(5, 10);
    return stepSec >= minuteSec ? clockText(iso).slice(0, 5) : clockText(iso);
  });
}

function bandFill(color: string, state: DeviceState): string | (() => CanvasPattern | string) {
  const hatching = hatchings[state];
  if (hatching === null)
    return `color-mix(in srgb, ${color} ${state === 'notUpgraded' ? 22 : 65}%, transparent)`;
  return () => hatch(color, hatching) ?? color;
}

function hatch(color: string, hatching: 'rising' | 'falling' | 'level'): CanvasPattern | null {
  const tile = document.createElement('canvas');
  tile.width = patternPx;
  tile.height = patternPx;
  const context = tile.getContext('2d');
  if (!context) return null;
  context.fillStyle = color;
  context.globalAlpha = 0.4;
  context.fillRect(0, 0, patternPx, patternPx);
  context.globalAlpha = 1;
  context.strokeStyle = color;
  context.lineWidth = 3;
  context.beginPath();
  // Each line once more in the next tile's place, so that the corners meet.
  for (const shift of [-patternPx, 0, patternPx]) {
    const [from, to] = {
      rising: [patternPx, 0],
      falling: [0, patternPx],
      level: [patternPx / 2, patternPx / 2],
    }[hatching] as [number, number];
    context.moveTo(shift, from);
    context.lineTo(shift + patternPx, to);
  }
  context.stroke();
  return context.createPattern(tile, 'repeat');
}
