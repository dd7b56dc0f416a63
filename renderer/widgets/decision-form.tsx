import { Button, Group, Stack, Textarea, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { minReasonLength } from '../../shared/domain/person.ts';
import { ProblemAlert } from './problem-alert.tsx';
import { useSubmit } from './use-submit.ts';

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
  const missing = minReasonLength - reason.trim().length;
  const { isReady, problem, submit } = useSubmit({
    isComplete: missing <= 0 && name.trim().length >= minNameLength,
    send: () => onDecide({ name: name.trim(), reason: reason.trim() }),
    onClose,
  });

  return (
    <form onSubmit={submit} data-testid={`${testId}-dialog`}>
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
