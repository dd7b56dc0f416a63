import { NumberInput } from '@mantine/core';
import { maxDevicesPerPlan } from '../../../shared/domain/limits.ts';

/** A number of devices, or of what has another `max`. */
export function CountField(props: {
  readonly label: string;
  readonly max?: number;
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly testId: string;
}) {
  return (
    <NumberInput
      label={props.label}
      min={0}
      max={props.max ?? maxDevicesPerPlan}
      allowDecimal={false}
      allowNegative={false}
      thousandSeparator=","
      hideControls
      value={props.value}
      onChange={(value) => props.onChange(Number(value) || 0)}
      data-testid={props.testId}
    />
  );
}
