import { LinesInput } from '../../widgets/lines-input.tsx';

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
    <LinesInput
      label={props.label}
      placeholder={props.placeholder}
      rows={4}
      inputWrapperOrder={['label', 'input', 'description', 'error']}
      description={props.isBad ? undefined : props.about}
      descriptionProps={{ fz: 12 }}
      error={props.isBad ? props.about : undefined}
      errorProps={{ fz: 12 }}
      text={props.text}
      onText={props.onChange}
      data-testid={`plan-${props.label.toLowerCase()}`}
    />
  );
}
