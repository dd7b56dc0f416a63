import { Button, Progress } from '@mantine/core';
import { ListChecks } from 'lucide-react';
import type { Job } from '../../../shared/domain/job.ts';
import { call } from '../../rpc/client.ts';
import { useStudio } from '../../stores/studio.ts';
import { DataGrid, type GridColumn } from '../../widgets/data-grid.tsx';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { clockText, percentText } from '../../widgets/format-text.ts';
import { problemText } from '../../widgets/problem-alert.tsx';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import { useCopy } from '../../widgets/use-copy.ts';
import { ClippedText } from '../../widgets/value-text.tsx';
import { jobAmountText, jobResultText, jobShare } from '../../widgets/job-text.ts';

const states: Record<Job['state'], { readonly tone: Tone; readonly word: string }> = {
  running: { tone: 'busy', word: 'Running' },
  succeeded: { tone: 'good', word: 'Done' },
  failed: { tone: 'bad', word: 'Failed' },
  cancelled: { tone: 'neutral', word: 'Cancelled' },
};

const columns: readonly GridColumn<Job>[] = [
  { id: 'started', title: 'Started', widthPx: 80, render: (job) => clockText(job.startedAt) },
  { id: 'title', title: 'Job', widthPx: 180, render: (job) => <ClippedText text={job.title} /> },
  {
    id: 'state',
    title: 'State',
    widthPx: 115,
    render: (job) => <ToneBadge {...states[job.state]} />,
  },
  {
    id: 'share',
    title: 'Progress',
    widthPx: 150,
    render: (job) => (job.state === 'running' ? <JobProgress job={job} /> : null),
  },
  { id: 'amount', title: 'Amount', widthPx: 140, align: 'right', render: jobAmountText },
  { id: 'result', title: 'Result', render: (job) => <ClippedText text={jobResultText(job)} /> },
  { id: 'action', title: 'Action', widthPx: 90, render: (job) => <JobAction job={job} /> },
];

/** Every job of this session, the newest first, with cancel and problems. */
export function JobsTab() {
  const jobs = useStudio((state) => state.jobs);
  return (
    <DataGrid
      label="Jobs"
      columns={columns}
      rowCount={jobs.length}
      getRow={(index) => jobs[index]}
      rowKey={(job) => job.id}
      empty={
        <EmptyState
          icon={ListChecks}
          sentence="No job yet: checking files, making deltas, flashing and publishing show up here."
        />
      }
      testId="jobs-grid"
    />
  );
}

function JobProgress({ job }: { readonly job: Job }) {
  const share = jobShare(job);
  return (
    <span style={{ display: 'flex', flex: 1, alignItems: 'center', gap: 8 }}>
      <Progress flex={1} value={share * 100} animated={job.total === 0} aria-label={job.title} />
      <span className="digits">{job.total > 0 ? percentText(share) : ''}</span>
    </span>
  );
}

function JobAction({ job }: { readonly job: Job }) {
  const act = useStudio((state) => state.act);
  const { state, copy } = useCopy();
  const { problem } = job;
  if (job.state === 'running') {
    return (
      <Button
        size="compact-xs"
        variant="default"
        aria-label={`Cancel ${job.title}`}
        onClick={() => void act(async () => void (await call('jobs.cancel', { jobId: job.id })))}
      >
        Cancel
      </Button>
    );
  }
  if (job.state !== 'failed' || !problem) return null;
  const words = { idle: 'Copy', copied: 'Copied', refused: 'Refused' };
  return (
    <Button
      size="compact-xs"
      variant="default"
      aria-label={`Copy the problem of ${job.title}`}
      onClick={() => copy(problemText(problem))}
    >
      {words[state]}
    </Button>
  );
}
