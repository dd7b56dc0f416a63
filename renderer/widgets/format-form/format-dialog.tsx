import { Button, Group, Modal, NativeSelect, Stack, Text, TextInput } from '@mantine/core';
import { useState } from 'react';
import type { DescribedFormat } from '../../../shared/domain/described-format.ts';
import { type Problem, toProblem } from '../../../shared/domain/problem.ts';
import { call, type PickedFile } from '../../rpc/client.ts';
import { draftOf, emptyFormat, faultLines, type FormatDraft, readDraft } from './format-draft.ts';
import classes from './format-form.module.css';
import { ChecksumRows, FieldRows } from './format-rows.tsx';
import { FormatTestPanel } from './format-test-panel.tsx';
import { useFormatTest } from './use-format-test.ts';

const magicKinds = [
  { value: 'text', label: 'Text' },
  { value: 'hex', label: 'Hexadecimal' },
  { value: 'none', label: 'None' },
];
const versionKinds = [
  { value: 'none', label: 'None' },
  { value: 'place', label: 'At a place' },
  { value: 'pattern', label: 'By a pattern' },
];

/** Describes a vendor's format and shows at once what the description makes of a file. */
export function FormatDialog(props: {
  /** The format that is edited; a new one without it. */
  readonly format?: DescribedFormat;
  /** The file that it is tested on first. */
  readonly file?: PickedFile;
  readonly onSaved: (formats: readonly DescribedFormat[]) => void;
  readonly onClose: () => void;
}) {
  const { format: edited, onSaved, onClose } = props;
  const [draft, setDraft] = useState<FormatDraft>(edited ? draftOf(edited) : emptyFormat);
  const [file, setFile] = useState<PickedFile | null>(props.file ?? null);
  const [refused, setRefused] = useState<Problem | null>(null);
  const { format, faults } = readDraft(draft);
  const hasFaults = Object.keys(faults).length > 0;
  const test = useFormatTest(hasFaults || draft.name === '' ? null : format, file);
  const problem = refused ?? test.problem;

  const change = (changes: Partial<FormatDraft>) => {
    setRefused(null);
    setDraft({ ...draft, ...changes });
  };
  const save = async () => {
    try {
      onSaved(await call('formats.save', { format, ...(edited ? { replaces: edited.name } : {}) }));
      onClose();
    } catch (error) {
      setRefused(toProblem(error));
    }
  };

  return (
    <Modal
      opened
      onClose={onClose}
      size="min(1180px, 94vw)"
      title={edited ? `Format ${edited.name}` : 'Describe a format'}
    >
      <div className={classes.columns} data-testid="format-dialog">
        <Stack gap="md">
          <Text c="dimmed">
            Offsets count from the beginning of the file, negative ones from its end; decimal or 0x.
          </Text>
          <RecogniseBy draft={draft} faults={faults} onChange={change} />
          <div className={classes.part}>
            <Text fw={600}>Fields</Text>
            <FieldRows draft={draft} faults={faults} onChange={change} />
          </div>
          <div className={classes.part}>
            <Text fw={600}>Checksums</Text>
            <ChecksumRows draft={draft} faults={faults} onChange={change} />
          </div>
          <VersionPart draft={draft} faults={faults} onChange={change} />
          {problem && (
            <div role="alert">
              <Text fw={600} c="red">
                {problem.title}
              </Text>
              <ul className={classes.faults}>
                {faultLines(problem.detail).map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
            </div>
          )}
        </Stack>
        <FormatTestPanel
          file={file}
          result={test.result}
          waiting={waitingText(file, draft, hasFaults)}
          onFile={setFile}
        />
      </div>
      <Group justify="flex-end" gap="xs" mt="md">
        <Text c="dimmed" mr="auto">
          Kept in slipway.yaml, under “formats”
        </Text>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
        <Button
          disabled={hasFaults || draft.name === ''}
          onClick={() => void save()}
          data-testid="format-save"
        >
          Save the format
        </Button>
      </Group>
    </Modal>
  );
}

function waitingText(
  file: PickedFile | null,
  draft: FormatDraft,
  hasFaults: boolean,
): string | null {
  if (file === null) return 'Choose a file to see what each field reads.';
  if (draft.name === '') return 'Give the format a name to test it.';
  return hasFaults ? 'Correct the marked numbers to test it.' : null;
}

interface PartProps {
  readonly draft: FormatDraft;
  readonly faults: Readonly<Record<string, string>>;
  readonly onChange: (changes: Partial<FormatDraft>) => void;
}

function RecogniseBy({ draft, faults, onChange }: PartProps) {
  return (
    <div className={classes.part}>
      <Group grow align="flex-start" gap="xs">
        <TextInput
          label="Name"
          required
          data-autofocus
          placeholder="acme-fw"
          value={draft.name}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
          data-testid="format-name"
        />
        <TextInput
          label="Extensions"
          placeholder=".afw"
          value={draft.extensions}
          onChange={(event) => onChange({ extensions: event.currentTarget.value })}
        />
        <TextInput
          label="Least size in bytes"
          value={draft.minSizeBytes}
          error={faults.minSizeBytes}
          onChange={(event) => onChange({ minSizeBytes: event.currentTarget.value })}
        />
        <TextInput
          label="Padding byte"
          placeholder="0xFF"
          value={draft.padding}
          error={faults.padding}
          onChange={(event) => onChange({ padding: event.currentTarget.value })}
        />
      </Group>
      <div className={classes.inline}>
        <NativeSelect
          label="Magic"
          data={magicKinds}
          value={draft.magicKind}
          onChange={(event) =>
            onChange({ magicKind: event.currentTarget.value as FormatDraft['magicKind'] })
          }
        />
        {draft.magicKind !== 'none' && (
          <>
            <TextInput
              label={draft.magicKind === 'text' ? 'Text of the magic' : 'Bytes of the magic'}
              placeholder={draft.magicKind === 'text' ? 'AFW1' : '41 46 57 31'}
              value={draft.magic}
              onChange={(event) => onChange({ magic: event.currentTarget.value })}
            />
            <TextInput
              label="At offset"
              value={draft.magicOffset}
              error={faults.magicOffset}
              onChange={(event) => onChange({ magicOffset: event.currentTarget.value })}
            />
          </>
        )}
      </div>
    </div>
  );
}

function VersionPart({ draft, faults, onChange }: PartProps) {
  const { versionKind } = draft;
  return (
    <Group align="flex-start" gap="xs" grow preventGrowOverflow={false}>
      <NativeSelect
        label="Version text"
        data={versionKinds}
        value={versionKind}
        onChange={(event) =>
          onChange({ versionKind: event.currentTarget.value as FormatDraft['versionKind'] })
        }
      />
      {versionKind === 'pattern' && (
        <TextInput
          label="Pattern (RE2, one group)"
          placeholder="FW=(\d+\.\d+)"
          value={draft.versionPattern}
          onChange={(event) => onChange({ versionPattern: event.currentTarget.value })}
        />
      )}
      {versionKind !== 'none' && (
        <>
          <TextInput
            label={versionKind === 'place' ? 'At offset' : 'Searched from'}
            value={draft.versionFrom}
            error={faults.versionFrom}
            onChange={(event) => onChange({ versionFrom: event.currentTarget.value })}
          />
          <TextInput
            label={versionKind === 'place' ? 'Length in bytes' : 'Window in bytes'}
            placeholder={versionKind === 'place' ? '' : '4096'}
            value={draft.versionLength}
            error={faults.versionLength}
            onChange={(event) => onChange({ versionLength: event.currentTarget.value })}
          />
        </>
      )}
    </Group>
  );
}
