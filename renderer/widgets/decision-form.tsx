import { Button, Group, Stack, Text, Textarea, TextInput } from '@mantine/core';
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
  /** The account that decides, where one is known: the name is not asked for then. */
  readonly account?: string;
  readonly nameHint?: (name: string) => string | undefined;
  readonly onDecide: (decision: { name: string; reason: string }) => Promise<void>;
  readonly onClose: () => void;
  readonly testId: string;
}) {
  const { account, submitWord, onDecide, onClose, testId } = props;
  const [typed, setTyped] = useState('');
  const name = account ?? typed.trim();
  const [reason, setReason] = useState('');
  const missing = minReasonLength - reason.trim().length;
  const { isReady, problem, submit } = useSubmit({
    isComplete: missing <= 0 && (account !== undefined || name.length >= minNameLength),
    send: () => onDecide({ name, reason: reason.trim() }),
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
        {account === undefined ? (
          <TextInput
            label="Your name"
            required
            value={typed}
            description={props.nameHint?.(typed)}
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
        ) : (
          <Text size="sm" data-testid="decision-account">
            It goes on record under the account <strong>{account}</strong>.
          </Text>
        )}
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
