import { Stack, Text } from '@mantine/core';
import type { FormatTest, ReadField } from '../../../shared/domain/described-format.ts';
import type { PickedFile } from '../../rpc/client.ts';
import { FactList } from '../fact-list.tsx';
import { FileDrop } from '../file-drop.tsx';
import { groupFindings } from '../finding-groups.ts';
import { hexText } from '../format-text.ts';
import { RuleRow } from '../rule-row.tsx';
import { ToneIcon } from '../tone-badge.tsx';
import { Bytes } from '../value-text.tsx';
import classes from './format-form.module.css';

/** What a description makes of a file: each place that was read, and each finding. */
export function FormatTestPanel(props: {
  readonly file: PickedFile | null;
  readonly result: FormatTest | null;
  /** Why there is no result for what is typed now. */
  readonly waiting: string | null;
  readonly onFile: (file: PickedFile) => void;
}) {
  const { file, result, waiting, onFile } = props;
  return (
    <Stack gap="sm" data-testid="format-test">
      <FileDrop
        multiple={false}
        outcome={file === null ? 'Test it on a file' : `Tested on ${file.name}`}
        limits="Nothing is stored: the file is only read"
        pickTitle="Choose a file of this format"
        pickLabel="Choose a file…"
        onFiles={([picked]) => picked && onFile(picked)}
        testId="format-file"
      />
      {waiting !== null && <Text c="dimmed">{waiting}</Text>}
      {result && <TestResult result={result} />}
    </Stack>
  );
}

function TestResult({ result }: { readonly result: FormatTest }) {
  const { recognised, sizeBytes, version, fields, findings } = result;
  return (
    <>
      <FactList
        facts={[
          ['Recognised', <Passed key="recognised" passed={recognised} words={['yes', 'no']} />],
          ['Size', <Bytes key="size" value={sizeBytes} />],
          ['Version', version ?? 'none read'],
        ]}
      />
      {fields.length > 0 && (
        <table className={classes.fields}>
          <thead>
            <tr>
              <th scope="col">Place</th>
              <th scope="col">Bytes</th>
              <th scope="col">Says</th>
              <th scope="col">Right</th>
            </tr>
          </thead>
          <tbody>
            {fields.map((field, index) => (
              <FieldRow key={index} field={field} />
            ))}
          </tbody>
        </table>
      )}
      {groupFindings(findings).map((group) => (
        <RuleRow key={`${group.verdict} ${group.rule}`} group={group} />
      ))}
    </>
  );
}

function FieldRow({ field }: { readonly field: ReadField }) {
  const { name, offset, hex, value, expected, passed } = field;
  return (
    <tr>
      <td>
        {name}
        <br />
        <span className={classes.mono}>{hexText(offset)}</span>
      </td>
      <td className={classes.mono}>{hex.match(/../g)?.join(' ')}</td>
      <td>
        {value}
        {passed === false && expected !== null && (
          <>
            <br />
            expected {expected}
          </>
        )}
      </td>
      <td>{passed === null ? 'not compared' : <Passed passed={passed} words={['yes', 'no']} />}</td>
    </tr>
  );
}

function Passed(props: {
  readonly passed: boolean;
  readonly words: readonly [good: string, bad: string];
}) {
  const { passed, words } = props;
  return (
    <span style={{ display: 'inline-flex', alignItems: 'center', gap: 4 }}>
      <ToneIcon tone={passed ? 'good' : 'bad'} size={14} />
      {passed ? words[0] : words[1]}
    </span>
  );
}
