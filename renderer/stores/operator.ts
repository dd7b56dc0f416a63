import { create } from 'zustand';
import type { Operator } from '../../shared/domain/operator.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { call } from '../rpc/client.ts';

interface OperatorState {
  /** Who is at work with the local cloud; null before it was asked, and while it does not run. */
  readonly operator: Operator | null;
  /** Why the cloud did not say. */
  readonly problem: Problem | null;
  /** Asks the cloud again: accounts may have been made or removed meanwhile. */
  refresh(): Promise<void>;
  /** @throws ProblemError `unauthorized` */
  signIn(token: string): Promise<void>;
  signOut(): Promise<void>;
}

/** Under whose account the window works with the local cloud. */
export const useOperator = create<OperatorState>((set, get) => ({
  operator: null,
  problem: null,
  async refresh() {
    try {
      set({ operator: await call('cloud.operator', {}), problem: null });
    } catch (error) {
      set({ operator: null, problem: toProblem(error) });
    }
  },
  async signIn(token) {
    set({ operator: await call('cloud.signIn', { token }), problem: null });
  },
  async signOut() {
    await call('cloud.signOut', {});
    await get().refresh();
  },
}));
