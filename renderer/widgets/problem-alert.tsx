import { Alert, Button, Group, Stack, Text } from '@mantine/core';
import { OctagonAlert } from 'lucide-react';
import type { ReactNode } from 'react';
import type { Problem } from '../../shared/domain/problem.ts';
import { useCopy } from './use-copy.ts';

/** A problem as plain text for a report: title, code, detail and hint. */
export function problemText(problem: Problem): string {
  return `${problem.title} (${problem.code})\n${problem.detail}\n${problem.hint}`;
}

/** What went wrong, where, and what to do; read out at once by a screen reader. */
export function ProblemAlert(props: {
  readonly problem: Problem;
  readonly onClose?: () => void;
  /** A way out, for example a button that tries again. */
  readonly action?: ReactNode;
}) {
  const { problem, onClose } = props;
  const { state, copy } = useCopy();
  const copyWords = { idle: 'Copy details', copied: 'Copied', refused: 'The clipboard refused it' };
  return (
    <Alert
      role="alert"
      color="red"
      variant="light"
      title={problem.title}
      icon={<OctagonAlert aria-hidden />}
      data-testid="problem"
      {...(onClose ? { withCloseButton: true, closeButtonLabel: 'Dismiss', onClose } : {})}
    >
      <Stack gap={6}>
        <Text style={{ overflowWrap: 'anywhere' }}>{problem.detail}</Text>
        {problem.hint !== '' && <Text>{problem.hint}</Text>}
        <Group gap="xs">
          {props.action}
          <Button variant="default" size="compact-xs" onClick={() => copy(problemText(problem))}>
            {copyWords[state]}
          </Button>
          <Text size="xs" ff="monospace" c="dimmed">
            {problem.code}
          </Text>
        </Group>
      </Stack>
    </Alert>
  );
}
