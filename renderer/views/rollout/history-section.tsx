import { SegmentedControl, Text } from '@mantine/core';
import { useState } from 'react';
import type { HistoryPoint } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { clockText, countText } from '../../widgets/format-text.ts';
import { HistoryChart } from './history-chart.tsx';
import classes from './live-plan.module.css';
import { deviceStateTitles, stackedStates } from './status-text.ts';

const columns: readonly GridColumn<HistoryPoint>[] = [
  {
    id: 'time',
    title: 'Time',
    widthPx: 110,
    render: ({ atMs }) => clockText(new Date(atMs).toISOString()),
  },
  ...stackedStates.map((state) => ({
    id: state,
    title: deviceStateTitles[state],
    align: 'right' as const,
    render: (point: HistoryPoint) => countText(point[state]),
  })),
];

/** The counts over time, as a chart or as a table. */
export function HistorySection({ isActive }: { readonly isActive: boolean }) {
  const history = useRollout((state) => state.history);
  const [form, setForm] = useState('chart');
  return (
    <>
      <div className={classes.filters}>
        <SegmentedControl
          aria-label="How the history is shown"
          data={[
            { value: 'chart', label: 'Chart' },
            { value: 'table', label: 'Table' },
          ]}
          value={form}
          onChange={setForm}
          data-testid="history-form"
        />
      </div>
      {history.length === 0 ? (
        <Text c="dimmed" p="md">
          Nothing has been recorded yet.
        </Text>
      ) : form === 'chart' ? (
        <HistoryChart history={history} isActive={isActive} />
      ) : (
        <DataGrid
          label="Devices by state over time, newest first"
          columns={columns}
          rowCount={history.length}
          getRow={(index) => history[history.length - 1 - index]}
          testId="history-table"
        />
      )}
    </>
  );
}
