import { Stack, Text } from '@mantine/core';
import type { DeltaMatrix } from '../../../shared/domain/delta-matrix.ts';
import { FactList } from '../../widgets/fact-list.tsx';
import { percentText, pluralText } from '../../widgets/format-text.ts';
import { Section } from '../../widgets/section.tsx';
import { Bytes } from '../../widgets/value-text.tsx';
import classes from './delta-view.module.css';
import { formatWord } from './delta-rows.ts';

/** What was measured for the chosen source version: every format with its size, what it needs, and what to publish. */
export function MatrixPanel(props: {
  readonly matrix: DeltaMatrix;
  readonly sourceVersion: string | undefined;
}) {
  const { matrix, sourceVersion } = props;
  const row = matrix.rows.find((candidate) => candidate.sourceVersion === sourceVersion);
  if (!row) {
    return (
      <Section title="Formats" testId="delta-matrix">
        <Text>No device of the fleet runs {sourceVersion ?? 'another version'}.</Text>
      </Section>
    );
  }
  return (
    <Section
      title={`Formats from ${row.sourceVersion}`}
      actions={
        <Text size="xs">
          {row.devices === null ? 'devices not counted' : pluralText(row.devices, 'device')}
        </Text>
      }
      testId="delta-matrix"
    >
      <Stack gap="sm">
        <Text>
          {row.advice.publish === 'full' ? 'Publish the full image.' : 'Publish the delta.'}{' '}
          {row.advice.reason}
        </Text>
        <table className={classes.matrix}>
          <thead>
            <tr>
              <th scope="col">Format</th>
              <th scope="col">Patch</th>
              <th scope="col">Of full</th>
              <th scope="col">RAM</th>
              <th scope="col">Device</th>
            </tr>
          </thead>
          <tbody>
            {row.patches.map((patch, index) => (
              <tr key={formatWord(patch.format, patch.compression)}>
                <th scope="row">{formatWord(patch.format, patch.compression)}</th>
                <td>
                  <Bytes value={patch.patchSizeBytes} />
                </td>
                <td>{percentText(patch.ratio)}</td>
                <td>
                  <Bytes value={patch.cost.ramBytes} />
                </td>
                <td title={patch.objections.join('; ')}>
                  {patch.objections.length > 0 ? 'no' : index === row.best ? 'smallest' : 'fits'}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        <FactList
          facts={[
            ['Full image, compressed', <Bytes key="full" value={matrix.compressedFullBytes} />],
            ['Not released', matrix.unreleased.map(({ version }) => version).join(', ') || 'none'],
          ]}
        />
      </Stack>
    </Section>
  );
}
