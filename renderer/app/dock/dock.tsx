import { ActionIcon, Progress, Tabs, Text, Tooltip } from '@mantine/core';
import { ChevronDown, ChevronUp } from 'lucide-react';
import { type DockTab, useDock } from '../../stores/dock.ts';
import { useStudio } from '../../stores/studio.ts';
import { keyText } from '../key-text.ts';
import classes from './dock.module.css';
import { jobHeadline, jobShare } from '../../widgets/job-text.ts';
import { JobsTab } from './jobs-tab.tsx';
import { LogTab } from './log-tab.tsx';

/** The dock at the bottom: jobs and log, folded to one line that shows the newest running job. */
export function Dock() {
  const { open, tab, toggle, show } = useDock();
  const running = useStudio((state) => state.jobs.find((job) => job.state === 'running'));
  const Chevron = open ? ChevronDown : ChevronUp;
  return (
    <section className={classes.dock} aria-label="Jobs and log" data-region>
      <Tabs
        value={open ? tab : null}
        onChange={(value) => show(value as DockTab)}
        className={classes.tabs}
      >
        <div className={classes.head}>
          <Tabs.List className={classes.list}>
            <Tabs.Tab value="jobs" data-testid="dock-jobs">
              Jobs
            </Tabs.Tab>
            <Tabs.Tab value="log" data-testid="dock-log">
              Log
            </Tabs.Tab>
          </Tabs.List>
          <div className={classes.now} data-testid="dock-now">
            {running && (
              <>
                <Progress
                  w={140}
                  animated
                  value={jobShare(running) * 100}
                  aria-label={running.title}
                />
                <Text size="xs" truncate>
                  {jobHeadline(running)}
                </Text>
              </>
            )}
          </div>
          <Tooltip label={`${open ? 'Fold' : 'Open'} (${keyText('J')})`}>
            <ActionIcon
              aria-label={open ? 'Fold the dock' : 'Open the dock'}
              aria-expanded={open}
              onClick={toggle}
              data-testid="dock-toggle"
            >
              <Chevron size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        </div>
        {open && (
          <>
            <Tabs.Panel value="jobs" className={classes.panel}>
              <JobsTab />
            </Tabs.Panel>
            <Tabs.Panel value="log" className={classes.panel}>
              <LogTab />
            </Tabs.Panel>
          </>
        )}
      </Tabs>
    </section>
  );
}
