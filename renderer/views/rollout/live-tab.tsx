import { Button, Text, UnstyledButton } from '@mantine/core';
import { Rocket } from 'lucide-react';
import type { Plan, PlanState } from '../../../shared/domain/plan.ts';
import { useRollout } from '../../stores/rollout.ts';
import layout from '../../widgets/columns.module.css';
import { EmptyState } from '../../widgets/empty-state.tsx';
import { Section } from '../../widgets/section.tsx';
import { type Tone, ToneBadge } from '../../widgets/tone-badge.tsx';
import { Time } from '../../widgets/value-text.tsx';
import { LivePlan } from './live-plan.tsx';
import classes from './rollout-view.module.css';
import { SavedPlan } from './saved-plan.tsx';
import { planStateTitles } from './status-text.ts';

const planTones: Readonly<Record<PlanState, Tone>> = {
  saved: 'neutral',
  activated: 'busy',
  upgrading: 'busy',
  suspended: 'warn',
  terminated: 'bad',
  ended: 'good',
};

/** The state of a plan as icon and word. */
export function PlanBadge({ state }: { readonly state: PlanState }) {
  return <ToneBadge tone={planTones[state]} word={planStateTitles[state]} />;
}

/** The plans of the release, and the chosen one with its rollout. */
export function LiveTab({ plans }: { readonly plans: readonly Plan[] }) {
  const { planId, choosePlan, openTab } = useRollout();
  if (plans.length === 0)
    return (
      <EmptyState
        icon={Rocket}
        sentence="This release has no plan yet. A plan says who gets which packages, and its rollout is followed here."
        action={<Button onClick={() => openTab('editor')}>New plan</Button>}
        testId="no-plans"
      />
    );
  const plan = plans.find(({ id }) => id === planId);
  return (
    <div className={`${layout.columns} ${classes.columns}`} data-kind="live">
      <Section title="Plans" fill flush testId="plans">
        <nav aria-label="Plans of the release" className={classes.planList}>
          {plans.map((one) => (
            <UnstyledButton
              key={one.id}
              className={classes.plan}
              aria-current={one.id === planId}
              onClick={() => choosePlan(one.id)}
            >
              <Text lineClamp={3} title={one.name} style={{ overflowWrap: 'anywhere' }}>
                {one.name}
              </Text>
              <PlanBadge state={one.state} />
              <Time at={one.publishedAt ?? one.createdAt} />
            </UnstyledButton>
          ))}
        </nav>
      </Section>
      <div className={layout.column}>
        {plan &&
          (plan.publishedAt === null ? (
            <SavedPlan key={plan.id} plan={plan} />
          ) : (
            <LivePlan key={plan.id} plan={plan} />
          ))}
      </div>
    </div>
  );
}
