import { create } from 'zustand';
import type { PlanForm } from '../views/rollout/plan-choices.ts';
import { proposedStopRules } from '../views/rollout/stage-choices.ts';
import { emptyOptions } from '../views/rollout/plan-options.ts';

/** Everything a person typed for a plan that is not saved yet. */
export interface EditorForm extends PlanForm {
  /** One device id per line. */
  readonly whitelistText: string;
  readonly blacklistText: string;
}

interface EditorState {
  /** By release id; kept while other views are open. */
  readonly forms: Readonly<Record<string, EditorForm>>;
  change(releaseId: string, change: Partial<EditorForm>): void;
  discard(releaseId: string): void;
}

/** The form of a release that nobody has touched. */
export const emptyForm: EditorForm = {
  name: '',
  choices: {},
  batches: [],
  stages: null,
  stopRules: proposedStopRules,
  ...emptyOptions,
  whitelistText: '',
  blacklistText: '',
};

/** Plans being written, one for each release. */
export const usePlanEditor = create<EditorState>((set, get) => ({
  forms: {},
  change: (releaseId, change) => {
    const form = get().forms[releaseId] ?? emptyForm;
    set({ forms: { ...get().forms, [releaseId]: { ...form, ...change } } });
  },
  discard: (releaseId) => {
    const { [releaseId]: _discarded, ...forms } = get().forms;
    set({ forms });
  },
}));
