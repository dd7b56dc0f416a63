import { Button, Collapse, Select, Stack } from '@mantine/core';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { useState } from 'react';
import type { FleetUsers } from '../../../shared/contract/cloud-calls.ts';
import { useRollout } from '../../stores/rollout.ts';
import { CountField } from './count-field.tsx';
import classes from './rollout-view.module.css';

const userChoices: readonly { readonly value: FleetUsers; readonly label: string }[] = [
  { value: 'ignore', label: 'do not answer' },
  { value: 'confirm', label: 'confirm' },
  { value: 'deny', label: 'refuse' },
  { value: 'auto', label: 'need not be asked' },
];

/** How simulated devices and their users behave: what holds them, and what manual plans get for an answer. */
export function FleetBehaviour() {
  const { lowBattery, weakSignal, users } = useRollout((state) => state.fleetForm);
  const change = useRollout((state) => state.changeFleetForm);
  const [isOpen, setOpen] = useState(false);
  const Arrow = isOpen ? ChevronDown : ChevronRight;
  return (
    <div>
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<Arrow size={14} aria-hidden />}
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        data-testid="fleet-behaviour"
      >
        Battery, signal and users
      </Button>
      <Collapse expanded={isOpen}>
        <Stack gap="xs" pt={6}>
          <div className={classes.counts}>
            <CountField
              label="At 12 % battery"
              value={lowBattery}
              onChange={(value) => change({ lowBattery: value })}
              testId="fleet-low-battery"
            />
            <CountField
              label="At −120 dBm"
              value={weakSignal}
              onChange={(value) => change({ weakSignal: value })}
              testId="fleet-weak-signal"
            />
          </div>
          <Select
            label="When a manual plan asks, users"
            allowDeselect={false}
            data={userChoices}
            value={users}
            onChange={(value) =>
              change({
                users: userChoices.find((choice) => choice.value === value)?.value ?? users,
              })
            }
            data-testid="fleet-users"
          />
        </Stack>
      </Collapse>
    </div>
  );
}
