import { create } from 'zustand';

/** What the dock at the bottom shows. */
export type DockTab = 'jobs' | 'log';

interface DockState {
  readonly open: boolean;
  readonly tab: DockTab;
  toggle(): void;
  /** Opens the dock on a tab. */
  show(tab: DockTab): void;
}

/** Whether the dock is open, and on which tab. */
export const useDock = create<DockState>((set) => ({
  open: false,
  tab: 'jobs',
  toggle: () => set((state) => ({ open: !state.open })),
  show: (tab) => set({ open: true, tab }),
}));
