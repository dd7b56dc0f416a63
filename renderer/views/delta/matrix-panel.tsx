import { Stack, Text } from '@mantine/core';
import type { DeltaMatrix, MatrixRow } from '../../../shared/domain/delta-matrix.ts';
import { countText, durationText, percentText, pluralText } from '../../widgets/format-text.ts';
import { Section } from '../../widgets/section.tsx';
import { ToneBadge } from '../../widgets/tone-badge.tsx';
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
  const title = sourceVersion ? `Formats from ${sourceVersion}` : 'Formats';
  return (
    <Section
      title={title}
      actions={row && <Text size="xs">{devicesText(row.devices)}</Text>}
      testId="delta-matrix"
    >
      <Stack gap="xs">
        {row ? (
          <>
            <Text>
              <b>
                {row.advice.publish === 'full' ? 'Publish the full image.' : 'Publish the delta.'}
              </b>{' '}
              {row.advice.reason} Full image, compressed:{' '}
              <Bytes value={matrix.compressedFullBytes} />.
            </Text>
            <MatrixTable row={row} />
            <Text size="xs">
              Each patch was applied and gave the SHA-256 of {matrix.targetVersion}.{' '}
              {row.patches
                .filter(({ objections }) => objections.length > 0)
                .map((patch) => `${wordOf(patch)}: ${patch.objections.join('; ')}.`)
                .join(' ')}
            </Text>
          </>
        ) : (
          <Text>
            No device of the fleet runs {sourceVersion ?? 'another version'}: not measured.
          </Text>
        )}
        {matrix.unreleased.length > 0 && (
          <Text size="xs">
            Full image only, since no release has their version:{' '}
            {matrix.unreleased
              .map(({ version, devices }) => `${version} on ${pluralText(devices, 'device')}`)
              .join(', ')}
            .
          </Text>
        )}
      </Stack>
    </Section>
  );
}

const wordOf = ({ format, compression }: MatrixRow['patches'][number]): string =>
  formatWord(format, compression);

function devicesText(devices: number | null): string {
  if (devices === null) return 'Devices are counted while the cloud runs';
  return `${pluralText(devices, 'device')} in the field`;
}

const columns = [
  'Format',
  'Patch',
  'Of compressed',
  'RAM',
  'Flash',
  'Air time',
  'Erases',
  'Device',
];

function MatrixTable({ row }: { readonly row: MatrixRow }) {
  return (
    <table className={classes.matrix}>
      <thead>
        <tr>
          {columns.map((column) => (
            <th scope="col" key={column}>
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {row.patches.map((patch, index) => {
          const { cost, objections } = patch;
          return (
            <tr key={wordOf(patch)}>
              <th scope="row">{wordOf(patch)}</th>
              <td>
                <Bytes value={patch.patchSizeBytes} />
              </td>
              <td>{percentText(patch.ratio)}</td>
              <td>
                <Bytes value={cost.ramBytes} />
              </td>
              <td>
                <Bytes value={cost.flashBytes} />
              </td>
              <td>{cost.airSeconds === null ? '–' : durationText(cost.airSeconds * 1000)}</td>
              <td>{cost.erases === null ? '–' : countText(cost.erases)}</td>
              <td>
                {objections.length > 0 ? (
                  <ToneBadge tone="bad" word="Cannot" />
                ) : index === row.best ? (
                  <ToneBadge
                    tone="good"
                    word="Smallest"
                    title="The smallest that the device can apply"
                  />
                ) : (
                  <ToneBadge tone="neutral" word="Fits" title="The device can apply it" />
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
