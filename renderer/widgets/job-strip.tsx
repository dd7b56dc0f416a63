import { Button, Group, Progress, Text } from '@mantine/core';
import type { Job } from '../../shared/domain/job.ts';
import { call } from '../rpc/client.ts';
import { useStudio } from '../stores/studio.ts';
import { jobHeadline, jobShare } from './job-text.ts';

/** A running job inside a view: bar, step, rate, time left and cancel. */
export function JobStrip({ job }: { readonly job: Job }) {
  const act = useStudio((state) => state.act);
  return (
    <Group gap="sm" wrap="nowrap" role="status" aria-label={job.title} data-testid="job-strip">
      <Progress w={160} value={jobShare(job) * 100} animated aria-label={job.title} />
      <Text truncate flex={1} className="digits">
        {jobHeadline(job)}
      </Text>
      <Button
        variant="default"
        onClick={() => void act(async () => void (await call('jobs.cancel', { jobId: job.id })))}
      >
        Cancel
      </Button>
    </Group>
  );
}
