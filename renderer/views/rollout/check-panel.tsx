import { ActionIcon, Button, Stack, Text, Tooltip } from '@mantine/core';
import { RefreshCw, ShieldQuestion } from 'lucide-react';
import type { PlanCheck, PlanDraftInput } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { pluralText } from '../../widgets/format-text.ts';
import { LoadingLines } from '../../widgets/loading-lines.tsx';
import { ProblemAlert } from '../../widgets/problem-alert.tsx';
import { Section } from '../../widgets/section.tsx';
import { GateList } from './gate-list.tsx';
import { ScopePreview } from './scope-preview.tsx';
import type { CheckedPlan } from './use-plan-check.ts';

/** Why a plan cannot be published, or null when every gate is open. */
export function closedGatesText({ gates }: PlanCheck): string | null {
  const closed = gates.filter((gate) => !gate.passed);
  if (closed.length === 0) return null;
  return `${pluralText(closed.length, 'gate')} closed: ${closed.map(({ title }) => title).join('; ')}.`;
}

/** The gates of a plan and the devices it would reach, computed from the records of this moment. */
export function CheckPanel(props: {
  readonly title?: string;
  readonly checked: CheckedPlan;
  /** What was checked, to list the devices of it. */
  readonly plan: PlanDraftInput | null;
  readonly isCloudRunning: boolean;
  /** Why there is nothing to check yet. */
  readonly missing: string | null;
}) {
  const { check, problem, again } = props.checked;
  const startCloud = useRollout((state) => state.startCloud);
  return (
    <Section
      title={props.title ?? 'Gates and scope'}
      fill
      testId="plan-check"
      actions={
        check && (
          <Tooltip label="Compute again, with the devices of this moment">
            <ActionIcon aria-label="Compute the gates again" onClick={again}>
              <RefreshCw size={16} aria-hidden />
            </ActionIcon>
          </Tooltip>
        )
      }
    >
      {!props.isCloudRunning ? (
        <EmptyState
          icon={ShieldQuestion}
          sentence="The local cloud is stopped. It knows the devices, so the scope can be computed only while it runs."
          action={
            <Button variant="default" onClick={() => void startCloud()}>
              Start the local cloud
            </Button>
          }
        />
      ) : problem ? (
        <ProblemAlert
          problem={problem}
          action={
            <Button variant="default" size="compact-xs" onClick={again}>
              Try again
            </Button>
          }
        />
      ) : check ? (
        <Stack gap="md">
          <GateList check={check} />
          <ScopePreview check={check} plan={props.plan} />
        </Stack>
      ) : props.missing !== null ? (
        <Text c="dimmed">{props.missing}</Text>
      ) : (
        <LoadingLines label="Computing the gates" />
      )}
    </Section>
  );
}
