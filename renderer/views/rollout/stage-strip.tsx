import { Button, Modal, Text } from '@mantine/core';
import { useState } from 'react';
import type { Plan, PlanStatus } from '../../../shared/domain/plan.ts';
import type { StageStatus } from '../../../shared/domain/plan-stages.ts';
import { useRollout } from '../../stores/rollout.ts';
import { countText, durationText, timeText } from '../../widgets/format-text.ts';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import live from './live-plan.module.css';
import { OperatorDecision } from './operator-decision.tsx';
import { finishedText, gateText, stageParts, stageStateTitles } from './stage-text.ts';
import classes from './stages.module.css';

const tones: Readonly<Record<StageStatus['state'], Tone>> = {
  closed: 'neutral',
  open: 'busy',
  soaking: 'busy',
  held: 'warn',
  passed: 'good',
};

/** The stages of a rollout: how far each is, what its gate says and how long it still soaks. */
export function StageStrip(props: { readonly plan: Plan; readonly status: PlanStatus }) {
  const { plan, status } = props;
  const stages = status.stages ?? [];
  const newest = stages.findLast(({ state }) => state !== 'closed');
  const isRunning = status.state === 'activated' || status.state === 'upgrading';
  const [isAsking, setAsking] = useState(false);
  const openStage = useRollout((state) => state.openStage);
  const next = stages.find(({ state }) => state === 'closed');
  return (
    <>
      <ol
        className={`${classes.strip} ${live.toned}`}
        aria-label="Stages"
        data-testid="stage-strip"
        tabIndex={0}
      >
        {stages.map((stage) => (
          <li
            key={stage.stage}
            className={classes.stage}
            data-stage={stage.stage}
            data-state={stage.state}
          >
            <div className={classes.title}>
              <span>Stage {stage.stage}</span>
              <ToneBadge tone={tones[stage.state]} word={stageStateTitles[stage.state]} />
            </div>
            <div className={classes.progress} aria-hidden>
              {stageParts(stage).map(({ state, count }) => (
                <div
                  key={state}
                  className={live.fill}
                  data-state={state}
                  style={{ flexGrow: count, flexBasis: 0 }}
                />
              ))}
            </div>
            <span>{finishedText(stage)}</span>
            {next !== undefined && stage === newest && (
              <>
                <span>{gateText(plan.stages?.[stage.stage - 1], stage)}</span>
                {stage.soakLeftMs !== null && (
                  <span data-testid="soak">Soaks for another {durationText(stage.soakLeftMs)}</span>
                )}
                {isRunning && (
                  <Button
                    variant={stage.state === 'held' ? 'filled' : 'default'}
                    size="compact-xs"
                    mt="auto"
                    style={{ alignSelf: 'flex-start' }}
                    onClick={() => setAsking(true)}
                    data-testid="open-stage"
                  >
                    Open stage {next.stage}…
                  </Button>
                )}
              </>
            )}
            {stage.openedBy && (
              <Text size="xs" c="dimmed" lineClamp={2} title={stage.openedBy.reason}>
                Opened by {stage.openedBy.name}
                {stage.openedAt && `, ${timeText(stage.openedAt)}`}: {stage.openedBy.reason}
              </Text>
            )}
          </li>
        ))}
      </ol>
      {next !== undefined && newest !== undefined && (
        <Modal
          opened={isAsking}
          onClose={() => setAsking(false)}
          size={520}
          title={`Open stage ${next.stage} of ${plan.name}?`}
        >
          <OperatorDecision
            submitWord={`Open stage ${next.stage}`}
            onDecide={(by) => openStage(next.stage, by)}
            onClose={() => setAsking(false)}
            testId="open-stage"
          >
            <Text>
              {countText(next.devices)} further devices get the plan.{' '}
              {newest.state === 'held'
                ? `Stage ${newest.stage} has met its gate and waits for a person.`
                : `Stage ${newest.stage} has not come to its end: ${gateText(plan.stages?.[newest.stage - 1], newest)}`}
            </Text>
          </OperatorDecision>
        </Modal>
      )}
    </>
  );
}
