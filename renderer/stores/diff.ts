import { create } from 'zustand';
import type { Input } from '../../shared/contract/contract.ts';
import type { ImageDiff } from '../../shared/domain/image-diff.ts';
import { call } from '../rpc/client.ts';

/** What was asked for, and what belongs to it. */
export interface DiffRequest {
  readonly order: Input<'delta.diff'>;
  /** Names of both sides, as people call them. */
  readonly names: { readonly old: string; readonly new: string };
  /** The delta package from the one to the other, when there is one. */
  readonly deltaPackageId: string | null;
}

/** An open comparison. */
export interface OpenDiff extends DiffRequest {
  readonly diffId: string;
  readonly report: ImageDiff;
}

interface DiffState {
  readonly open: OpenDiff | null;
  /** Compares and shows the result in the place of the one before. @throws ProblemError */
  compare(request: DiffRequest): Promise<void>;
  close(): Promise<void>;
}

/** The comparison that the delta view shows; it stays while other views are looked at. */
export const useDiff = create<DiffState>((set, get) => ({
  open: null,
  async compare(request) {
    const { diffId, report } = await call('delta.diff', request.order);
    const before = get().open;
    set({ open: { ...request, diffId, report } });
    if (before) await call('delta.diff.close', { diffId: before.diffId });
  },
  async close() {
    const { open } = get();
    set({ open: null });
    if (open) await call('delta.diff.close', { diffId: open.diffId });
  },
}));
