import { ActionIcon, Button, NativeSelect, Text, TextInput } from '@mantine/core';
import { Plus, X } from 'lucide-react';
import {
  type ChecksumDraft,
  emptyChecksum,
  emptyField,
  type FieldDraft,
  type FormatDraft,
} from './format-draft.ts';
import classes from './format-form.module.css';

const meanings = {
  number: 'number',
  'file-size': 'size of file',
  'size-of-rest': 'size of the rest',
  version: 'version',
  constant: 'constant',
} satisfies Record<FieldDraft['means'], string>;

const kinds = {
  crc32: 'CRC-32',
  'crc16-ccitt': 'CRC-16 CCITT',
  'crc16-xmodem': 'CRC-16 XMODEM',
  'crc16-modbus': 'CRC-16 Modbus',
  sum8: 'sum, 8 bit',
  sum16: 'sum, 16 bit',
  sum32: 'sum, 32 bit',
  xor8: 'XOR, 8 bit',
} satisfies Record<ChecksumDraft['kind'], string>;

const options = (words: Readonly<Record<string, string>>) =>
  Object.entries(words).map(([value, label]) => ({ value, label }));
const byteCounts = ['1', '2', '4', '8'];
const endians = options({ little: 'little', big: 'big' });

interface RowsProps {
  readonly draft: FormatDraft;
  readonly faults: Readonly<Record<string, string>>;
  readonly onChange: (changes: Partial<FormatDraft>) => void;
}

const replaced = <T,>(list: readonly T[], at: number, changes: Partial<T>): T[] =>
  list.map((item, index) => (index === at ? { ...item, ...changes } : item));

/** The numbers that stand at fixed places of a format. */
export function FieldRows({ draft, faults, onChange }: RowsProps) {
  const { fields } = draft;
  return (
    <>
      {fields.length > 0 && (
        <Heads names={['Name', 'Offset', 'Bytes', 'Endian', 'Meaning', 'Value or from']} />
      )}
      {fields.map((field, index) => {
        const change = (changes: Partial<FieldDraft>) =>
          onChange({ fields: replaced(fields, index, changes) });
        const path = `fields.${index}`;
        const place = `of field ${index + 1}`;
        return (
          <div className={classes.row} key={index} role="group" aria-label={`Field ${index + 1}`}>
            <TextInput
              aria-label={`Name ${place}`}
              placeholder="name"
              value={field.name}
              onChange={(event) => change({ name: event.currentTarget.value })}
            />
            <TextInput
              aria-label={`Offset ${place}`}
              placeholder="offset"
              value={field.offset}
              error={faults[`${path}.offset`]}
              onChange={(event) => change({ offset: event.currentTarget.value })}
            />
            <NativeSelect
              aria-label={`Bytes ${place}`}
              data={byteCounts.map((count) => ({ value: count, label: `${count} B` }))}
              value={field.bytes}
              onChange={(event) =>
                change({ bytes: event.currentTarget.value as FieldDraft['bytes'] })
              }
            />
            <NativeSelect
              aria-label={`Byte order ${place}`}
              data={endians}
              value={field.endian}
              onChange={(event) =>
                change({ endian: event.currentTarget.value as FieldDraft['endian'] })
              }
            />
            <NativeSelect
              aria-label={`Meaning ${place}`}
              data={options(meanings)}
              value={field.means}
              onChange={(event) =>
                change({ means: event.currentTarget.value as FieldDraft['means'] })
              }
            />
            <ValueInput field={field} place={place} path={path} faults={faults} change={change} />
            <RemoveButton
              label={`Remove field ${index + 1}`}
              onClick={() => onChange({ fields: fields.filter((_field, at) => at !== index) })}
            />
          </div>
        );
      })}
      <AddButton
        label="Add a field"
        onClick={() => onChange({ fields: [...fields, emptyField] })}
      />
    </>
  );
}

