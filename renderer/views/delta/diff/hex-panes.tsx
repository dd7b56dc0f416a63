import { useComputedColorScheme } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { rowBytes } from '../../../../shared/diff/areas.ts';
import type { BytePages } from './byte-pages.ts';
import classes from './diff-view.module.css';
import type { HexNavigator } from './hex-navigator.ts';
import { columnAt, type HexColors, headPx, hexFont, HexPainter, rowPx } from './hex-painter.ts';
import { PaneScrollbar } from './pane-scrollbar.tsx';

const linePx = 16;

/** Both images in hexadecimal on one canvas, so that they scroll together; drawn once a frame, and only when something moved. */
export function HexPanes(props: {
  readonly navigator: HexNavigator;
  readonly pages: BytePages;
  readonly names: { readonly old: string; readonly new: string };
  /** Keys that are not for moving: `g`, `n`, `p`. */
  readonly onCommand: (key: string) => boolean;
}) {
  const { navigator, pages, names } = props;
  const canvasRef = useRef<HTMLCanvasElement>(null);
  const focusRef = useRef<HTMLDivElement>(null);
  const drawRef = useRef<() => void>(() => undefined);
  const { ref, width, height } = useElementSize();
  const scheme = useComputedColorScheme();
  const [painter, setPainter] = useState<HexPainter | null>(null);

  useEffect(() => {
    const canvas = canvasRef.current;
    const context = canvas?.getContext('2d');
    if (!canvas || !context || width === 0 || height === 0) return;
    const scale = window.devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    context.setTransform(scale, 0, 0, scale, 0, 0);
    const style = getComputedStyle(canvas);
    const font = hexFont(style.fontFamily);
    setPainter(
      new HexPainter(context, {
        colors: colorsOf(style),
        font,
        widthPx: width,
        map: navigator.map,
      }),
    );
    navigator.resize(Math.floor((height - headPx) / rowPx));
    // The scheme is not used here, but the style sheet answers with other colours in another one.
  }, [navigator, width, height, scheme]);

  useEffect(() => {
    if (!painter) return;
    let frame = 0;
    const paint = () => {
      frame = 0;
      const position = navigator.position();
      const isFocused = document.activeElement === focusRef.current;
      painter.paint({ map: navigator.map, pages, position, names, isFocused }, width, height);
      const from = Math.floor(position.topRow) * rowBytes;
      pages.show(from, from + (position.visibleRows + 2) * rowBytes, position.ahead);
    };
    const draw = () => {
      if (frame === 0) frame = requestAnimationFrame(paint);
    };
    draw();
    drawRef.current = draw;
    const stops = [navigator.subscribe(draw), pages.subscribe(draw)];
    return () => {
      for (const stop of stops) stop();
      cancelAnimationFrame(frame);
    };
  }, [painter, navigator, pages, names, width, height]);

  useEffect(() => {
    const element = focusRef.current;
    const onWheel = (event: WheelEvent) => {
      if (event.ctrlKey) return;
      event.preventDefault();
      const pixels = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? linePx : 1;
      navigator.scrollBy((event.deltaY * pixels) / rowPx);
    };
    // React's own wheel listeners are passive.
    element?.addEventListener('wheel', onWheel, { passive: false });
    return () => element?.removeEventListener('wheel', onWheel);
  }, [navigator]);

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.altKey || event.metaKey) return;
    const isMove = navigator.press(event.key, event.ctrlKey);
    if (isMove || (!event.ctrlKey && props.onCommand(event.key))) event.preventDefault();
  };
  const onPointerDown = (event: PointerEvent) => {
    if (!painter) return;
    const box = event.currentTarget.getBoundingClientRect();
    const row = Math.floor(
      navigator.position().topRow + (event.clientY - box.top - headPx) / rowPx,
    );
    const column = columnAt(painter.columns, event.clientX - box.left);
    if (event.clientY - box.top >= headPx && row < navigator.rows && column !== null)
      navigator.moveTo(row * rowBytes + column);
  };
  const redraw = () => drawRef.current();

  return (
    <div className={classes.panes}>
      <div
        ref={focusRef}
        className={classes.hex}
        id="hex-panes"
        role="application"
        aria-label="Bytes of both images"
        aria-describedby="hex-cursor"
        tabIndex={0}
        onKeyDown={onKeyDown}
        onPointerDown={onPointerDown}
        onFocus={redraw}
        onBlur={redraw}
        data-testid="hex-panes"
      >
        <div ref={ref} className={classes.canvasBox}>
          <canvas ref={canvasRef} className={classes.canvas} aria-hidden />
        </div>
      </div>
      <PaneScrollbar navigator={navigator} />
    </div>
  );
}

function colorsOf(style: CSSStyleDeclaration): HexColors {
  const color = (name: string): string => style.getPropertyValue(name).trim();
  return {
    text: color('--mantine-color-text'),
    dim: color('--mantine-color-dimmed'),
    line: color('--slipway-line'),
    head: color('--slipway-bar'),
    cursor: color('--mantine-color-anchor'),
    changed: color('--slipway-diff-changed'),
    added: color('--slipway-diff-added'),
    removed: color('--slipway-diff-removed'),
  };
}
