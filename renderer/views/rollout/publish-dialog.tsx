import { Button, Group, Modal, Stack, Text, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import type { ScopeSummary } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { countText, pluralText } from '../../widgets/format-text.ts';

interface PublishDialogProps {
  readonly version: string;
  readonly planName: string;
  readonly scope: ScopeSummary;
  readonly onClose: () => void;
  /** The saved plan to publish, or null when it could not be saved. */
  readonly takePlanId: () => Promise<string | null>;
}

/** Publishes a plan after the target version was typed. */
export function PublishDialog(props: PublishDialogProps & { readonly opened: boolean }) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={`Publish ${props.planName}`}>
      <PublishForm {...props} />
    </Modal>
  );
}

function PublishForm(props: PublishDialogProps) {
  const { version, scope } = props;
  const publishPlan = useRollout((state) => state.publishPlan);
  const [typed, setTyped] = useState('');
  const [isBusy, setBusy] = useState(false);
  const matches = typed.trim() === version;
  const publish = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (!matches) return;
    setBusy(true);
    const planId = await props.takePlanId();
    if (planId !== null) await publishPlan(planId);
    setBusy(false);
    props.onClose();
  };
  return (
    <form onSubmit={(event) => void publish(event)}>
      <Stack gap="sm">
        <Text>
          {pluralText(scope.full + scope.delta, 'device')} will be upgraded to {version}:{' '}
          {countText(scope.full)} with the full package, {countText(scope.delta)} with a delta.
          Devices begin as soon as they ask and the plan lets them; it can be suspended at any time.
        </Text>
        <TextInput
          label={`Type ${version} to publish`}
          autoComplete="off"
          data-autofocus
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          data-testid="publish-version"
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" disabled={!matches} loading={isBusy} data-testid="publish-confirm">
            Publish
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
