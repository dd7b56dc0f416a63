import type { ComponentState, ReportProtocol } from '../../../shared/domain/plan.ts';

/** What a device says about a job, whatever protocol it speaks. */
export type DeviceReport =
  | {
      readonly kind: 'progress';
      readonly state: 'downloading' | 'downloadSucceeded' | 'upgrading';
      /** 0..1 within the state, or null when the device gave none. */
      readonly progress: number | null;
    }
  | { readonly kind: 'succeeded'; readonly version: null }
  | {
      readonly kind: 'succeeded';
      /** What it runs now. */
      readonly version: string;
      readonly protocol: ReportProtocol;
    }
  | { readonly kind: 'failed'; readonly code: string };

const order: readonly ComponentState[] = [
  'planNotReceived',
  'planReceived',
  'upgradeConfirmed',
  'readyToDownload',
  'downloading',
  'downloadSucceeded',
  'upgrading',
];

/** Moves a component forward only: a late or repeated report never takes it back. */
export function advance(
  current: { readonly state: ComponentState; readonly progress: number },
  state: ComponentState,
  progress: number | null,
): { readonly state: ComponentState; readonly progress: number } {
  const from = order.indexOf(current.state);
  const to = order.indexOf(state);
  if (from === -1 || to < from) return current;
  if (to > from) return { state, progress: progress ?? 0 };
  return { state, progress: Math.max(current.progress, progress ?? 0) };
}

/** The failed state that fits how far the component had come. */
export function failedState(state: ComponentState): ComponentState {
  return state === 'downloading' || state === 'downloadFailed' ? 'downloadFailed' : 'upgradeFailed';
}

/** A failure code as a device may send it: short and plain, or the fallback. */
export function failureCode(code: unknown, fallback: string): string {
  const text = typeof code === 'number' ? String(code) : code;
  return typeof text === 'string' && /^[A-Za-z0-9_.:-]{1,64}$/.test(text) ? text : fallback;
}
