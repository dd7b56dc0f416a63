import { create } from 'zustand';
import type { InspectReport } from '../../shared/domain/finding.ts';
import { call, type PickedFile } from '../rpc/client.ts';

/** Files picked for a component of a release, and what was found in them. */
export interface BundleDraft {
  readonly files: readonly PickedFile[];
  /** Null while the files are checked, and after a check that did not come to its end. */
  readonly report: InspectReport | null;
}

/** What the files are checked against. */
export interface BundleTarget {
  readonly releaseId: string;
  readonly productId: string;
  readonly componentId: string;
  readonly version: string;
}

interface BundleDraftsState {
  readonly drafts: Readonly<Record<string, BundleDraft>>;
  /** Takes these files as the draft and checks them. @throws ProblemError what the check said */
  check(target: BundleTarget, files: readonly PickedFile[]): Promise<void>;
  discard(target: BundleTarget): void;
}

/** The key of a draft: drafts outlive the view, so that a look at another room loses nothing. */
export const draftKey = ({ releaseId, componentId }: BundleTarget): string =>
  `${releaseId}/${componentId}`;

/** Files that are being bundled and are not yet a version package. */
export const useBundleDrafts = create<BundleDraftsState>((set, get) => ({
  drafts: {},
  async check(target, files) {
    if (files.length === 0) {
      get().discard(target);
      return;
    }
    const key = draftKey(target);
    const draft: BundleDraft = { files, report: null };
    set({ drafts: { ...get().drafts, [key]: draft } });
    const report = await call('bundle.inspect', {
      files: files.map((file) => file.handle),
      productId: target.productId,
      componentId: target.componentId,
      version: target.version,
    });
    // Another choice of files may have been made in the meantime.
    if (get().drafts[key] === draft) set({ drafts: { ...get().drafts, [key]: { files, report } } });
  },
  discard(target) {
    const { [draftKey(target)]: _gone, ...rest } = get().drafts;
    set({ drafts: rest });
  },
}));
