import { Button, Group, SegmentedControl, Text } from '@mantine/core';
import { CloudOff, Pause, Play, Square } from 'lucide-react';
import { useEffect, useState } from 'react';
import type { Plan, PlanStatus } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { useStudio } from '../../stores/studio.ts';
import { usePoll } from '../../stores/use-poll.ts';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { Section } from '../../widgets/section.tsx';
import classes from './live-plan.module.css';
import { HeldLine } from './held-line.tsx';
import { HistorySection } from './history-section.tsx';
import { OutcomeList } from './outcome-list.tsx';
import { PlanBadge } from './live-tab.tsx';
import { RolloutDevices } from './rollout-devices.tsx';
import { StageStrip } from './stage-strip.tsx';
import { StatusBar } from './status-bar.tsx';
import { isActive } from './status-text.ts';
import { StopNotice } from './stop-notice.tsx';
import { TerminateDialog } from './terminate-dialog.tsx';

/** Changes are told as they happen; this is for what no change tells: who is held, and time that passes. */
const followPeriodMs = 3000;

/** A published plan: counts, success rate, reasons, the course over time and every device. */
export function LivePlan({ plan }: { readonly plan: Plan }) {
  const cloud = useStudio((state) => state.cloud);
  const { status, followPlan, listenTo, startCloud, isCloudBusy } = useRollout();
  const isRunning = cloud?.running ?? false;
  const isStatusOfPlan = status?.planId === plan.id;
  const [part, setPart] = useState('devices');
  const [isUnfolded, setUnfolded] = useState(true);
  const hasDetails =
    isStatusOfPlan && [status.stages, status.stops, status.held].some((list) => list?.length);
  useEffect(() => (isRunning ? listenTo(plan.id) : undefined), [isRunning, listenTo, plan.id]);
  usePoll(followPlan, followPeriodMs, isRunning && (!isStatusOfPlan || isActive(status.state)));

  if (!isRunning)
    return (
      <Section title={plan.name} fill>
        <EmptyState
          icon={CloudOff}
          sentence="The local cloud is stopped, so this rollout stands still. Nothing is lost: it goes on when the cloud starts."
          action={
            <Button loading={isCloudBusy} onClick={() => void startCloud()}>
              Start the local cloud
            </Button>
          }
        />
      </Section>
    );
  return (
    <>
      <Section
        title={plan.name}
        testId="live-plan"
        actions={
          <>
            {hasDetails && (
              <Button
                variant="subtle"
                title="Stages, stops and what is held; without them more devices are in sight"
                aria-expanded={isUnfolded}
                onClick={() => setUnfolded(!isUnfolded)}
                data-testid="plan-fold"
              >
                {isUnfolded ? 'Less' : 'More'}
              </Button>
            )}
            <PlanBadge state={isStatusOfPlan ? status.state : plan.state} />
            {isStatusOfPlan && <PlanControls status={status} plan={plan} />}
          </>
        }
      >
        {isStatusOfPlan ? (
          <div className={classes.summary}>
            <StatusBar status={status} />
            {isUnfolded && (
              <>
                {status.stages && <StageStrip plan={plan} status={status} />}
                <StopNotice plan={plan} status={status} />
                <HeldLine held={status.held} />
              </>
            )}
          </div>
        ) : (
          <LoadingLines label="Reading the plan" lines={2} />
        )}
      </Section>
      {isStatusOfPlan && (
        <Section
          title={part === 'devices' ? 'Devices' : part === 'history' ? 'Over time' : 'Reasons'}
          fill
          flush
          actions={
            <SegmentedControl
              aria-label="What is shown of the rollout"
              data={[
                { value: 'devices', label: 'Devices' },
                { value: 'history', label: 'Over time' },
                { value: 'outcome', label: 'Reasons' },
              ]}
              value={part}
              onChange={setPart}
            />
          }
        >
          <div className={classes.part}>
            {part === 'devices' && <RolloutDevices plan={plan} status={status} />}
            {part === 'history' && <HistorySection isActive={isActive(status.state)} />}
            {part === 'outcome' && <OutcomeList status={status} />}
          </div>
        </Section>
      )}
    </>
  );
}

/** Suspend, resume and terminate, each with what it does. */
function PlanControls(props: { readonly status: PlanStatus; readonly plan: Plan }) {
  const { status, plan } = props;
  const control = useRollout((state) => state.control);
  const [isAsking, setAsking] = useState(false);
  if (!isActive(status.state))
    return (
      <Text size="xs" c="dimmed">
        {status.state === 'ended' ? 'It is over.' : 'It cannot be resumed.'}
      </Text>
    );
  // It is resumed beside the failures that have to be accepted.
  const isStopped = status.stops?.some(({ resumed }) => resumed === null) ?? false;
  return (
    <Group gap="xs" wrap="nowrap">
      {isStopped ? null : status.state === 'suspended' ? (
        <Button
          leftSection={<Play size={14} aria-hidden />}
          title="Waiting devices get the plan again"
          onClick={() => void control('resume')}
          data-testid="plan-resume"
        >
          Resume
        </Button>
      ) : (
        <Button
          variant="default"
          leftSection={<Pause size={14} aria-hidden />}
          title="No further device gets the plan; devices that have begun go on"
          onClick={() => void control('suspend')}
          data-testid="plan-suspend"
        >
          Suspend
        </Button>
      )}
      <Button
        variant="outline"
        color="red"
        leftSection={<Square size={14} aria-hidden />}
        onClick={() => setAsking(true)}
        data-testid="plan-terminate"
      >
        Terminate…
      </Button>
      <TerminateDialog
        opened={isAsking}
        planName={plan.name}
        counts={status.counts}
        onClose={() => setAsking(false)}
      />
    </Group>
  );
}
