import { Button, Group, Select, Text, TextInput } from '@mantine/core';
import { useDebouncedValue, useThrottledValue } from '@mantine/hooks';
import { Search } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Plan, PlanStatus, RolloutDevice } from '../../../shared/domain/plan.ts';
import { call } from '../../rpc/client.ts';
import { usePagedRows } from '../../stores/paged-rows.ts';
import { useRollout } from '../../stores/rollout.ts';
import { useStudio } from '../../stores/studio.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { clockText, pluralText } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import { TitledText } from '../../widgets/value-text.tsx';
import { DeviceLogDrawer } from './device-log.tsx';
import { DeviceActions } from './device-actions.tsx';
import classes from './live-plan.module.css';
import {
  deviceStateTitles,
  isActive,
  stackedStates,
  stepText,
  versionsText,
} from './status-text.ts';

/** Rows in sight are read again when something changes, with this pause between. */
const refreshPauseMs = 300;
const searchDelayMs = 250;
const idsPerPage = 500;
const everyState = 'every';

const deviceTones: Readonly<Record<RolloutDevice['state'], Tone>> = {
  notUpgraded: 'neutral',
  upgrading: 'busy',
  upgraded: 'good',
  failed: 'bad',
  noUpdateRequired: 'neutral',
};

const columnsOf = (
  marked: ReadonlySet<string>,
  toggle: (deviceId: string) => void,
): readonly GridColumn<RolloutDevice>[] => [
  {
    id: 'mark',
    title: 'Mark',
    hint: 'Devices to act on',
    widthPx: 46,
    // Not a stop of its own for Tab: Enter marks the current row. Plain, since there are thousands of rows to scroll.
    render: ({ deviceId }) => (
      <input
        type="checkbox"
        className={classes.mark}
        tabIndex={-1}
        aria-label={`Mark ${deviceId}`}
        checked={marked.has(deviceId)}
        onChange={() => toggle(deviceId)}
      />
    ),
  },
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
    minWidthPx: 150,
    render: (device) => <TitledText text={stepText(device)} />,
  },
  {
    id: 'versions',
    title: 'Versions, package',
    widthPx: 148,
    render: ({ components }) => <TitledText text={versionsText(components)} />,
  },
  {
    id: 'attempts',
    title: 'Tries',
    widthPx: 48,
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
const withStage = (
  columns: readonly GridColumn<RolloutDevice>[],
): readonly GridColumn<RolloutDevice>[] =>
  columns.flatMap((column) => {
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
  const [marked, setMarked] = useState<ReadonlySet<string>>(new Set());
  const toggle = (deviceId: string): void =>
    setMarked((before) => {
      const after = new Set(before);
      if (!after.delete(deviceId)) after.add(deviceId);
      return after;
    });
  const markAll = async (): Promise<void> =>
    setMarked(new Set(await allIds(plan.id, state, search)));
  const { refresh } = rows;
  const changeSeq = useThrottledValue(
    useRollout((found) => found.changeSeq),
    refreshPauseMs,
  );
  useEffect(refresh, [refresh, status.state, changeSeq]);
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
          {rows.total === null ? '' : pluralText(rows.total, 'device')}
        </Text>
        <Button
          variant="subtle"
          ml="auto"
          disabled={marked.size !== 1}
          title="Mark one device to see its log"
          onClick={() => setLogOf([...marked][0] ?? null)}
          data-testid="device-log-open"
        >
          What happened
        </Button>
        {isActive(status.state) && (
          <Group gap="xs" wrap="nowrap">
            <Button
              variant="subtle"
              disabled={rows.total === 0}
              onClick={() => void useStudio.getState().act(markAll)}
              data-testid="mark-all"
            >
              Mark all
            </Button>
            <Button
              variant="subtle"
              disabled={marked.size === 0}
              onClick={() => setMarked(new Set())}
            >
              Mark none
            </Button>
          </Group>
        )}
      </div>
      {isActive(status.state) && (
        <DeviceActions
          plan={plan}
          deviceIds={[...marked]}
          onDone={() => {
            setMarked(new Set());
            refresh();
          }}
        />
      )}
      {rows.problem && <ProblemAlert problem={rows.problem} />}
      {rows.total === null ? (
        <LoadingLines label="Reading the devices" />
      ) : (
        <DataGrid
          label="Devices of the rollout"
          columns={plan.stages ? withStage(columnsOf(marked, toggle)) : columnsOf(marked, toggle)}
          isSelected={({ deviceId }) => marked.has(deviceId)}
          onOpen={({ deviceId }) => toggle(deviceId)}
          rowCount={rows.total}
          getRow={rows.row}
          rowKey={(device) => device.deviceId}
          onRangeVisible={rows.show}
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

/** Ids of every device that a filter shows. */
async function allIds(
  planId: string,
  state: RolloutDevice['state'] | null,
  search: string,
): Promise<string[]> {
  const ids: string[] = [];
  for (;;) {
    const { total, items } = await call('plans.devices', {
      planId,
      offset: ids.length,
      limit: idsPerPage,
      search,
      ...(state === null ? {} : { state }),
    });
    ids.push(...items.map(({ deviceId }) => deviceId));
    if (ids.length >= total || items.length === 0) return ids;
  }
}
