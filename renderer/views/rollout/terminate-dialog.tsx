import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import type { PlanStatus } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { countText } from '../../widgets/format-text.ts';

/** Asks before a plan is ended by force, and says what becomes of its devices. */
export function TerminateDialog(props: {
  readonly opened: boolean;
  readonly planName: string;
  readonly counts: PlanStatus['counts'];
  readonly onClose: () => void;
}) {
  const { counts } = props;
  const control = useRollout((state) => state.control);
  return (
    <Modal opened={props.opened} onClose={props.onClose} title={`Terminate ${props.planName}?`}>
      <Stack gap="sm">
        <Text>A terminated plan can never be resumed; devices that are left need a new plan.</Text>
        <FactList
          layout="row"
          testId="terminate-consequence"
          facts={[
            ['Not begun: will count as failed', countText(counts.notUpgraded)],
            ['Upgrading: go on to their end', countText(counts.upgrading)],
            ['Upgraded: stay so', countText(counts.upgraded)],
          ]}
        />
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={props.onClose} data-autofocus>
            Keep the plan
          </Button>
          <Button
            color="red"
            onClick={() => {
              props.onClose();
              void control('terminate');
            }}
            data-testid="terminate-confirm"
          >
            Terminate for good
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
