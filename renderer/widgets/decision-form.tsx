import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useState } from 'react';
import { minReasonLength } from '../../shared/domain/person.ts';
import { type Problem, toProblem } from '../../shared/domain/problem.ts';
import { ProblemAlert } from './problem-alert.tsx';

const minNameLength = 2;

/** Asks who decides and why; both go on record. It closes when the decision was taken. */
export function DecisionForm(props: {
  /** What is decided. */
  readonly children: ReactNode;
  readonly submitWord: string;
  readonly nameHint?: (name: string) => string | undefined;
  readonly onDecide: (decision: { name: string; reason: string }) => Promise<void>;
  readonly onClose: () => void;
  readonly testId: string;
}) {
  const { submitWord, onDecide, onClose, testId } = props;
  const [name, setName] = useState('');
  const [reason, setReason] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const missing = minReasonLength - reason.trim().length;
  const isReady = missing <= 0 && name.trim().length >= minNameLength && !busy;

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!isReady) return;
    setBusy(true);
    setProblem(null);
    try {
      await onDecide({ name: name.trim(), reason: reason.trim() });
      onClose();
    } catch (error) {
      setProblem(toProblem(error));
      setBusy(false);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)} data-testid={`${testId}-dialog`}>
      <Stack gap="sm">
        {props.children}
        <Textarea
          label="Reason"
          required
          autosize
          minRows={3}
          data-autofocus
          value={reason}
          description={
            missing > 0
              ? `Say why, for who reads the record later: at least ${minReasonLength} characters`
              : 'Who reads the record later sees this'
          }
          onChange={(event) => setReason(event.currentTarget.value)}
        />
        <TextInput
          label="Your name"
          required
          value={name}
          description={props.nameHint?.(name)}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        {problem && <ProblemAlert problem={problem} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!isReady} data-testid={`${testId}-submit`}>
            {submitWord}
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
