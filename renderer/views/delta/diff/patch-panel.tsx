import { Button, Group, Text } from '@mantine/core';
import { useElementSize } from '@mantine/hooks';
import { FileDiff } from 'lucide-react';
import { useEffect, useId } from 'react';
import type { PatchMap, PatchOperation } from '../../../../shared/domain/patch-map.ts';
import { byteText } from '../../../../shared/domain/progress-text.ts';
import { call, pickFiles } from '../../../rpc/client.ts';
import { useRunningJob, useStudio } from '../../../stores/studio.ts';
import { DataGrid, type GridColumn } from '../../../widgets/data-grid.tsx';
import { EmptyState } from '../../../widgets/empty-state.tsx';
import { countText, hexText, percentText, pluralText } from '../../../widgets/format-text.ts';
import { JobStrip } from '../../../widgets/job-strip.tsx';
import classes from './diff-view.module.css';

/** What the patch between the images does with each part of its target: of the recorded delta, or of any patch file. */
export function PatchPanel(props: {
  readonly deltaPackageId: string | null;
  /** What was read of it before; kept by the view, so that it is read once. */
  readonly map: PatchMap | null;
  readonly onMap: (map: PatchMap) => void;
  /** Goes to a byte of the new image; null where its bytes are not those of the target in their order. */
  readonly onGo: ((targetOffset: number) => void) | null;
}) {
  const { deltaPackageId, map, onMap } = props;
  const act = useStudio((state) => state.act);
  const job = useRunningJob('delta.operations');
  const isKnown = map !== null;
  useEffect(() => {
    if (deltaPackageId === null || isKnown) return;
    void act(async () => onMap(await call('delta.operations', { packageId: deltaPackageId })));
  }, [act, deltaPackageId, isKnown, onMap]);
  const choose = () =>
    void act(async () => {
      const [patch] = await pickFiles({ multiple: false, title: 'Patch between the two images' });
      if (patch) onMap(await call('delta.operations', { patch: patch.handle }));
    });
  const chooser = (
    <Button size="compact-xs" variant="default" onClick={choose} data-testid="choose-patch">
      Choose a patch file
    </Button>
  );
  if (!map)
    return job ? (
      <JobStrip job={job} />
    ) : (
      <EmptyState
        icon={FileDiff}
        sentence="There is no recorded delta between these images."
        action={chooser}
      />
    );
  return (
    <>
      <Group className={classes.tableNote} justify="space-between" wrap="nowrap">
        <Summary map={map} />
        {chooser}
      </Group>
      <ShareStrip map={map} />
      <DataGrid
        label="Operations of the patch"
        columns={columns}
        rowCount={map.listed.length}
        getRow={(index) => map.listed[index]}
        onSelect={({ targetStart }) => props.onGo?.(targetStart)}
        empty={<EmptyState icon={FileDiff} sentence="The patch makes an empty target." />}
        testId="patch-operations"
      />
    </>
  );
}

const stripPx = 20;
const kinds = ['copied', 'corrected', 'inserted'] as const;

function Summary({ map }: { readonly map: PatchMap }) {
  const { total, listed, shares, targetSizeBytes } = map;
  return (
    <Text size="xs" component="div" className={classes.swatches}>
      <span>
        {pluralText(total, 'operation')}
        {total > listed.length && `, the first ${countText(listed.length)} listed`}
      </span>
      {kinds.map((kind) => {
        const bytes = shares[kind].reduce((sum, value) => sum + value, 0);
        return (
          <span key={kind}>
            <i className={classes.swatch} data-share={kind} aria-hidden />
            {kind} {byteText(Math.round(bytes))} (
            {percentText(bytes / Math.max(1, targetSizeBytes))})
          </span>
        );
      })}
    </Text>
  );
}

/** The target from end to end: plain where it is copied, striped from below where it is corrected, full from above where it is new. */
function ShareStrip({ map: { shares, targetSizeBytes } }: { readonly map: PatchMap }) {
  const { ref, width } = useElementSize();
  const stripes = useId();
  const inserted = outline(shares, width, (bucket) => [0, share(shares, 'inserted', bucket)]);
  const corrected = outline(shares, width, (bucket) => [1 - share(shares, 'corrected', bucket), 1]);
  return (
    <div
      ref={ref}
      className={classes.shares}
      role="img"
      aria-label={`The target, ${byteText(targetSizeBytes)}, from its first byte to its last, by what makes it`}
    >
      <svg width={width} height={stripPx} aria-hidden>
        <pattern
          id={stripes}
          width={4}
          height={4}
          patternUnits="userSpaceOnUse"
          patternTransform="rotate(45)"
        >
          <rect width={2} height={4} className={classes.stripe} />
        </pattern>
        <path d={inserted} className={classes.inserted} />
        <path d={corrected} fill={`url(#${stripes})`} />
      </svg>
    </div>
  );
}

type Shares = PatchMap['shares'];

function share(shares: Shares, kind: (typeof kinds)[number], bucket: number): number {
  const all = kinds.reduce((sum, each) => sum + (shares[each][bucket] ?? 0), 0);
  return all === 0 ? 0 : (shares[kind][bucket] ?? 0) / all;
}

/** The bars of all buckets as one path, between two shares of the height. */
function outline(
  shares: Shares,
  widthPx: number,
  between: (bucket: number) => readonly [from: number, to: number],
): string {
  const count = shares.copied.length;
  return shares.copied
    .map((_, bucket) => {
      const [from, to] = between(bucket);
      const [left, right] = [bucket, bucket + 1].map((edge) => (edge / count) * widthPx);
      return from === to ? '' : `M${left} ${from * stripPx}H${right}V${to * stripPx}H${left}Z`;
    })
    .join('');
}

const what: Record<PatchOperation['kind'], string> = {
  copy: 'copy',
  insert: 'insert',
  run: 'repeat one byte',
};

const columns: readonly GridColumn<PatchOperation>[] = [
  {
    id: 'target',
    title: 'Target offset',
    widthPx: 130,
    render: ({ targetStart }) => hexText(targetStart),
  },
  {
    id: 'what',
    title: 'What',
    widthPx: 130,
    render: ({ kind, changedBytes }) => (changedBytes > 0 ? 'copy, correct' : what[kind]),
  },
  {
    id: 'bytes',
    title: 'Bytes',
    widthPx: 110,
    align: 'right',
    render: ({ sizeBytes }) => countText(sizeBytes),
  },
  {
    id: 'corrected',
    title: 'Corrected',
    hint: 'Copied bytes to which a difference is added',
    widthPx: 110,
    align: 'right',
    render: ({ kind, changedBytes }) => (kind === 'copy' ? countText(changedBytes) : ''),
  },
  {
    id: 'source',
    title: 'Copied from',
    minWidthPx: 200,
    render: ({ sourceStart, from }) =>
      sourceStart === null || from === null ? '' : `${origin[from]} ${offsetText(sourceStart)}`,
  },
];

const origin: Record<NonNullable<PatchOperation['from']>, string> = {
  source: 'source',
  target: 'target, made before,',
  memory: 'memory of the device',
};

/** Bytes before the source are zeros to some decoders. */
const offsetText = (offset: number): string =>
  offset < 0 ? `−${hexText(-offset)}` : hexText(offset);
