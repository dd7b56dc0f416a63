import { Text } from '@mantine/core';
import type { BenchRun } from '../../../shared/domain/bench.ts';
import { byteText } from '../../../shared/domain/progress-text.ts';
import { useBench } from '../../stores/bench.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { durationText } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { ClippedText, Time } from '../../widgets/value-text.tsx';
import classes from './bench-view.module.css';

const columns: readonly GridColumn<BenchRun>[] = [
  {
    id: 'verdict',
    title: 'Verdict',
    widthPx: 100,
    render: ({ passed, failure }) =>
      failure?.code === 'interrupted' ? (
        <ToneBadge tone="bad" word="Cut off" title={failure.title} />
      ) : (
        <ToneBadge tone={passed ? 'good' : 'bad'} word={passed ? 'Passed' : 'Failed'} />
      ),
  },
  { id: 'when', title: 'Started', widthPx: 138, render: (run) => <Time at={run.startedAt} /> },
  {
    id: 'image',
    title: 'Image',
    minWidthPx: 100,
    render: (run) => (
      <ClippedText text={run.releaseId === null ? `${run.imageName} (a file)` : run.imageName} />
    ),
  },
  {
    id: 'port',
    title: 'Board',
    minWidthPx: 100,
    render: (run) => <ClippedText text={boardText(run)} />,
  },
  {
    id: 'revision',
    title: 'Rev.',
    hint: 'Hardware revision of the board',
    widthPx: 54,
    render: ({ hardwareRevision }) => hardwareRevision ?? '',
  },
  {
    id: 'booted',
    title: 'Booted',
    widthPx: 80,
    render: ({ result }) => result.booted?.version ?? 'none',
  },
  {
    id: 'written',
    title: 'Written',
    widthPx: 90,
    align: 'right',
    render: ({ result }) => byteText(result.bytesWritten),
  },
  {
    id: 'duration',
    title: 'Duration',
    widthPx: 90,
    align: 'right',
    render: ({ result }) => durationText(result.elapsedMs),
  },
];

const boardText = ({ board, port }: BenchRun): string =>
  board?.nickname === undefined ? port : `${board.nickname}, ${port}`;

/** Bench runs of the release and of files, newest first; the chosen one is shown above and below. */
export function RunsSection() {
  const { runs, runId, openRun } = useBench();
  return (
    <Section title="Bench runs" flush testId="bench-runs">
      <div className={classes.runs}>
        {runs === null ? (
          <LoadingLines label="Reading the bench runs" lines={3} />
        ) : (
          <DataGrid
            label="Bench runs"
            columns={columns}
            rowCount={runs.length}
            getRow={(index) => runs[index]}
            rowKey={(run) => run.id}
            isSelected={(run) => run.id === runId}
            onSelect={(run) => void openRun(run.id)}
            empty={
              <Text c="dimmed">
                No run yet. Choose a board and flash the image: it is written, read back and booted.
              </Text>
            }
          />
        )}
      </div>
    </Section>
  );
}
