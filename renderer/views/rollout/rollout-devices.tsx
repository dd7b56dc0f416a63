import { Select, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Plan, PlanStatus, RolloutDevice } from '../../../shared/domain/plan.ts';
import { call } from '../../rpc/client.ts';
import { usePagedRows } from '../../stores/paged-rows.ts';
import { usePoll } from '../../stores/use-poll.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { clockText, pluralText } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import { TitledText } from '../../widgets/value-text.tsx';
import { DeviceLogDrawer } from './device-log.tsx';
import classes from './live-plan.module.css';
import {
  deviceStateTitles,
  isActive,
  stackedStates,
  stepText,
  versionsText,
} from './status-text.ts';

const refreshPeriodMs = 1000;
const searchDelayMs = 250;
const everyState = 'every';

const deviceTones: Readonly<Record<RolloutDevice['state'], Tone>> = {
  notUpgraded: 'neutral',
  upgrading: 'busy',
  upgraded: 'good',
  failed: 'bad',
  noUpdateRequired: 'neutral',
};

const columns: readonly GridColumn<RolloutDevice>[] = [
  {
    id: 'device',
    title: 'Device',
    minWidthPx: 222,
    render: ({ deviceId }) => <TitledText text={deviceId} />,
  },
  {
    id: 'transport',
    title: 'Transport',
    widthPx: 78,
    render: ({ transport }) => transport.toUpperCase(),
  },
  {
    id: 'state',
    title: 'State',
    widthPx: 174,
    render: ({ state, silent }) =>
      silent ? (
        <ToneBadge tone="warn" word="Silent" />
      ) : (
        <ToneBadge tone={deviceTones[state]} word={deviceStateTitles[state]} />
      ),
  },
  {
    id: 'components',
    title: 'Upgrade step',
    minWidthPx: 160,
    render: ({ components, error }) => <TitledText text={stepText(components, error)} />,
  },
  {
    id: 'versions',
    title: 'Versions, package',
    widthPx: 178,
    render: ({ components }) => <TitledText text={versionsText(components)} />,
  },
  {
    id: 'attempts',
    title: 'Tries',
    widthPx: 54,
    align: 'right',
    render: ({ attempts }) => attempts,
  },
  {
    id: 'updated',
    title: 'Updated',
    widthPx: 80,
    render: ({ updatedAt }) => <time dateTime={updatedAt}>{clockText(updatedAt)}</time>,
  },
];

const stageColumn: GridColumn<RolloutDevice> = {
  id: 'stage',
  title: 'Stage',
  widthPx: 52,
  align: 'right',
  render: ({ stage }) => stage,
};
/** With the stage behind the device, and less room for the step. */
const stagedColumns = columns.flatMap((column) => {
  if (column.id === 'device') return [column, stageColumn];
  return column.id === 'components' ? [{ ...column, minWidthPx: 96 }] : [column];
});

/** Every device of a rollout, page by page; only what is in sight is read again. */
export function RolloutDevices(props: { readonly plan: Plan; readonly status: PlanStatus }) {
  const { plan, status } = props;
  const [state, setState] = useState<RolloutDevice['state'] | null>(null);
  const [logOf, setLogOf] = useState<string | null>(null);
  const [typed, setTyped] = useState('');
  const [search] = useDebouncedValue(typed.trim(), searchDelayMs);
  const rows = usePagedRows<RolloutDevice>(`${plan.id} ${state ?? ''} ${search}`, (offset, limit) =>
    call('plans.devices', {
      planId: plan.id,
      offset,
      limit,
      search,
      ...(state === null ? {} : { state }),
    }),
  );
  const { refresh } = rows;
  usePoll(async () => refresh(), refreshPeriodMs, isActive(status.state));
  // The last changes arrive together with the state that ends the polling.
  useEffect(refresh, [refresh, status.state]);
  return (
    <>
      <div className={classes.filters}>
        <TextInput
          aria-label="Search devices of the rollout"
          placeholder="Device id"
          leftSection={<Search size={14} aria-hidden />}
          value={typed}
          onChange={(event) => setTyped(event.currentTarget.value)}
          w={220}
          data-testid="rollout-search"
        />
        <Select
          aria-label="State of the devices"
          allowDeselect={false}
          data={[
            { value: everyState, label: 'Every state' },
            ...stackedStates.map((value) => ({ value, label: deviceStateTitles[value] })),
          ]}
          value={state ?? everyState}
          onChange={(value) => setState(stackedStates.find((known) => known === value) ?? null)}
          w={190}
          data-testid="rollout-state"
        />
        <Text size="xs" c="dimmed" className="digits" style={{ alignSelf: 'center' }}>
          {rows.total === null
            ? ''
            : `${pluralText(rows.total, 'device')}; double click or Enter shows what happened to one`}
        </Text>
      </div>
      {rows.problem && <ProblemAlert problem={rows.problem} />}
      {rows.total === null ? (
        <LoadingLines label="Reading the devices" />
      ) : (
        <DataGrid
          label="Devices of the rollout"
          columns={plan.stages ? stagedColumns : columns}
          rowCount={rows.total}
          getRow={rows.row}
          rowKey={(device) => device.deviceId}
          onRangeVisible={rows.show}
          onOpen={({ deviceId }) => setLogOf(deviceId)}
          empty={<Text c="dimmed">No device of this rollout matches.</Text>}
          testId="rollout-devices"
        />
      )}
      <DeviceLogDrawer
        plan={plan}
        deviceId={logOf}
        isLive={isActive(status.state)}
        onClose={() => setLogOf(null)}
      />
    </>
  );
}
