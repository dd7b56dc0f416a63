import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import {
  type KeyboardEvent,
  type PointerEvent,
  useEffect,
  useRef,
  useSyncExternalStore,
} from 'react';
import { rowBytes } from '../../../../shared/diff/areas.ts';
import type { ImageDiff } from '../../../../shared/domain/image-diff.ts';
import { hexText } from '../../../widgets/format-text.ts';
import classes from './diff-view.module.css';
import type { HexNavigator } from './hex-navigator.ts';

const heightPx = 30;
/** Even one changed byte in a megabyte is seen. */
const leastBarPx = 4;
const leastFramePx = 5;
const keySteps = 100;

/** Where in the address space the images differ, and how much: the higher a bar, the more of its bytes. A click goes there. */
export function DensityStrip(props: {
  readonly density: ImageDiff['density'];
  readonly navigator: HexNavigator;
}) {
  const { density, navigator } = props;
  const { map } = navigator;
  const canvasRef = useRef<HTMLCanvasElement>(null);
  const { ref, width } = useElementSize();
  const scheme = useComputedColorScheme();
  const position = useSyncExternalStore(navigator.subscribe, navigator.position);

  useEffect(() => {
    const canvas = canvasRef.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context || width === 0) return;
    const scale = window.devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(heightPx * scale);
    context.scale(scale, scale);
    const style = getComputedStyle(canvas);
    context.fillStyle = style.getPropertyValue('--slipway-diff-density').trim();
    for (const { x, share } of bars(density, map.sizeBytes, Math.floor(width))) {
      const bar = leastBarPx + share * (heightPx - leastBarPx);
      context.fillRect(x, heightPx - bar, 1, bar);
    }
    context.fillStyle = style.getPropertyValue('--mantine-color-dimmed').trim();
    for (const offset of map.jumps) {
      const x = Math.round((offset / map.sizeBytes) * width);
      for (let y = 0; y < heightPx; y += 6) context.fillRect(x, y, 1, 3);
    }
    // The scheme is not used here, but the style sheet answers with other colours in another one.
  }, [density, map, width, scheme]);

  const { topRow, visibleRows } = position;
  const offset = Math.floor(topRow) * rowBytes;
  const framePx = Math.max(leastFramePx, (visibleRows / navigator.rows) * width);
  const left = Math.min(width - framePx, (topRow / navigator.rows) * width);
  const go = (event: PointerEvent<HTMLDivElement>) => {
    if (event.buttons !== 1) return;
    const box = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - box.left) / box.width;
    navigator.scrollTo(Math.round(share * navigator.rows - visibleRows / 2));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = Math.max(1, Math.round(navigator.rows / keySteps));
    const targets: Record<string, number> = {
      ArrowLeft: topRow - step,
      ArrowRight: topRow + step,
      ArrowUp: topRow - step,
      ArrowDown: topRow + step,
      Home: 0,
      End: navigator.lastTopRow,
    };
    const target = targets[event.key];
    if (target === undefined) return;
    navigator.scrollTo(target);
    event.preventDefault();
  };
  const last = map.areas.at(-1);

  return (
    <div>
      <div
        ref={ref}
        className={classes.density}
        role="slider"
        tabIndex={0}
        aria-label="Place in the address space"
        aria-valuemin={0}
        aria-valuemax={navigator.lastTopRow}
        aria-valuenow={Math.floor(topRow)}
        aria-valuetext={hexText(map.addressAt(offset))}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          go(event);
        }}
        onPointerMove={go}
        onKeyDown={onKeyDown}
        data-testid="density-strip"
      >
        <canvas ref={canvasRef} className={classes.densityCanvas} aria-hidden />
        <div
          className={classes.frame}
          style={{ width: framePx, transform: `translateX(${left}px)` }}
        />
      </div>
      <div className={classes.scale} aria-hidden>
        <span>{hexText(map.areas[0]?.start ?? 0)}</span>
        {map.areas.length > 1 && <span>{map.areas.length} areas, parted by dashed lines</span>}
        <span>{hexText((last?.start ?? 0) + (last?.sizeBytes ?? 1) - 1)}</span>
      </div>
    </div>
  );
}

/** One bar a pixel where anything differs, with the share of its bytes that do. */
function* bars(
  { bucketBytes, changedBytes }: ImageDiff['density'],
  sizeBytes: number,
  widthPx: number,
): Generator<{ readonly x: number; readonly share: number }> {
  for (let x = 0; x < widthPx; x++) {
    const first = Math.floor(((x / widthPx) * sizeBytes) / bucketBytes);
    const end = Math.max(first + 1, Math.floor((((x + 1) / widthPx) * sizeBytes) / bucketBytes));
    let most = 0;
    for (let bucket = first; bucket < end; bucket++)
      most = Math.max(most, (changedBytes[bucket] ?? 0) / bucketBytes);
    if (most > 0) yield { x, share: Math.min(1, most) };
  }
}
