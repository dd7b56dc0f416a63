import { Button, FileButton, Group, Stack, Text } from '@mantine/core';
import { useState } from 'react';
import {
  type DeviceList,
  faultText,
  listMistakes,
  shownFaults,
  tooManyLinesText,
} from '../../../shared/domain/device-list.ts';
import { countText, pluralText } from '../../widgets/format-text.ts';
import { LinesInput } from '../../widgets/lines-input.tsx';
import { SaveTextButton } from '../../widgets/save-text-button.tsx';
import classes from './rollout-view.module.css';

const maxFileBytes = 16 * 1024 * 1024;

/** A whitelist or blacklist that is typed, pasted, dropped or read from a file, with the lines that are not taken. */
export function DeviceListField(props: {
  readonly label: string;
  readonly placeholder: string;
  readonly text: string;
  readonly list: DeviceList;
  readonly onChange: (text: string) => void;
}) {
  const { label, text, list, onChange } = props;
  const [fileProblem, setFileProblem] = useState<string | null>(null);
  const refusal = fileProblem ?? tooManyLinesText(list);
  const testId = `plan-${label.toLowerCase()}`;
  const readFile = (file: File | null): void => {
    if (!file) return;
    setFileProblem(null);
    if (file.size > maxFileBytes) setFileProblem(`${file.name} is larger than 16 MiB.`);
    else file.text().then(onChange, () => setFileProblem(`${file.name} cannot be read.`));
  };
  const change = (changed: string): void => {
    setFileProblem(null);
    onChange(changed);
  };
  return (
    <Stack gap={4}>
      <LinesInput
        label={label}
        placeholder={props.placeholder}
        rows={4}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        description={refusal === null ? listText(list) : undefined}
        descriptionProps={{ fz: 12 }}
        error={refusal ?? listMistakes(list).length > 0}
        errorProps={{ fz: 12 }}
        text={text}
        onText={change}
        onFile={readFile}
        data-testid={testId}
      />
      <ListFaults label={label} list={list} onLeaveOut={() => change(list.ids.join('\n'))} />
      <FileButton onChange={readFile} accept=".csv,.tsv,.txt,text/csv,text/plain">
        {(button) => (
          <Button
            variant="default"
            size="compact-xs"
            style={{ alignSelf: 'flex-start' }}
            {...button}
          >
            Read a file…
          </Button>
        )}
      </FileButton>
    </Stack>
  );
}

/** For example `12 devices from column 2, "imei"; 3 lines not taken`. */
export function listText({ ids, faults, column }: DeviceList): string {
  const name = column?.name ? `, “${column.name}”` : '';
  const from = column === null ? '' : ` from column ${column.number}${name}`;
  const left = faults.length > 0 ? `; ${pluralText(faults.length, 'line')} not taken` : '';
  return `${pluralText(ids.length, 'device')}${from}${left}`;
}

function ListFaults(props: {
  readonly label: string;
  readonly list: DeviceList;
  readonly onLeaveOut: () => void;
}) {
  const { label, list } = props;
  if (list.faults.length === 0) return null;
  const lines = list.faults.map(faultText);
  return (
    <Stack gap={4} data-testid={`${label.toLowerCase()}-faults`}>
      <div
        className={classes.names}
        tabIndex={0}
        role="group"
        aria-label="Lines that are not taken"
      >
        {lines.slice(0, shownFaults).map((line) => (
          <div key={line}>{line}</div>
        ))}
        {lines.length > shownFaults && (
          <div>
            and {countText(lines.length - shownFaults)} more of {countText(lines.length)}.
          </div>
        )}
      </div>
      <Group gap="xs">
        <Button variant="light" size="compact-xs" onClick={props.onLeaveOut}>
          Leave {lines.length === 1 ? 'it' : `those ${countText(lines.length)}`} out
        </Button>
        <SaveTextButton
          label="Save this list…"
          title={`Save the lines of the ${label.toLowerCase()} that are not taken`}
          fileName={`${label.toLowerCase()}-faults.txt`}
          makeText={() => `${lines.join('\n')}\n`}
        />
      </Group>
      {list.faults.some(({ kind }) => kind === 'unknown') && (
        <Text size="xs" c="dimmed">
          Devices that the cloud does not know yet are imported under Devices and cloud.
        </Text>
      )}
    </Stack>
  );
}
