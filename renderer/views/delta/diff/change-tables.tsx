import { Text } from '@mantine/core';
import { FileDiff } from 'lucide-react';
import type {
  ChangedRun,
  ImageDiff,
  PartChange,
  PartsReport,
  TouchedSector,
} from '../../../../shared/domain/image-diff.ts';
import { DataGrid, type GridColumn } from '../../../widgets/data-grid.tsx';
import { EmptyState } from '../../../widgets/empty-state.tsx';
import { countText, exactBytesText, hexText, pluralText } from '../../../widgets/format-text.ts';
import { TitledText } from '../../../widgets/value-text.tsx';
import classes from './diff-view.module.css';

type OnGo = (address: number) => void;

const rangeText = ({ start, sizeBytes }: { start: number; sizeBytes: number }): string =>
  `${hexText(start)}–${hexText(start + sizeBytes - 1)}`;

/** The runs of addresses at which the images differ. */
export function RunsTable({
  runs,
  onGo,
}: {
  readonly runs: ImageDiff['runs'];
  readonly onGo: OnGo;
}) {
  return (
    <>
      {runs.joinedBytes > 0 && (
        <Text size="xs" className={classes.tableNote}>
          {countText(runs.total)} runs are too many to list: those no further apart than{' '}
          {exactBytesText(runs.joinedBytes)} are shown as one.
        </Text>
      )}
      <DataGrid
        label="Changed runs"
        columns={runColumns}
        rowCount={runs.listed.length}
        getRow={(index) => runs.listed[index]}
        onSelect={({ start }) => onGo(start)}
        empty={<Nothing sentence="No byte differs." />}
        testId="diff-runs"
      />
    </>
  );
}

const runColumns: readonly GridColumn<ChangedRun>[] = [
  { id: 'range', title: 'Addresses', widthPx: 230, render: (run) => rangeText(run) },
  { id: 'kind', title: 'What', widthPx: 90, render: ({ kind }) => kind },
  {
    id: 'bytes',
    title: 'Bytes',
    hint: 'Bytes that differ',
    widthPx: 150,
    align: 'right',
    render: ({ changedBytes, sizeBytes }) =>
      changedBytes === sizeBytes
        ? countText(sizeBytes)
        : `${countText(changedBytes)} of ${countText(sizeBytes)}`,
  },
  {
    id: 'place',
    title: 'Symbol or section',
    minWidthPx: 160,
    render: ({ place }) => (place === null ? '' : <TitledText text={place} />),
  },
];

/** The sectors that an update has to erase. */
export function SectorsTable(props: {
  readonly sectors: ImageDiff['sectors'];
  readonly onGo: OnGo;
}) {
  const { sectors, onGo } = props;
  const notListed = sectors.touched - sectors.listed.length;
  return (
    <>
      <Text size="xs" className={classes.tableNote}>
        {countText(sectors.touched)} of {pluralText(sectors.total, 'sector')} of{' '}
        {exactBytesText(sectors.sizeBytes)} touched; {sizeFrom[sectors.from]}.
        {sectors.regions
          .filter(({ total }) => total > 0)
          .map(
            ({ name, touched, total }) => ` ${name}: ${countText(touched)} of ${countText(total)}.`,
          )
          .join('')}
        {notListed > 0 && ` ${countText(notListed)} more are not listed.`}
      </Text>
      <DataGrid
        label="Touched sectors"
        columns={sectorColumns}
        rowCount={sectors.listed.length}
        getRow={(index) => sectors.listed[index]}
        onSelect={({ start }) => onGo(start)}
        empty={<Nothing sentence="No sector has to be written again." />}
        testId="diff-sectors"
      />
    </>
  );
}

const sizeFrom: Record<ImageDiff['sectors']['from'], string> = {
  given: 'the size was given',
  component: 'the size is the component’s unit of erasing',
  assumed: 'the size is assumed: slipway.yaml does not say the unit of erasing',
};

const sectorColumns: readonly GridColumn<TouchedSector>[] = [
  { id: 'range', title: 'Addresses', widthPx: 230, render: (sector) => rangeText(sector) },
  {
    id: 'changed',
    title: 'Changed bytes',
    widthPx: 130,
    align: 'right',
    render: ({ changedBytes }) => countText(changedBytes),
  },
  {
    id: 'size',
    title: 'Of',
    widthPx: 90,
    align: 'right',
    render: ({ sizeBytes }) => countText(sizeBytes),
  },
  { id: 'region', title: 'Memory region', minWidthPx: 140, render: ({ region }) => region ?? '' },
];

/** Sections or symbols that are not what they were, those whose size changed most first. */
export function PartsTable(props: {
  readonly noun: 'section' | 'symbol';
  readonly parts: PartsReport;
  readonly onGo: OnGo;
}) {
  const { noun, parts, onGo } = props;
  const counted = (['added', 'removed', 'resized', 'changed', 'moved', 'same'] as const)
    .filter((state) => (parts.counts[state] ?? 0) > 0)
    .map((state) => `${countText(parts.counts[state] ?? 0)} ${state}`);
  return (
    <>
      <Text size="xs" className={classes.tableNote}>
        {counted.length > 0 ? `${counted.join(', ')}.` : `Neither file has a ${noun} in memory.`}
        {parts.notListed > 0 && ` ${countText(parts.notListed)} more are not listed.`}
      </Text>
      <DataGrid
        label={noun === 'section' ? 'Sections' : 'Symbols'}
        columns={partColumns}
        rowCount={parts.listed.length}
        getRow={(index) => parts.listed[index]}
        onSelect={({ newAddress, oldAddress }) => onGo(newAddress ?? oldAddress ?? 0)}
        empty={<Nothing sentence={`No ${noun} differs.`} />}
        testId={`diff-${noun}s`}
      />
    </>
  );
}

const signed = (bytes: number): string => `${bytes > 0 ? '+' : ''}${countText(bytes)}`;
const addressText = (address: number | null): string => (address === null ? '' : hexText(address));

const partColumns: readonly GridColumn<PartChange>[] = [
  { id: 'name', title: 'Name', minWidthPx: 180, render: ({ name }) => <TitledText text={name} /> },
  { id: 'kind', title: 'Kind', widthPx: 84, render: ({ kind }) => kind },
  { id: 'state', title: 'What', widthPx: 84, render: ({ state }) => state },
  {
    id: 'change',
    title: 'Size change',
    widthPx: 100,
    align: 'right',
    render: ({ sizeChangeBytes }) => signed(sizeChangeBytes),
  },
  {
    id: 'size',
    title: 'New size',
    widthPx: 90,
    align: 'right',
    render: ({ newSizeBytes }) => (newSizeBytes === null ? '' : countText(newSizeBytes)),
  },
  {
    id: 'bytes',
    title: 'Changed bytes',
    widthPx: 120,
    align: 'right',
    render: ({ changedBytes }) => countText(changedBytes),
  },
  {
    id: 'old',
    title: 'Old address',
    widthPx: 112,
    render: ({ oldAddress }) => addressText(oldAddress),
  },
  {
    id: 'new',
    title: 'New address',
    widthPx: 112,
    render: ({ newAddress }) => addressText(newAddress),
  },
];

function Nothing({ sentence }: { readonly sentence: string }) {
  return <EmptyState icon={FileDiff} sentence={sentence} />;
}
