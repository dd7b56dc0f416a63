import { Stack, Text } from '@mantine/core';
import type { PlanStatus } from '../../../shared/domain/plan.ts';
import { countText } from '../../widgets/format-text.ts';
import { SkipReasonRow } from './check-panel.tsx';
import classes from './live-plan.module.css';

/** Why devices failed, and why others were left out from the start. */
export function OutcomeList({ status }: { readonly status: PlanStatus }) {
  const failures =
    status.failures ??
    status.failureReasons.map((reason) => ({ ...reason, stage: null, step: null }));
  return (
    <div className={classes.outcome}>
      <Stack gap="xs">
        <Text fw={600}>Why devices failed</Text>
        {status.failureReasons.length === 0 ? (
          <Text size="xs" c="dimmed">
            None has failed.
          </Text>
        ) : (
          failures.map(({ stage, step, code, count }) => (
            <Text key={`${stage} ${step} ${code}`} className="digits">
              {countText(count)} × <code>{code}</code>
              {step !== null && `, ${step}`}
              {stage !== null && `, stage ${stage}`}
            </Text>
          ))
        )}
      </Stack>
      <Stack gap="xs">
        <Text fw={600}>Why devices were left out</Text>
        {status.skipped.length === 0 ? (
          <Text size="xs" c="dimmed">
            The plan reaches every device of the product.
          </Text>
        ) : (
          status.skipped.map((entry) => <SkipReasonRow key={entry.reason} entry={entry} />)
        )}
      </Stack>
    </div>
  );
}
