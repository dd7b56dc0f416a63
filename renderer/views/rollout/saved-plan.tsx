import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import type { Plan } from '../../../shared/domain/plan.ts';
import { call } from '../../rpc/client.ts';
import { useRollout } from '../../stores/rollout.ts';
import { useStudio } from '../../stores/studio.ts';
import { CheckPanel, closedGatesText } from './check-panel.tsx';
import { PublishDialog } from './publish-dialog.tsx';
import { useFleetChange, usePlanCheck } from './use-plan-check.ts';

/** A plan that waits to be published, with its gates and scope of this moment. */
export function SavedPlan({ plan }: { readonly plan: Plan }) {
  const isCloudRunning = useStudio((state) => state.cloud?.running ?? false);
  const fleetChange = useFleetChange();
  const deletePlan = useRollout((state) => state.deletePlan);
  const [isPublishing, setPublishing] = useState(false);
  const [isDeleting, setDeleting] = useState(false);
  const checked = usePlanCheck(
    isCloudRunning ? plan.id : null,
    (planId) => call('plans.check', { planId }),
    fleetChange,
  );
  const reason = !isCloudRunning
    ? 'Start the local cloud to publish.'
    : checked.check
      ? closedGatesText(checked.check)
      : 'The gates are being computed.';
  const version = plan.components[0]?.targetVersion ?? '';
  return (
    <>
      <CheckPanel
        title={`${plan.name}: gates and scope`}
        checked={checked}
        plan={plan}
        isCloudRunning={isCloudRunning}
        missing={null}
      />
      <Group gap="sm" wrap="nowrap">
        <Button
          style={{ flexShrink: 0 }}
          disabled={reason !== null}
          onClick={() => setPublishing(true)}
          data-testid="plan-publish"
        >
          Publish…
        </Button>
        <Button
          variant="default"
          style={{ flexShrink: 0 }}
          onClick={() => setDeleting(true)}
          data-testid="plan-delete"
        >
          Delete…
        </Button>
        {reason !== null && (
          <Text size="xs" c="dimmed" data-testid="publish-reason">
            {reason}
          </Text>
        )}
      </Group>
      <Modal opened={isDeleting} onClose={() => setDeleting(false)} title={`Delete ${plan.name}?`}>
        <Stack gap="sm">
          <Text>It was never published, so no device knows it. It cannot be brought back.</Text>
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={() => setDeleting(false)} data-autofocus>
              Keep the plan
            </Button>
            <Button
              color="red"
              onClick={() => void deletePlan(plan.id)}
              data-testid="plan-delete-confirm"
            >
              Delete the plan
            </Button>
          </Group>
        </Stack>
      </Modal>
      {checked.check && (
        <PublishDialog
          opened={isPublishing}
          version={version}
          planName={plan.name}
          scope={checked.check.scope}
          onClose={() => setPublishing(false)}
          takePlanId={async () => plan.id}
        />
      )}
    </>
  );
}
