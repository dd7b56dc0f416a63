import { Button, Group, Modal, PasswordInput, Stack, Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import { useOperator } from '../../stores/operator.ts';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { useSubmit } from '../../widgets/use-submit.ts';

/** Under whose account the window works with the running cloud, and the way to another one. */
export function OperatorLine() {
  const { operator, problem, refresh, signOut } = useOperator();
  const [isAsking, setAsking] = useState(false);
  useEffect(() => void refresh(), [refresh]);
  const isOwner = operator?.name === 'owner';
  return (
    <div data-testid="operator">
      <Text size="xs" c="dimmed">
        Operator
      </Text>
      <Group justify="space-between" wrap="nowrap" gap="xs">
        <Text size="sm" truncate data-testid="operator-name">
          {operator ? `${operator.name} (${operator.role})` : (problem?.title ?? 'not known yet')}
        </Text>
        {operator && isOwner ? (
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => setAsking(true)}
            data-testid="sign-in"
          >
            Sign in…
          </Button>
        ) : (
          <Button
            variant="subtle"
            size="compact-xs"
            onClick={() => void signOut()}
            data-testid="sign-out"
          >
            Sign out
          </Button>
        )}
      </Group>
      {operator && (
        <Text size="xs" c="dimmed">
          {operator.typesName
            ? 'This cloud has no accounts: who decides types a name.'
            : 'Decisions about rollouts are recorded under this name.'}
        </Text>
      )}
      <Modal
        opened={isAsking}
        onClose={() => setAsking(false)}
        size={480}
        title="Sign in to the local cloud"
      >
        <SignInForm onClose={() => setAsking(false)} />
      </Modal>
    </div>
  );
}

function SignInForm({ onClose }: { readonly onClose: () => void }) {
  const signIn = useOperator((state) => state.signIn);
  const [token, setToken] = useState('');
  const { isReady, problem, submit } = useSubmit({
    isComplete: token.trim() !== '',
    send: () => signIn(token.trim()),
    onClose,
  });
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <PasswordInput
          label="Token of your account"
          description="Printed once when the account was made: slipway cloud accounts add. It is kept until you sign out or close the window, and not stored."
          required
          data-autofocus
          value={token}
          onChange={(event) => setToken(event.currentTarget.value)}
          data-testid="sign-in-token"
        />
        {problem && <ProblemAlert problem={problem} />}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!isReady} data-testid="sign-in-submit">
            Sign in
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
