import { NumberInput, Stack, Switch, Text } from '@mantine/core';
import { Section } from '../../widgets/section.tsx';
import { type NumberText, proposedStopRules, type StopForm } from './stage-choices.ts';
import classes from './stages.module.css';

/** When a plan suspends itself. */
export function StopRulesSection(props: {
  readonly rules: StopForm | null;
  readonly onChange: (rules: StopForm | null) => void;
}) {
  const { rules, onChange } = props;
  const field = (label: string, key: keyof StopForm, unit: string, hint: string) => (
    <NumberInput
      label={label}
      description={hint}
      suffix={unit}
      min={0}
      max={key === 'failurePercent' ? 100 : 43_200}
      clampBehavior="strict"
      allowNegative={false}
      allowDecimal={key === 'failurePercent'}
      hideControls
      value={rules?.[key] ?? ''}
      onChange={(value) =>
        rules &&
        onChange({ ...rules, [key]: typeof value === 'number' ? value : ('' as NumberText) })
      }
      data-testid={`stop-${key}`}
    />
  );
  return (
    <Section
      title="Stop rules"
      testId="plan-stop-rules"
      actions={
        <Switch
          label="Suspend by itself"
          checked={rules !== null}
          onChange={(event) => onChange(event.currentTarget.checked ? proposedStopRules : null)}
        />
      }
    >
      {rules === null ? (
        <Text size="xs" c="dimmed">
          However many devices fail, the plan goes on until a person suspends it.
        </Text>
      ) : (
        <Stack gap="xs">
          <div className={classes.rules}>
            {field('Stop at a share of failures', 'failurePercent', ' %', 'of finished devices')}
            {field('Counts from', 'minFinished', ' devices', 'that have finished')}
            {field('Stop at a number of failures', 'failureCount', ' devices', 'empty: no limit')}
            {field('Silent counts as failed', 'silentAfterMinutes', ' min', 'empty: never')}
          </div>
          <Text size="xs" c="dimmed">
            Measured over the plan and over each open stage. A device is silent when it was given
            its job and is not heard from; when it reports after all, it no longer counts.
          </Text>
        </Stack>
      )}
    </Section>
  );
}
