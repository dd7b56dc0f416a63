import { Textarea } from '@mantine/core';

/** A list of device ids, one per line, with what was read of it below. */
export function IdListField(props: {
  readonly label: string;
  readonly placeholder: string;
  readonly text: string;
  readonly about: string;
  readonly isBad: boolean;
  readonly onChange: (text: string) => void;
}) {
  return (
    <Textarea
      label={props.label}
      placeholder={props.placeholder}
      rows={4}
      spellCheck={false}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      description={props.isBad ? undefined : props.about}
      descriptionProps={{ fz: 12 }}
      errorProps={{ fz: 12 }}
      error={props.isBad ? props.about : undefined}
      value={props.text}
      onChange={(event) => props.onChange(event.currentTarget.value)}
      styles={{ input: { fontFamily: 'var(--mantine-font-family-monospace)', fontSize: 12 } }}
      data-testid={`plan-${props.label.toLowerCase()}`}
    />
  );
}
