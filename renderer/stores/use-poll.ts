import { useEffect, useRef } from 'react';

/**
 * Repeats work while the view is mounted, the window is in sight and `isOn` holds: at once, then
 * `periodMs` after each end, so that a slow answer is never overtaken.
 */
export function usePoll(work: () => Promise<void>, periodMs: number, isOn: boolean): void {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    if (!isOn) return undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const turn = async (): Promise<void> => {
      if (document.visibilityState === 'visible') await latest.current();
      if (!isOver) timer = setTimeout(() => void turn(), periodMs);
    };
    void turn();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [periodMs, isOn]);
}
