import { type FormEvent, useState } from 'react';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';

/** A form in a dialog: sent off once at a time, closed when that went well, and open with the problem when not. */
export function useSubmit(form: {
  /** Whether everything that it asks for is there. */
  readonly isComplete: boolean;
  readonly send: () => Promise<void>;
  readonly onClose: () => void;
}): {
  readonly isReady: boolean;
  readonly busy: boolean;
  readonly problem: Problem | null;
  readonly submit: (event: FormEvent) => void;
} {
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const isReady = form.isComplete && !busy;
  const sendOff = async (): Promise<void> => {
    setBusy(true);
    setProblem(null);
    try {
      await form.send();
      form.onClose();
    } catch (error) {
      setProblem(toProblem(error));
      setBusy(false);
    }
  };
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isReady) void sendOff();
  };
  return { isReady, busy, problem, submit };
}
