import { Button, Group, Tabs } from '@mantine/core';
import { useEffect } from 'react';
import { type RolloutTab, useRollout } from '../../stores/rollout.ts';
import { useRelease, useStudio } from '../../stores/studio.ts';
import { usePoll } from '../../stores/use-poll.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { NoRelease } from '../../widgets/no-release.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import { ViewHeader } from '../../widgets/view-header.tsx';
import { DevicesTab } from './devices-tab.tsx';
import { EditorTab } from './editor-tab.tsx';
import { LiveTab } from './live-tab.tsx';
import classes from './rollout-view.module.css';

const followPeriodMs = 1000;

/** The rollout: the local cloud and its devices, the plan editor, and plans being carried out. */
export function RolloutView() {
  const chosen = useRelease();
  const { tab, openTab, follow, listPlans, plans, problem } = useRollout();
  const releaseId = chosen?.release.id;
  usePoll(follow, followPeriodMs, true);
  useEffect(() => {
    if (releaseId !== undefined) void listPlans(releaseId);
  }, [listPlans, releaseId]);

  if (!chosen) return <NoRelease />;
  const { release, product } = chosen;
  return (
    <>
      <ViewHeader
        title="Rollout"
        about={`${product.name} ${release.version}`}
        actions={<CloudSwitch />}
      />
      {problem && <ProblemAlert problem={problem} />}
      <Tabs
        value={tab}
        onChange={(value) => value !== null && openTab(value as RolloutTab)}
        className={classes.tabs}
      >
        <Tabs.List>
          <Tabs.Tab value="live">
            {plans === null || plans.length === 0 ? 'Plans' : `Plans (${plans.length})`}
          </Tabs.Tab>
          <Tabs.Tab value="editor">New plan</Tabs.Tab>
          <Tabs.Tab value="devices">Devices and cloud</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="live" className={classes.panel}>
          {plans === null ? <LoadingLines label="Reading the plans" /> : <LiveTab plans={plans} />}
        </Tabs.Panel>
        <Tabs.Panel value="editor" className={classes.panel}>
          <EditorTab key={release.id} release={release} product={product} />
        </Tabs.Panel>
        <Tabs.Panel value="devices" className={classes.panel}>
          <DevicesTab key={product.id} product={product} />
        </Tabs.Panel>
      </Tabs>
    </>
  );
}

function CloudSwitch() {
  const cloud = useStudio((state) => state.cloud);
  const { isCloudBusy, startCloud, stopCloud } = useRollout();
  if (!cloud) return null;
  return (
    <Group gap="xs" wrap="nowrap" data-testid="rollout-cloud">
      <ToneBadge
        tone={cloud.running ? 'good' : 'neutral'}
        word={cloud.running ? 'Local cloud running' : 'Local cloud stopped'}
      />
      {cloud.running ? (
        <Button
          variant="default"
          loading={isCloudBusy}
          onClick={() => void stopCloud()}
          data-testid="stop-cloud"
        >
          Stop
        </Button>
      ) : (
        <Button loading={isCloudBusy} onClick={() => void startCloud()} data-testid="start-cloud">
          Start the local cloud
        </Button>
      )}
    </Group>
  );
}
