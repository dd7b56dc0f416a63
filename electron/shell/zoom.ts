import type { WebContents } from 'electron';

const step = 0.1;
const smallest = 0.8;
const largest = 2;

/** The zoom factor after a key pressed with Ctrl or Cmd, or null when it is no key for zooming. */
export function zoomAfterKey(key: string, factor: number): number | null {
  if (key === '0') return 1;
  const change = key === '+' || key === '=' ? step : key === '-' || key === '_' ? -step : 0;
  if (change === 0) return null;
  return Math.round(Math.min(largest, Math.max(smallest, factor + change)) * 10) / 10;
}

/** Ctrl or Cmd with +, - and 0 make the page larger, smaller and normal: there is no menu to do it. */
export function zoomByKeys(contents: WebContents): void {
  contents.on('before-input-event', (event, input) => {
    if (input.type !== 'keyDown' || !(input.control || input.meta) || input.alt) return;
    const factor = zoomAfterKey(input.key, contents.getZoomFactor());
    if (factor === null) return;
    event.preventDefault();
    contents.setZoomFactor(factor);
  });
}
