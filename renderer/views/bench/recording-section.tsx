import { SegmentedControl } from '@mantine/core';
import { ScrollText } from 'lucide-react';
import { useMemo, useState } from 'react';
import { useBench } from '../../stores/bench.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { Section } from '../../widgets/section.tsx';
import classes from './bench-view.module.css';
import { bytesRows, type RecordingRow, textRows } from './recording-rows.ts';

const kindWords = { rx: '← board', tx: '→ board', note: 'Note', damaged: 'Damaged' } as const;

const timeColumn: GridColumn<RecordingRow> = {
  id: 'time',
  title: 'Time, ms',
  widthPx: 90,
  align: 'right',
  render: ({ timeMs }) => (timeMs === null ? '' : timeMs.toFixed(3)),
};
const kindColumn: GridColumn<RecordingRow> = {
  id: 'kind',
  title: 'Direction',
  widthPx: 88,
  render: ({ kind }) => kindWords[kind],
};
const textColumn: GridColumn<RecordingRow> = {
  id: 'text',
  title: 'Text',
  minWidthPx: 140,
  render: ({ kind, text }) =>
    kind === 'note' || kind === 'damaged' ? text : <span className={classes.hex}>{text}</span>,
};
const bytesColumns: readonly GridColumn<RecordingRow>[] = [
  timeColumn,
  kindColumn,
  {
    id: 'hex',
    title: 'Bytes, hexadecimal',
    widthPx: 372,
    render: ({ hex }) => <span className={classes.hex}>{hex}</span>,
  },
  textColumn,
];
const textColumns = [timeColumn, kindColumn, textColumn] as const;

/** Everything that went over the line of the chosen run, with times. */
export function RecordingSection() {
  const { runs, runId, recording } = useBench();
  const [form, setForm] = useState('text');
  const text = recording !== null && recording.runId === runId ? recording.text : null;
  const rows = useMemo(
    () => (text === null ? [] : form === 'text' ? textRows(text) : bytesRows(text)),
    [text, form],
  );
  return (
    <Section
      title="Recording"
      fill
      flush
      testId="recording"
      actions={
        <SegmentedControl
          aria-label="What of the recording is shown"
          data={[
            { value: 'text', label: 'Notes and boot log' },
            { value: 'bytes', label: 'Every byte' },
          ]}
          value={form}
          onChange={setForm}
        />
      }
    >
      {runId === null ? (
        <EmptyState
          icon={ScrollText}
          sentence={
            runs?.length === 0
              ? 'The serial traffic of a run is recorded byte by byte and shown here.'
              : 'Choose a run to see what went over its line.'
          }
        />
      ) : text === null ? (
        <LoadingLines label="Reading the recording" />
      ) : (
        <DataGrid
          key={`${runId}${form}`}
          label="Serial recording"
          columns={form === 'text' ? textColumns : bytesColumns}
          rowCount={rows.length}
          getRow={(index) => rows[index]}
        />
      )}
    </Section>
  );
}