function ValueInput(props: {
  readonly field: FieldDraft;
  readonly place: string;
  readonly path: string;
  readonly faults: Readonly<Record<string, string>>;
  readonly change: (changes: Partial<FieldDraft>) => void;
}) {
  const { field, place, path, faults, change } = props;
  if (field.means === 'constant')
    return (
      <TextInput
        aria-label={`Value ${place}`}
        placeholder="value"
        value={field.equals}
        error={faults[`${path}.equals`]}
        onChange={(event) => change({ equals: event.currentTarget.value })}
      />
    );
  if (field.means === 'size-of-rest')
    return (
      <TextInput
        aria-label={`Counted from, ${place}`}
        placeholder="from (its end)"
        value={field.from}
        error={faults[`${path}.from`]}
        onChange={(event) => change({ from: event.currentTarget.value })}
      />
    );
  return <span />;
}

/** The checksums of a format and what each covers. */
export function ChecksumRows({ draft, faults, onChange }: RowsProps) {
  const { checksums } = draft;
  return (
    <>
      {checksums.length > 0 && (
        <Heads names={['Kind', 'Offset', '', 'Endian', 'Covers from', 'To']} />
      )}
      {checksums.map((checksum, index) => {
        const change = (changes: Partial<ChecksumDraft>) =>
          onChange({ checksums: replaced(checksums, index, changes) });
        const path = `checksums.${index}`;
        const place = `of checksum ${index + 1}`;
        return (
          <div
            className={classes.row}
            key={index}
            role="group"
            aria-label={`Checksum ${index + 1}`}
          >
            <NativeSelect
              aria-label={`Kind ${place}`}
              data={options(kinds)}
              value={checksum.kind}
              onChange={(event) =>
                change({ kind: event.currentTarget.value as ChecksumDraft['kind'] })
              }
            />
            <TextInput
              aria-label={`Offset ${place}`}
              placeholder="offset"
              value={checksum.offset}
              error={faults[`${path}.offset`]}
              onChange={(event) => change({ offset: event.currentTarget.value })}
            />
            <span />
            <NativeSelect
              aria-label={`Byte order ${place}`}
              data={endians}
              value={checksum.endian}
              onChange={(event) =>
                change({ endian: event.currentTarget.value as ChecksumDraft['endian'] })
              }
            />
            <TextInput
              aria-label={`Covers from, ${place}`}
              placeholder="covers from"
              value={checksum.from}
              error={faults[`${path}.from`]}
              onChange={(event) => change({ from: event.currentTarget.value })}
            />
            <TextInput
              aria-label={`Covers to, ${place}`}
              placeholder="to (end of file)"
              value={checksum.to}
              onChange={(event) => change({ to: event.currentTarget.value })}
            />
            <RemoveButton
              label={`Remove checksum ${index + 1}`}
              onClick={() => onChange({ checksums: checksums.filter((_one, at) => at !== index) })}
            />
          </div>
        );
      })}
      <AddButton
        label="Add a checksum"
        onClick={() => onChange({ checksums: [...checksums, emptyChecksum] })}
      />
    </>
  );
}

/** What stands in each column; each input has its own name for assistive technology. */
function Heads({ names }: { readonly names: readonly string[] }) {
  return (
    <div className={classes.row} aria-hidden>
      {names.map((name, index) => (
        <Text key={index} size="xs" c="dimmed">
          {name}
        </Text>
      ))}
    </div>
  );
}

function RemoveButton(props: { readonly label: string; readonly onClick: () => void }) {
  return (
    <ActionIcon aria-label={props.label} onClick={props.onClick}>
      <X size={14} aria-hidden />
    </ActionIcon>
  );
}

function AddButton(props: { readonly label: string; readonly onClick: () => void }) {
  return (
    <Button
      className={classes.add}
      variant="subtle"
      size="compact-xs"
      leftSection={<Plus size={13} aria-hidden />}
      onClick={props.onClick}
    >
      {props.label}
    </Button>
  );
}
