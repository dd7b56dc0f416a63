import { Button, Group, Modal, Stack, Text } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { instantOf, isLocalTime } from '../../../shared/domain/local-time.ts';
import { appointmentFault } from '../../../shared/domain/plan-strategy.ts';
import type { Plan } from '../../../shared/domain/plan.ts';
import { pluralText } from '../../widgets/format-text.ts';
import { LocalTimeField } from './time-fields.tsx';

interface AppointDialogProps {
  readonly plan: Plan;
  readonly count: number;
  readonly onClose: () => void;
  /** Takes the window as ISO 8601. */
  readonly onAppoint: (window: { readonly start: string; readonly end: string }) => void;
}

/** Asks for the window in which devices of a manual plan upgrade. */
export function AppointDialog(props: AppointDialogProps & { readonly opened: boolean }) {
  return (
    <Modal opened={props.opened} onClose={props.onClose} title="Appoint a window">
      <AppointForm {...props} />
    </Modal>
  );
}

function AppointForm({ plan, count, onClose, onAppoint }: AppointDialogProps) {
  const [from, setFrom] = useState('');
  const [to, setTo] = useState('');
  const zone = plan.timeZone ?? 'UTC';
  const isGiven = isLocalTime(from) && isLocalTime(to);
  const fromMs = isGiven ? instantOf(from, zone, 'start') : 0;
  const toMs = isGiven ? instantOf(to, zone, 'end') : 0;
  const fault = isGiven ? appointmentFault(plan, fromMs, toMs, Date.now()) : null;
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (!isGiven || fault !== null) return;
    onAppoint({ start: new Date(fromMs).toISOString(), end: new Date(toMs).toISOString() });
    onClose();
  };
  return (
    <form onSubmit={submit}>
      <Stack gap="sm">
        <Text>
          {pluralText(count, 'device')} will begin in this window, an hour or more inside the
          planned time. Times are those of {zone}.
        </Text>
        <Group grow gap="sm" align="flex-start">
          <LocalTimeField
            label="From"
            value={from}
            onChange={setFrom}
            testId="appoint-from"
            autoFocus
          />
          <LocalTimeField label="To" value={to} onChange={setTo} testId="appoint-to" />
        </Group>
        {fault !== null && (
          <Text c="red" size="xs" role="alert">
            {fault}
          </Text>
        )}
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={onClose}>
            Back
          </Button>
          <Button type="submit" disabled={!isGiven || fault !== null} data-testid="appoint-confirm">
            Appoint
          </Button>
        </Group>
      </Stack>
    </form>
  );
}
