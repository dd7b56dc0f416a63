import { Select } from '@mantine/core';
import type { DeltaLimits, PatchChoice } from '../../../shared/domain/delta.ts';
import { choiceText } from '../../../shared/domain/delta-cost.ts';
import { allowedChoices } from '../../../shared/domain/delta-cost.ts';
import { formatWord } from './delta-rows.ts';

/** What is to be made: one format, or null for the smallest that the device can apply. */
export type FormatWish = PatchChoice | null;

/** Chooses the format of new deltas among those that the component allows. */
export function FormatSelect(props: {
  readonly limits: DeltaLimits | undefined;
  readonly value: FormatWish;
  readonly onChange: (wish: FormatWish) => void;
}) {
  const choices = allowedChoices(props.limits ?? {});
  return (
    <Select
      aria-label="Format of new deltas"
      w={236}
      size="xs"
      allowDeselect={false}
      data={[
        { value: 'auto', label: props.limits ? 'Smallest that fits' : 'BSDIFF40 (default)' },
        ...choices.map((choice) => ({
          value: choiceText(choice),
          label: formatWord(choice.format, choice.compression),
        })),
      ]}
      value={props.value === null ? 'auto' : choiceText(props.value)}
      onChange={(value) =>
        props.onChange(choices.find((choice) => choiceText(choice) === value) ?? null)
      }
      data-testid="delta-format"
    />
  );
}
