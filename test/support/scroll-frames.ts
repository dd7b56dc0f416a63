import type { Page } from 'playwright-core';

/** How smoothly the panes of a comparison scrolled, in milliseconds a frame. */
export interface ScrollFrames {
  readonly frames: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly worstMs: number;
  /** What the page's thread did for a frame, on average. */
  readonly busyMs: number;
  readonly heapBytes: number;
}

const frames = 300;

/** Turns the wheel over the panes by 7 rows, or drags the strip to a random place, once every frame. */
export async function scrollFrames(page: Page, how: 'wheel' | 'jump'): Promise<ScrollFrames> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const metric = async (name: string): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find((each) => each.name === name)?.value ?? Number.NaN;
  };
  const busyBefore = await metric('TaskDuration');
  const times = await page.evaluate(
    async ([kind, count]) => {
      const panes = document.querySelector('[data-testid=hex-panes]');
      const strip = document.querySelector('[data-testid=density-strip]');
      if (!panes || !strip) throw new Error('no comparison is shown');
      const { left, width } = strip.getBoundingClientRect();
      const seen: number[] = [];
      let last = await new Promise(requestAnimationFrame);
      for (let frame = 0; frame < count; frame++) {
        if (kind === 'wheel')
          panes.dispatchEvent(
            new WheelEvent('wheel', { deltaY: 126, bubbles: true, cancelable: true }),
          );
        else
          strip.dispatchEvent(
            new PointerEvent('pointermove', {
              clientX: left + Math.random() * width,
              buttons: 1,
              bubbles: true,
            }),
          );
        const now = await new Promise(requestAnimationFrame);
        seen.push(now - last);
        last = now;
      }
      return seen;
    },
    [how, frames] as const,
  );
  const busyMs = (((await metric('TaskDuration')) - busyBefore) * 1000) / frames;
  const heapBytes = await metric('JSHeapUsedSize');
  await session.detach();
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (frames - 1))] ?? Number.NaN;
  return { frames, p50Ms: at(0.5), p95Ms: at(0.95), worstMs: at(1), busyMs, heapBytes };
}
