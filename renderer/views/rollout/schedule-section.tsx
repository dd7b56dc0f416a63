import { Button, Group, Select, Stack, Text } from '@mantine/core';
import { useMemo } from 'react';
import { Section } from '../../widgets/section.tsx';
import type { PlanOptions } from './plan-options.ts';
import { DayTimeField, LocalTimeField } from './time-fields.tsx';

/** When a plan pushes: planned time and daily push period, in a time zone. */
export function ScheduleSection(props: {
  readonly options: PlanOptions;
  readonly onChange: (change: Partial<PlanOptions>) => void;
}) {
  const { options, onChange } = props;
  const { timeZone, start, end, pushFrom, pushTo } = options;
  const zones = useMemo(
    () => [...new Set(['UTC', timeZone, ...Intl.supportedValuesOf('timeZone')])],
    [timeZone],
  );
  const isGiven = [start, end, pushFrom, pushTo].some((text) => text !== '');
  return (
    <Section
      title="When"
      testId="plan-schedule-section"
      actions={
        isGiven && (
          <Button
            variant="subtle"
            onClick={() => onChange({ start: '', end: '', pushFrom: '', pushTo: '' })}
          >
            Any time
          </Button>
        )
      }
    >
      <Stack gap="sm">
        <Select
          label="Time zone"
          searchable
          allowDeselect={false}
          limit={100}
          data={zones}
          value={timeZone}
          onChange={(value) => value !== null && onChange({ timeZone: value })}
          data-testid="plan-zone"
        />
        <Group grow gap="sm" align="flex-start">
          <LocalTimeField
            label="Starts"
            value={start}
            onChange={(value) => onChange({ start: value })}
            testId="plan-start"
          />
          <LocalTimeField
            label="Ends"
            value={end}
            onChange={(value) => onChange({ end: value })}
            testId="plan-end"
          />
        </Group>
        <Group grow gap="sm" align="flex-start">
          <DayTimeField
            label="Pushed daily from"
            value={pushFrom}
            onChange={(value) => onChange({ pushFrom: value })}
            testId="plan-push-from"
          />
          <DayTimeField
            label="Pushed daily until"
            value={pushTo}
            onChange={(value) => onChange({ pushTo: value })}
            testId="plan-push-to"
          />
        </Group>
        <Text size="xs" c="dimmed">
          {isGiven
            ? 'Nothing is pushed before the start or outside the push period. At the end the plan ends by itself: devices that have begun go on, the others are not upgraded. A period may run over midnight.'
            : 'No times given: it begins when it is published, and ends when every device has finished.'}
        </Text>
      </Stack>
    </Section>
  );
}
