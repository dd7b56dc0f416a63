import { create } from 'zustand';
import type { FileSoFar, InspectReport } from '../../shared/domain/finding.ts';
import { call, type PickedFile } from '../rpc/client.ts';

/** Files picked for a component of a release, and what was found in them. */
export interface BundleDraft {
  readonly target: BundleTarget;
  readonly files: readonly PickedFile[];
  /** Null while the files are checked, and after a check that did not come to its end. */
  readonly report: InspectReport | null;
  /** What is known of the files before the report, in their order; a hole where nothing is yet. */
  readonly soFar: readonly (FileSoFar | undefined)[];
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
  /** Judges the reports again after a waiver was given or taken back. @throws ProblemError */
  judgeAgain(): Promise<void>;
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
    const jobId = crypto.randomUUID();
    let draft: BundleDraft = { target, files, report: null, soFar: [] };
    set({ drafts: { ...get().drafts, [key]: draft } });
    const change = (changes: Partial<BundleDraft>): void => {
      // Another choice of files may have been made in the meantime.
      if (get().drafts[key] !== draft) return;
      draft = { ...draft, ...changes };
      set({ drafts: { ...get().drafts, [key]: draft } });
    };
    const unsubscribe = window.slipway.subscribe((event) => {
      if (event.type !== 'file-so-far' || event.jobId !== jobId) return;
      change({ soFar: withFile(draft.soFar, event.file) });
    });
    try {
      const report = await call('bundle.inspect', {
        files: files.map((file) => file.handle),
        productId: target.productId,
        componentId: target.componentId,
        version: target.version,
        jobId,
      });
      change({ report, soFar: [] });
    } finally {
      unsubscribe();
    }
  },
  async judgeAgain() {
    for (const [key, draft] of Object.entries(get().drafts)) {
      const { report, target } = draft;
      if (report === null) continue;
      const { productId, version } = target;
      const judged = await call('bundle.judge', { report, productId, version });
      // Another choice of files may have been made in the meantime.
      if (get().drafts[key] !== draft) continue;
      set({ drafts: { ...get().drafts, [key]: { ...draft, report: judged } } });
    }
  },
  discard(target) {
    const { [draftKey(target)]: _gone, ...rest } = get().drafts;
    set({ drafts: rest });
  },
}));

function withFile(
  soFar: readonly (FileSoFar | undefined)[],
  file: FileSoFar,
): readonly (FileSoFar | undefined)[] {
  const next = [...soFar];
  next[file.index] = file;
  return next;
}
