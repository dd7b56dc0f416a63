import { useCallback, useEffect, useRef, useState } from 'react';
import type { PlanCheck } from '../../../shared/domain/plan.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { useRollout } from '../../stores/rollout.ts';

/** Gates and scope as last computed. */
export interface CheckedPlan {
  readonly check: PlanCheck | null;
  readonly problem: Problem | null;
  readonly isReading: boolean;
  /** Computes again from the records and devices of this moment. */
  readonly again: () => void;
}

/** Changes whenever simulated devices came or went, and when the last of them have said what they run. */
export const useFleetChange = (): string =>
  useRollout(({ fleet, isFleetBusy }) => `${fleet?.devices ?? 0} ${isFleetBusy ? 'starting' : ''}`);

/**
 * Computes gates and scope whenever `subject` (a draft or a plan id) or `occasion` changes; the
 * last answer stays in sight meanwhile, an overtaken one is dropped. A null subject asks nothing.
 */
export function usePlanCheck(
  subject: string | null,
  read: (subject: string) => Promise<PlanCheck>,
  occasion: unknown,
): CheckedPlan {
  const [check, setCheck] = useState<PlanCheck | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [isReading, setReading] = useState(false);
  const [turn, setTurn] = useState(0);
  const reader = useRef(read);
  reader.current = read;
  useEffect(() => {
    if (subject === null) {
      setCheck(null);
      setProblem(null);
      return undefined;
    }
    let isOver = false;
    const settle = (answer: PlanCheck | null, failure: Problem | null): void => {
      if (isOver) return;
      setCheck(answer);
      setProblem(failure);
      setReading(false);
    };
    setReading(true);
    reader.current(subject).then(
      (answer) => settle(answer, null),
      (error: unknown) => settle(null, toProblem(error)),
    );
    return () => {
      isOver = true;
    };
  }, [subject, occasion, turn]);
  const again = useCallback(() => setTurn((value) => value + 1), []);
  return { check, problem, isReading, again };
}
