import { Group, Text } from '@mantine/core';
import type { ReactNode } from 'react';
import type { ScopeSummary } from '../../../shared/domain/plan.ts';
import { countText } from '../../widgets/format-text.ts';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
import classes from './rollout-view.module.css';
import { skipReasonTitles } from './status-text.ts';

/** Why devices are left out, how many, and which; `action` stands beside the count. */
export function SkipReasonRow(props: {
  readonly entry: ScopeSummary['skipped'][number];
  readonly action?: ReactNode;
}) {
  const { entry } = props;
  const hidden = entry.count - entry.devices.length;
  return (
    <div data-skip={entry.reason}>
      <Group gap={4} wrap="nowrap">
        <Text size="xs" fw={500} className="digits">
          {skipReasonTitles[entry.reason]}: {countText(entry.count)}{' '}
          {entry.reason === 'chinaTelecom' && <ToneBadge tone="warn" word="Excluded by name" />}
        </Text>
        {props.action}
      </Group>
      <div className={classes.names} tabIndex={0} role="group" aria-label="Devices">
        {entry.devices.join(', ')}
        {hidden > 0 && ` and ${countText(hidden)} more`}
      </div>
    </div>
  );
}
