import { useElementSize } from '@mantine/hooks';
import { type PointerEvent, useRef, useSyncExternalStore } from 'react';
import classes from './diff-view.module.css';
import type { HexNavigator } from './hex-navigator.ts';

const leastThumbPx = 24;

/** A scroll bar that reaches every row of the largest image: the page itself is never so high. */
export function PaneScrollbar({ navigator }: { readonly navigator: HexNavigator }) {
  const { topRow, visibleRows } = useSyncExternalStore(navigator.subscribe, navigator.position);
  const { ref, height } = useElementSize();
  const grabbedAt = useRef<number | null>(null);
  const share = Math.min(1, visibleRows / Math.max(1, navigator.rows));
  const thumbPx = Math.min(height, Math.max(leastThumbPx, height * share));
  const room = height - thumbPx;
  const { lastTopRow } = navigator;
  const top = lastTopRow === 0 ? 0 : (topRow / lastTopRow) * room;

  const onPointerDown = (event: PointerEvent<HTMLDivElement>) => {
    const y = event.clientY - event.currentTarget.getBoundingClientRect().top;
    const isThumb = y >= top && y < top + thumbPx;
    grabbedAt.current = isThumb ? y - top : thumbPx / 2;
    event.currentTarget.setPointerCapture(event.pointerId);
    if (!isThumb) onPointerMove(event);
  };
  const onPointerMove = (event: PointerEvent<HTMLDivElement>) => {
    if (grabbedAt.current === null || room <= 0) return;
    const y = event.clientY - event.currentTarget.getBoundingClientRect().top;
    navigator.scrollTo(Math.round(((y - grabbedAt.current) / room) * lastTopRow));
  };
  const onPointerUp = () => {
    grabbedAt.current = null;
  };

  return (
    <div
      ref={ref}
      className={classes.scrollbar}
      role="scrollbar"
      aria-label="Rows"
      aria-controls="hex-panes"
      aria-orientation="vertical"
      aria-valuemin={0}
      aria-valuemax={lastTopRow}
      aria-valuenow={Math.floor(topRow)}
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerUp}
      onPointerCancel={onPointerUp}
    >
      <div
        className={classes.thumb}
        style={{ height: thumbPx, transform: `translateY(${top}px)` }}
      />
    </div>
  );
}
