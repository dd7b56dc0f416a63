import { Button, Group, Text } from '@mantine/core';
import { useState } from 'react';
import type { ActOutcome, DeviceAct, Plan } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { pluralText } from '../../widgets/format-text.ts';
import { AppointDialog } from './appoint-dialog.tsx';
import classes from './live-plan.module.css';
import { actText } from './status-text.ts';

/** What can be done about marked devices: for the users of a manual plan, or a retry. */
export function DeviceActions(props: {
  readonly plan: Plan;
  readonly deviceIds: readonly string[];
  readonly onDone: () => void;
}) {
  const { plan, deviceIds, onDone } = props;
  const actOnDevices = useRollout((state) => state.actOnDevices);
  const [isAppointing, setAppointing] = useState(false);
  const [outcome, setOutcome] = useState<string | null>(null);
  const act = async (what: DeviceAct): Promise<void> => {
    const taken: ActOutcome | null = await actOnDevices(deviceIds, what);
    if (taken === null) return;
    setOutcome(actText(what.kind, taken));
    onDone();
  };
  const isManual = plan.mode === 'manual';
  const isNone = deviceIds.length === 0;
  return (
    <div className={classes.actions} data-testid="device-actions">
      <Text size="xs" c="dimmed" className="digits" aria-live="polite" data-testid="act-outcome">
        {isNone
          ? (outcome ?? 'Mark devices to act on them: the box, Enter or a double click.')
          : `${pluralText(deviceIds.length, 'device')} marked`}
      </Text>
      <Group gap="xs" wrap="nowrap">
        {isManual && (
          <>
            <Button
              variant="default"
              disabled={isNone}
              title="As their users would: they begin when nothing else holds them"
              onClick={() => void act({ kind: 'confirm' })}
              data-testid="act-confirm"
            >
              Confirm
            </Button>
            <Button
              variant="default"
              disabled={isNone}
              onClick={() => setAppointing(true)}
              data-testid="act-appoint"
            >
              Appoint…
            </Button>
            <Button
              variant="default"
              disabled={isNone}
              title="They count as failed; their users may retry"
              onClick={() => void act({ kind: 'cancel' })}
              data-testid="act-cancel"
            >
              Cancel upgrade
            </Button>
          </>
        )}
        <Button
          variant="default"
          disabled={isNone}
          title={
            isManual
              ? 'Failed devices try again, confirmed by it'
              : 'Failed devices that still run the source version try again, while the plan is upgrading'
          }
          onClick={() => void act({ kind: 'retry' })}
          data-testid="act-retry"
        >
          Retry
        </Button>
      </Group>
      <AppointDialog
        opened={isAppointing}
        plan={plan}
        count={deviceIds.length}
        onClose={() => setAppointing(false)}
        onAppoint={(window) => void act({ kind: 'appoint', ...window })}
      />
    </div>
  );
}
