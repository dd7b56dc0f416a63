import { TextInput } from '@mantine/core';
import { dayTimePattern, isLocalTime } from '../../../shared/domain/local-time.ts';

interface TimeFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly testId: string;
  readonly autoFocus?: boolean;
}

/** A day and minute as `2026-05-01 22:00`, kept as `2026-05-01T22:00` once it is one. */
export function LocalTimeField(props: TimeFieldProps) {
  const { value, onChange } = props;
  return (
    <TextInput
      label={props.label}
      placeholder="2026-05-01 22:00"
      maxLength={16}
      value={value.replace('T', ' ')}
      error={value !== '' && !isLocalTime(value) && 'Like 2026-05-01 22:00'}
      onChange={(event) => onChange(event.currentTarget.value.trimStart().replace(' ', 'T'))}
      data-autofocus={props.autoFocus || undefined}
      data-testid={props.testId}
    />
  );
}

/** A time of day as `22:00`. */
export function DayTimeField(props: TimeFieldProps) {
  const { value, onChange } = props;
  return (
    <TextInput
      label={props.label}
      placeholder="22:00"
      maxLength={5}
      value={value}
      error={value !== '' && !dayTimePattern.test(value) && 'Like 22:00'}
      onChange={(event) => onChange(event.currentTarget.value.trim())}
      data-testid={props.testId}
    />
  );
}
