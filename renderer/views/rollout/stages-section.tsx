import {
  ActionIcon,
  Button,
  Checkbox,
  NumberInput,
  SegmentedControl,
  Select,
  Stack,
  Text,
} from '@mantine/core';
import { Plus, X } from 'lucide-react';
import { maxDevicesPerPlan } from '../../../shared/domain/limits.ts';
import { countText } from '../../widgets/format-text.ts';
import { Section } from '../../widgets/section.tsx';
import {
  type NumberText,
  proposedStage,
  proposedStages,
  type StageForm,
  sizesOf,
} from './stage-choices.ts';
import classes from './stages.module.css';

const maxSoakMinutes = 30 * 24 * 60;

/** Whether a plan begins with everybody or in stages, and when each stage lets the next one open. */
export function StagesSection(props: {
  readonly stages: readonly StageForm[] | null;
  /** Devices that the plan would upgrade, once the scope is known. */
  readonly deviceCount: number | null;
  readonly onChange: (stages: readonly StageForm[] | null) => void;
}) {
  const { stages, deviceCount, onChange } = props;
  const sizes = stages && deviceCount !== null ? sizesOf(stages, deviceCount) : null;
  const change = (at: number, part: Partial<StageForm>): void =>
    onChange(stages?.map((stage, index) => (index === at ? { ...stage, ...part } : stage)) ?? null);
  return (
    <Section
      title="Stages"
      testId="plan-stages"
      actions={
        <SegmentedControl
          aria-label="Stages"
          data={[
            { value: 'once', label: 'All at once' },
            { value: 'stages', label: 'In stages' },
          ]}
          value={stages ? 'stages' : 'once'}
          onChange={(value) => onChange(value === 'stages' ? proposedStages : null)}
        />
      }
    >
      {stages === null ? (
        <Text size="xs" c="dimmed">
          Every device in scope may begin as soon as the plan is published.
        </Text>
      ) : (
        <Stack gap="xs">
          <table className={classes.table}>
            <thead>
              <tr>
                <th scope="col">Stage</th>
                <th scope="col">Reaches up to</th>
                <th scope="col" title="How many devices of the scope of this moment">
                  Devices
                </th>
                <th scope="col" title="Of the devices that have finished, so many must be upgraded">
                  Upgraded, %
                </th>
                <th scope="col" title="So many devices of the stage must have finished">
                  Finished, %
                </th>
                <th scope="col" title="So long the gate has to stay met">
                  Soak, min
                </th>
                <th scope="col" title="A person opens the next stage">
                  Ask first
                </th>
                <td />
              </tr>
            </thead>
            <tbody>
              {stages.map((stage, at) => (
                <StageRow
                  // biome-ignore lint/suspicious/noArrayIndexKey: a stage is its place
                  key={at}
                  place={at + 1}
                  stage={stage}
                  isLast={at === stages.length - 1}
                  size={sizes?.[at] ?? null}
                  onChange={(part) => change(at, part)}
                  onRemove={
                    stages.length > 2
                      ? () => onChange(stages.filter((_, index) => index !== at))
                      : null
                  }
                />
              ))}
            </tbody>
          </table>
          <Button
            variant="default"
            size="compact-xs"
            leftSection={<Plus size={13} aria-hidden />}
            style={{ alignSelf: 'flex-start' }}
            onClick={() => onChange([...stages.slice(0, -1), proposedStage, ...stages.slice(-1)])}
          >
            Add a stage
          </Button>
          <Text size="xs" c="dimmed">
            Which device is in which stage follows from its id, so it does not change while the plan
            runs. A stage opens when the one before has met its gate for the whole soak.
          </Text>
        </Stack>
      )}
    </Section>
  );
}

function StageRow(props: {
  readonly place: number;
  readonly stage: StageForm;
  readonly isLast: boolean;
  readonly size: number | null;
  readonly onChange: (part: Partial<StageForm>) => void;
  readonly onRemove: (() => void) | null;
}) {
  const { place, stage, isLast, onChange, onRemove } = props;
  const number = (label: string, key: 'successPercent' | 'finishedPercent' | 'soakMinutes') => (
    <td>
      <Field
        label={`${label} of stage ${place}`}
        max={key === 'soakMinutes' ? maxSoakMinutes : 100}
        value={stage[key]}
        onChange={(value) => onChange({ [key]: value })}
      />
    </td>
  );
  return (
    <tr data-stage={place}>
      <th scope="row">{place}</th>
      <td>
        {isLast ? (
          <span>All the rest</span>
        ) : (
          <div className={classes.size}>
            <Field
              label={`Size of stage ${place}`}
              max={stage.unit === 'percent' ? 100 : maxDevicesPerPlan}
              value={stage.size}
              onChange={(size) => onChange({ size })}
            />
            <Select
              aria-label={`Unit of stage ${place}`}
              allowDeselect={false}
              data={[
                { value: 'percent', label: '%' },
                { value: 'count', label: 'devices' },
              ]}
              value={stage.unit}
              onChange={(value) => onChange({ unit: value === 'count' ? 'count' : 'percent' })}
            />
          </div>
        )}
      </td>
      <td className="digits" data-testid={`stage-size-${place}`}>
        {props.size === null ? '–' : countText(props.size)}
      </td>
      {isLast ? (
        <td colSpan={5} className={classes.faint}>
          No gate behind the last stage
        </td>
      ) : (
        <>
          {number('Upgraded', 'successPercent')}
          {number('Finished', 'finishedPercent')}
          {number('Soak', 'soakMinutes')}
          <td>
            <Checkbox
              aria-label={`Ask before the stage after ${place} opens`}
              checked={stage.hold}
              onChange={(event) => onChange({ hold: event.currentTarget.checked })}
            />
          </td>
          <td>
            {onRemove && (
              <ActionIcon
                variant="subtle"
                color="gray"
                aria-label={`Remove stage ${place}`}
                onClick={onRemove}
              >
                <X size={14} aria-hidden />
              </ActionIcon>
            )}
          </td>
        </>
      )}
    </tr>
  );
}

function Field(props: {
  readonly label: string;
  readonly max: number;
  readonly value: NumberText;
  readonly onChange: (value: NumberText) => void;
}) {
  return (
    <NumberInput
      aria-label={props.label}
      min={0}
      max={props.max}
      clampBehavior="strict"
      allowNegative={false}
      hideControls
      value={props.value}
      onChange={(value) => props.onChange(typeof value === 'number' ? value : '')}
    />
  );
}
