const focusable =
  'button:not(:disabled), input:not(:disabled), a[href], [tabindex]:not([tabindex="-1"])';

/** Moves the focus to the next part of the window (or, with -1, the one before): bar, rail, view, dock. */
export function focusNextRegion(step: 1 | -1): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')];
  const current = regions.findIndex((region) => region.contains(document.activeElement));
  const from = current < 0 && step < 0 ? 0 : current;
  const next = regions[(from + step + regions.length) % regions.length];
  const target =
    next?.querySelector<HTMLElement>('[aria-current]') ??
    next?.querySelector<HTMLElement>(focusable) ??
    next;
  target?.focus();
}
