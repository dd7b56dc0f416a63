import { Text } from '@mantine/core';
import { Hourglass } from 'lucide-react';
import type { PlanStatus } from '../../../shared/domain/plan.ts';
import { countText } from '../../widgets/format-text.ts';
import classes from './live-plan.module.css';
import { holdReasonTitles } from './status-text.ts';

/** Why waiting devices get no job yet, in one line; nothing when none is held. */
export function HeldLine({ held = [] }: Pick<PlanStatus, 'held'>) {
  if (held.length === 0) return null;
  return (
    <div className={classes.held} data-testid="held">
      <Hourglass size={14} aria-hidden />
      <Text size="xs">
        Held:{' '}
        {held
          .map(({ reason, count }) => `${countText(count)} ${holdReasonTitles[reason]}`)
          .join(', ')}
      </Text>
    </div>
  );
}
